package io.lamina.node.status;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;

/**
 * Metrics of a node. Labels are the protocol's calls and the names of repositories that this node
 * has mounted. Thread-safe.
 */
public final class NodeMetrics {
  private static final String REPOSITORY = "repository";

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Map<String, Timer> durations = new ConcurrentHashMap<>();
  private final Map<String, Counter> failures = new ConcurrentHashMap<>();
  private final MultiGauge revisions =
      MultiGauge.builder("node.repository.revision").register(registry);
  private final MultiGauge uses = MultiGauge.builder("node.repository.uses").register(registry);
  private final MultiGauge alive = MultiGauge.builder("node.repository.alive").register(registry);
  private final MultiGauge lag = MultiGauge.builder("node.following.lag").register(registry);

  /** What the gauges below show: that of the last scrape. */
  private volatile List<NodeStatus> last = List.of();

  public NodeMetrics() {
    gauge("node.calls.active", status -> status.calls().underWay());
    gauge("node.calls.max", status -> status.calls().max());
    gauge("node.layers", status -> status.layers().count());
    gauge("node.layers.thin", status -> status.layers().thin());
    gauge("node.layers.mounted", status -> status.layers().mounted());
    gauge("node.layers.uses", status -> status.layers().uses());
    gauge("node.snapshots.active", status -> snapshots(status, NodeStatus.Snapshots::active));
    gauge("node.snapshots.views", status -> snapshots(status, NodeStatus.Snapshots::views));
    gauge("node.snapshots.committed", status -> snapshots(status, NodeStatus.Snapshots::committed));
    gauge("node.snapshots.remote", status -> snapshots(status, NodeStatus.Snapshots::remote));
    gauge("node.ready", status -> status.isReady() ? 1 : 0);
    gauge("node.cache.used.bytes", status -> cache(status, NodeStatus.Cache::usedBytes));
    gauge("node.cache.limit.bytes", status -> cache(status, NodeStatus.Cache::limitBytes));
    gauge("node.cache.objects", status -> cache(status, NodeStatus.Cache::objects));
    gauge("node.cache.hits", status -> cache(status, NodeStatus.Cache::hits));
    gauge("node.cache.misses", status -> cache(status, NodeStatus.Cache::misses));
  }

  private void gauge(String name, ToDoubleFunction<NodeStatus> value) {
    Gauge.builder(
            name,
            this,
            metrics -> metrics.last.stream().mapToDouble(value).findFirst().orElse(Double.NaN))
        .register(registry);
  }

  private static double cache(NodeStatus status, ToDoubleFunction<NodeStatus.Cache> value) {
    return status.clients().stream()
        .flatMap(client -> client.cache().stream())
        .mapToDouble(value)
        .sum();
  }

  private static double snapshots(NodeStatus status, ToDoubleFunction<NodeStatus.Snapshots> value) {
    return status.snapshots().stream().mapToDouble(value).sum();
  }

  /** A call's answer was written, whatever it was. */
  public void callEnded(String call, Duration duration) {
    durations
        .computeIfAbsent(
            call, name -> Timer.builder("node.calls.duration").tag("call", name).register(registry))
        .record(duration);
  }

  /** A call was refused, or broken off. */
  public void callFailed(String call) {
    failures
        .computeIfAbsent(
            call, name -> Counter.builder("node.calls.failed").tag("call", name).register(registry))
        .increment();
  }

  /** In the text form that Prometheus reads. */
  synchronized String scrape(NodeStatus status) {
    last = List.of(status);
    List<MultiGauge.Row<?>> revision = new ArrayList<>();
    List<MultiGauge.Row<?>> used = new ArrayList<>();
    List<MultiGauge.Row<?>> living = new ArrayList<>();
    for (NodeStatus.Client client : status.clients()) {
      for (NodeStatus.Repository repository : client.repositories()) {
        Tags tags = Tags.of(REPOSITORY, repository.name(), "client", client.name());
        revision.add(MultiGauge.Row.of(tags, repository.revision()));
        used.add(MultiGauge.Row.of(tags, repository.uses()));
        living.add(MultiGauge.Row.of(tags, repository.isAlive() ? 1 : 0));
      }
    }
    List<MultiGauge.Row<?>> behind = new ArrayList<>();
    status
        .following()
        .forEach(
            each -> behind.add(MultiGauge.Row.of(Tags.of("source", each.source()), each.lag())));
    revisions.register(revision, true);
    uses.register(used, true);
    alive.register(living, true);
    lag.register(behind, true);
    return registry.scrape();
  }
}
