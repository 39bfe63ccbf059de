package io.lamina.messaging;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a worker loop tells: one label, the worker's name. Thread-safe.
 *
 * <p>Source: docs/protocol/topics.md, "Metrics".
 */
final class WorkerMetrics {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerMetrics.class);

  private final String worker;
  private final Counter handled;
  private final Counter committed;
  private final Counter retried;
  private final Counter deadLetters;
  private final Counter lost;
  private final Timer duration;
  private volatile long progressNanos = System.nanoTime();

  WorkerMetrics(
      MeterRegistry registry, String worker, Supplier<Number> depth, Supplier<Number> active) {
    this.worker = worker;
    Tags tags = Tags.of("worker", worker);
    handled = registry.counter("worker.records.handled", tags);
    committed = registry.counter("worker.records.committed", tags);
    retried = registry.counter("worker.records.retried", tags);
    deadLetters = registry.counter("worker.records.dead", tags);
    lost = registry.counter("worker.records.lost", tags);
    duration = registry.timer("worker.batch.duration", tags);
    Gauge.builder("worker.lane.depth", depth).tags(tags).register(registry);
    Gauge.builder("worker.jobs.active", active).tags(tags).register(registry);
    Gauge.builder(
            "worker.progress.age",
            () -> Duration.ofNanos(System.nanoTime() - progressNanos).toMillis() / 1000.0)
        .baseUnit("seconds")
        .tags(tags)
        .register(registry);
  }

  /** The loop is alive. */
  void progress() {
    progressNanos = System.nanoTime();
  }

  void batch(int records, Duration took) {
    handled.increment(records);
    duration.record(took);
  }

  void committed(int records) {
    committed.increment(records);
  }

  void retried(String where, Throwable cause, Duration pause) {
    retried.increment();
    LOG.atWarn()
        .addKeyValue("worker", worker)
        .addKeyValue("record", where)
        .addKeyValue("pauseMillis", pause.toMillis())
        .addKeyValue("cause", cause.toString())
        .log("handling failed; it is tried again");
  }

  void deadLetter(String where, Throwable cause) {
    deadLetters.increment();
    LOG.atError()
        .addKeyValue("worker", worker)
        .addKeyValue("record", where)
        .setCause(cause)
        .log("record set aside as a dead letter");
  }

  void lost(String where, Throwable cause) {
    lost.increment();
    LOG.atWarn()
        .addKeyValue("worker", worker)
        .addKeyValue("record", where)
        .addKeyValue("cause", cause.toString())
        .log("record or partition belongs to another worker now");
  }
}
