package io.lamina.gateway.http;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;

/** Times answers. Labels are bounded: an operation of the document, a method, a class of status. */
final class HttpMetrics {
  private static final String DURATION = "gateway.http.request.duration";

  private final MeterRegistry registry;

  HttpMetrics(MeterRegistry registry) {
    this.registry = registry;
  }

  void answered(String operation, int status, long nanos) {
    Timer.builder(DURATION)
        .tag("operation", operation)
        .tag("status", status / 100 + "xx")
        .publishPercentileHistogram(false)
        .register(registry)
        .record(Duration.ofNanos(nanos));
  }
}
