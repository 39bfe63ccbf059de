package io.lamina.standalone;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.lamina.settings.SettingsException;
import io.lamina.status.LeanVertx;
import io.lamina.status.ListenAddress;
import io.lamina.status.Page;
import io.lamina.status.Page.Answer;
import io.lamina.status.StatusServer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;

/**
 * Health and metrics of a process that serves no API. Thread-safe.
 *
 * <p>Source: docs/operations.md, "Health and metrics".
 */
final class WorkerStatus implements AutoCloseable {
  /** A loop that has not come round for so long hangs: it waits for half a second at most. */
  static final Duration LONGEST_TURN = Duration.ofMinutes(2);

  private final Vertx vertx;
  private final StatusServer server;

  private WorkerStatus(Vertx vertx, StatusServer server) {
    this.vertx = vertx;
    this.server = server;
  }

  /**
   * Returns when it listens.
   *
   * @throws SettingsException if it cannot
   */
  static WorkerStatus start(ListenAddress address, PrometheusMeterRegistry metrics) {
    Vertx vertx = LeanVertx.create();
    WorkerStatus status = new WorkerStatus(vertx, new StatusServer(vertx, pages(metrics)));
    try {
      status.server.listen(address).join();
      return status;
    } catch (CompletionException e) {
      status.close();
      throw new SettingsException(
          "status.listen: cannot listen on "
              + address.host()
              + ":"
              + address.port()
              + ": "
              + String.valueOf(e.getCause()));
    }
  }

  private static Map<String, Page> pages(PrometheusMeterRegistry metrics) {
    return Map.of(
        "/health/ready", () -> ready(metrics),
        "/metrics", () -> Answer.metrics(metrics.scrape()));
  }

  static Answer ready(MeterRegistry metrics) {
    Optional<String> problem =
        metrics.find("worker.progress.age").gauges().stream()
            .filter(age -> age.value() > LONGEST_TURN.toSeconds())
            .map(WorkerStatus::hangs)
            .sorted()
            .findFirst();
    return Answer.json(
        problem.isEmpty() ? 200 : 503,
        JsonNodeFactory.instance
            .objectNode()
            .put("status", problem.isEmpty() ? "up" : "down")
            .put("problem", problem.orElse(null))
            .toString());
  }

  private static String hangs(Gauge age) {
    return "%s has not come round for %.0f s".formatted(age.getId().getTag("worker"), age.value());
  }

  @Override
  public void close() {
    server.close();
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }
}
