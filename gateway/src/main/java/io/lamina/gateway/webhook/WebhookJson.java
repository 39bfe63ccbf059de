package io.lamina.gateway.webhook;

import io.lamina.gateway.request.RequestJson;
import io.lamina.gateway.request.RequestView;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;

/** The JSON forms of what comes of deliveries, as in openapi.yaml. Stateless. */
public final class WebhookJson {
  private WebhookJson() {}

  /** Schema {@code WebhookAnswer}. */
  public static JsonObject write(WebhookAnswer answer) {
    JsonArray leftOut = new JsonArray();
    for (LeftOut each : answer.leftOut()) {
      leftOut.add(
          new JsonObject()
              .put("event", each.event())
              .put("reason", each.reason().text())
              .put("detail", each.detail()));
    }
    return new JsonObject()
        .put("webhook", answer.webhook())
        .put("accepted", requests(answer.accepted()))
        .put("known", requests(answer.known()))
        .put("leftOut", leftOut);
  }

  private static JsonArray requests(List<RequestView> requests) {
    JsonArray array = new JsonArray();
    requests.forEach(request -> array.add(RequestJson.write(request, false)));
    return array;
  }
}
