package io.lamina.gateway.webhook;

import io.vertx.core.json.JsonObject;
import java.util.List;

/** Reads what a kind of registry sends. Stateless. */
@FunctionalInterface
interface EventReader {
  /**
   * @param maxEvents that a body may have
   * @throws io.lamina.gateway.problem.GatewayException.Refused if it has more, or is of another
   *     format
   */
  List<Reported> read(JsonObject body, int maxEvents);
}
