package io.lamina.gateway.http;

import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.webhook.Headers;
import io.lamina.gateway.webhook.Webhook;
import io.lamina.gateway.webhook.WebhookAnswer;
import io.lamina.gateway.webhook.WebhookJson;
import io.lamina.gateway.webhook.Webhooks;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What registries report. Who reports is checked before the body is read, as far as that can be,
 * and deliveries have a bound of their own, so that nobody without a secret takes the place of
 * others. Used on requests' contexts.
 */
final class WebhookRoute {
  private static final Pattern JSON =
      Pattern.compile("application/(?:[a-z0-9.+-]+\\+)?json(?:\\s*;.*)?");

  private final Webhooks webhooks;
  private final RepositoryCheck repositories;
  private final JsonBody bodies;
  private final Limit limit;
  private final Runnable readiness;

  /**
   * @param readiness throws where the gateway takes no work yet
   */
  WebhookRoute(
      Webhooks webhooks,
      RepositoryCheck repositories,
      JsonBody bodies,
      Limit limit,
      Runnable readiness) {
    this.webhooks = webhooks;
    this.repositories = repositories;
    this.bodies = bodies;
    this.limit = limit;
    this.readiness = readiness;
  }

  void receive(RoutingContext context) {
    HttpServerRequest request = context.request();
    Webhook hook;
    try {
      hook =
          webhooks.admit(
              context.pathParam("webhook"), request::getHeader, context.queryParam("token"));
      checkType(request.getHeader(HttpHeaders.CONTENT_TYPE));
      readiness.run();
      limit.acquire();
    } catch (GatewayException e) {
      DoomedRequests.drain(context.vertx(), request);
      throw e;
    }
    bodies
        .read(request)
        .compose(body -> take(context, hook, body))
        .onComplete(done -> limit.release())
        .onSuccess(
            answer -> {
              context.response().setStatusCode(answer.hasRequests() ? 202 : 200);
              Answers.json(context, WebhookJson.write(answer));
            })
        .onFailure(context::fail);
  }

  /** What a web page may send unasked is not taken, with or without a secret. */
  private static void checkType(@Nullable String type) {
    if (type == null || !JSON.matcher(type.toLowerCase(Locale.ROOT)).matches()) {
      throw new GatewayException.Refused(
          ProblemType.UNSUPPORTED_MEDIA_TYPE,
          "a delivery's Content-Type is application/json or a registry's own kind of it; set the"
              + " webhook's content type to JSON where it is made");
    }
  }

  private Future<WebhookAnswer> take(RoutingContext context, Webhook hook, Buffer body) {
    Headers headers = context.request()::getHeader;
    Webhooks.Delivery delivery = webhooks.open(hook, headers, body.getBytes());
    return delivery
        .repository()
        .<Future<?>>map(repositories::check)
        .orElseGet(Future::succeededFuture)
        .compose(
            there ->
                Future.fromCompletionStage(
                    webhooks.submit(delivery, Exchange.of(context).trace()),
                    context.vertx().getOrCreateContext()));
  }
}
