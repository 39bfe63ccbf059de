package io.lamina.gateway.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** Ways to answer. Stateless. */
final class Answers {
  private Answers() {}

  static void json(RoutingContext context, JsonObject body) {
    json(context, body.toBuffer());
  }

  static void json(RoutingContext context, Buffer body) {
    context.response().putHeader("Cache-Control", "no-store");
    typed(context, "application/json", body);
  }

  static void typed(RoutingContext context, String contentType, Buffer body) {
    context.response().putHeader("Content-Type", contentType).end(body);
  }
}
