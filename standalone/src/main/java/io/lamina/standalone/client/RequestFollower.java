package io.lamina.standalone.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Follows one request over the gateway's event stream, through lost connections, to its end. */
public final class RequestFollower {
  private static final Set<String> FINAL = Set.of("done", "failed", "cancelled");
  private static final int MAX_RECONNECTS = 60;

  private final GatewayClient gateway;

  public RequestFollower(GatewayClient gateway) {
    this.gateway = gateway;
  }

  public static boolean isFinal(JsonNode request) {
    return FINAL.contains(request.path("state").asText());
  }

  /**
   * Calls {@code sink} with the request at every change; returns its final state.
   *
   * @param self the request's own path, as in its links
   * @throws GatewayException if the gateway stays out of reach for a minute
   */
  public JsonNode follow(String self, Consumer<JsonNode> sink) {
    int failures = 0;
    while (true) {
      try {
        JsonNode request = gateway.fetch(self);
        sink.accept(request);
        failures = 0;
        if (isFinal(request)) {
          return request;
        }
        ObjectNode latest = request.deepCopy();
        gateway.follow(self + "/events", event -> isWanted(event, latest, sink));
      } catch (GatewayException e) {
        if (e.status() != 0 || ++failures > MAX_RECONNECTS) {
          throw e;
        }
        pause(e);
      }
    }
  }

  /** Folds an event into the request; whether more are wanted. */
  private static boolean isWanted(JsonNode event, ObjectNode latest, Consumer<JsonNode> sink) {
    if (event.has("state")) {
      latest.setAll((ObjectNode) event);
    } else if (event.has("progress")) {
      latest.set("progress", event.get("progress"));
    } else {
      return true;
    }
    sink.accept(latest);
    return !isFinal(latest);
  }

  private static void pause(GatewayException cause) {
    try {
      TimeUnit.SECONDS.sleep(1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw cause;
    }
  }
}
