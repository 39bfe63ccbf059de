package io.lamina.gateway.http;

import io.lamina.gateway.repository.Journal;
import io.lamina.gateway.request.LayerState;
import io.lamina.gateway.request.Readiness;
import io.lamina.gateway.request.StatusTable;
import io.lamina.image.Digest;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Properties;

/**
 * Health, metrics, version, the document, and the one-word status. Used on the requests' contexts.
 */
final class OperationRoutes {
  private static final String METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final Readiness readiness;
  private final StatusTable table;
  private final Journal journal;
  private final PrometheusMeterRegistry metrics;
  private final Contract contract;
  private final Blocking blocking;
  private final Buffer version;

  OperationRoutes(
      Readiness readiness,
      StatusTable table,
      Journal journal,
      PrometheusMeterRegistry metrics,
      Contract contract,
      Blocking blocking) {
    this.readiness = readiness;
    this.table = table;
    this.journal = journal;
    this.metrics = metrics;
    this.contract = contract;
    this.blocking = blocking;
    this.version = versionJson().toBuffer();
  }

  void live(RoutingContext context) {
    Answers.json(context, new JsonObject().put("status", "up"));
  }

  void ready(RoutingContext context) {
    JsonArray checks = new JsonArray();
    boolean up = true;
    for (Readiness.Check check : readiness.checks()) {
      up &= check.isUp();
      checks.add(
          new JsonObject()
              .put("name", check.name())
              .put("status", word(check.isUp()))
              .put("detail", check.detail()));
    }
    if (!up) {
      context.response().setStatusCode(503).putHeader("Retry-After", "2");
    }
    Answers.json(context, new JsonObject().put("status", word(up)).put("checks", checks));
  }

  private static String word(boolean up) {
    return up ? "up" : "down";
  }

  void metrics(RoutingContext context) {
    blocking
        .call(metrics::scrape)
        .onSuccess(text -> Answers.typed(context, METRICS_TYPE, Buffer.buffer(text)))
        .onFailure(context::fail);
  }

  void version(RoutingContext context) {
    Answers.json(context, version);
  }

  void openapiJson(RoutingContext context) {
    Answers.json(context, contract.json());
  }

  void openapiYaml(RoutingContext context) {
    Answers.typed(context, "application/yaml", contract.yaml());
  }

  void layerStatus(RoutingContext context) {
    String text = Exchange.of(context).path("digest").orElseThrow();
    Digest layer = text.startsWith("sha256:") ? Digest.parse(text) : new Digest(text);
    LayerState state = table.layerState(layer);
    if (state != LayerState.DONE && journal.hasLayer(layer)) {
      state = LayerState.DONE;
    }
    context.response().putHeader("Cache-Control", "no-store");
    Answers.typed(context, "text/plain", Buffer.buffer(state.word()));
  }

  private static JsonObject versionJson() {
    Properties properties = new Properties();
    try {
      properties.load(
          new StringReader(
              new String(
                  Contract.resource("/io/lamina/gateway/version.properties"),
                  StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new JsonObject()
        .put("name", "lamina")
        .put("version", properties.getProperty("version", "unknown"))
        .put("api", "v1")
        .put("java", Runtime.version().toString());
  }
}
