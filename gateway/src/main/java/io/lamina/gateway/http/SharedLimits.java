package io.lamina.gateway.http;

import io.lamina.gateway.settings.GatewaySettings;
import io.micrometer.core.instrument.MeterRegistry;

/** The bounds that all event loops share. Thread-safe. */
record SharedLimits(
    Limit connections,
    Limit inFlight,
    Limit uploads,
    Limit webhooks,
    Limit eventStreams,
    Limit copies) {
  static SharedLimits of(GatewaySettings settings, MeterRegistry metrics) {
    GatewaySettings.Limits limits = settings.limits();
    return new SharedLimits(
        new Limit("connections", "gateway.connections", limits.connections(), metrics),
        new Limit("requests", "gateway.http.requests", limits.requestsInFlight(), metrics),
        new Limit("uploads", "gateway.uploads", limits.uploads(), metrics),
        new Limit("deliveries", "gateway.webhooks", settings.webhooks().maxDeliveries(), metrics),
        new Limit("event streams", "gateway.event.streams", limits.eventStreams(), metrics),
        new Limit("file copies", "gateway.stratum.copies", limits.requestsInFlight(), metrics));
  }
}
