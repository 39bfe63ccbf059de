package io.lamina.gateway.http;

import io.lamina.gateway.access.AccessPolicy;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.request.Readiness;
import io.lamina.gateway.request.TraceContext;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.settings.ClosestName;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.openapi.router.OpenAPIRoute;
import io.vertx.ext.web.openapi.router.RouterBuilder;
import io.vertx.openapi.contract.Operation;
import io.vertx.openapi.validation.RequestUtils;
import io.vertx.openapi.validation.ValidatableRequest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * Makes the routes from the OpenAPI document: every operation has a handler, or the process does
 * not start; who may call it and what it may be given is what the document says.
 */
final class ApiRouter {
  /** Operations that have bounds of their own; most because their answers last. */
  private static final Set<String> LONG =
      Set.of(
          "followAll",
          "followConversion",
          "followDiffCommit",
          "followRemoval",
          "followCollection",
          "uploadLayer",
          "receiveWebhook");

  private static final Map<RequestStatus.Kind, String> SINGULARS =
      Map.of(
          RequestStatus.Kind.CONVERSION, "Conversion",
          RequestStatus.Kind.DIFF_COMMIT, "DiffCommit",
          RequestStatus.Kind.REMOVAL, "Removal",
          RequestStatus.Kind.COLLECTION, "Collection");

  private static final String UPLOAD = "uploadLayer";
  private static final String WEBHOOK = "receiveWebhook";

  /** Operations that read their bodies themselves: a stream, and bytes that are signed. */
  private static final Set<String> RAW = Set.of(UPLOAD, WEBHOOK);

  private static final List<Integer> ROUTER_STATUSES = List.of(400, 404, 405, 406, 413, 415, 500);

  private final Vertx vertx;
  private final Contract contract;
  private final AccessPolicy access;
  private final Readiness readiness;
  private final JsonBody bodies;
  private final Limit inFlight;
  private final HttpMetrics metrics;
  private final RandomGenerator random;
  private final Map<String, Handler<RoutingContext>> handlers = new HashMap<>();

  ApiRouter(
      Vertx vertx,
      Contract contract,
      GatewayServices services,
      SharedLimits limits,
      Blocking blocking,
      EventStreams streams,
      StratumRoute stratum) {
    this.vertx = vertx;
    this.contract = contract;
    this.access = services.access();
    this.readiness = services.readiness();
    this.bodies =
        new JsonBody(
            vertx, services.settings().limits().bodyBytes(), services.settings().timeouts().body());
    this.inFlight = limits.inFlight();
    this.metrics = new HttpMetrics(services.metrics());
    this.random = services.random();
    RepositoryCheck check = new RepositoryCheck(services.directory(), blocking);
    requests(services, check, streams);
    WebhookRoute webhooks =
        new WebhookRoute(
            services.webhooks(),
            check,
            new JsonBody(
                vertx,
                services.settings().webhooks().bodyBytes(),
                services.settings().timeouts().body()),
            limits.webhooks(),
            this::checkReady);
    handlers.put(WEBHOOK, webhooks::receive);
    RepositoryRoutes repositories =
        new RepositoryRoutes(services.directory(), services.journal(), stratum::serves, blocking);
    handlers.put("listRepositories", repositories::list);
    handlers.put("readRepository", repositories::read);
    handlers.put("createRepository", repositories::create);
    UploadRoute uploads =
        new UploadRoute(
            services.uploads(),
            blocking,
            limits.uploads(),
            services.settings().limits().uploadBytes());
    handlers.put(UPLOAD, uploads::put);
    handlers.put("readUpload", uploads::read);
    DeadLetterRoutes letters = new DeadLetterRoutes(services.deadLetters(), blocking);
    handlers.put("listDeadLetters", letters::list);
    handlers.put("readDeadLetter", letters::read);
    handlers.put("retryDeadLetter", letters::retry);
    handlers.put("dropDeadLetter", letters::drop);
    operations(services, blocking);
  }

  private void requests(GatewayServices services, RepositoryCheck check, EventStreams streams) {
    RequestRoutes requests =
        new RequestRoutes(
            services.submissions(),
            services.table(),
            check,
            services.settings().localImages(),
            services.settings().images());
    handlers.put("createConversion", whenReady(requests::createConversion));
    handlers.put("createDiffCommit", whenReady(requests::createDiffCommit));
    handlers.put("createRemoval", whenReady(requests::createRemoval));
    handlers.put("createCollection", whenReady(requests::createCollection));
    SINGULARS.forEach(
        (kind, name) -> {
          handlers.put("list" + name + "s", c -> requests.list(c, kind));
          handlers.put("read" + name, c -> requests.read(c, kind));
          handlers.put("cancel" + name, whenReady(c -> requests.cancel(c, kind)));
          handlers.put("follow" + name, c -> streams.followOne(c, kind));
        });
    handlers.put("followAll", streams::followAll);
  }

  private void operations(GatewayServices services, Blocking blocking) {
    OperationRoutes operations =
        new OperationRoutes(
            services.readiness(),
            services.table(),
            services.journal(),
            services.metrics(),
            contract,
            blocking);
    handlers.put("layerStatus", whenReady(operations::layerStatus));
    handlers.put("live", operations::live);
    handlers.put("ready", operations::ready);
    handlers.put("metrics", operations::metrics);
    handlers.put("version", operations::version);
    handlers.put("openapiJson", operations::openapiJson);
    handlers.put("openapiYaml", operations::openapiYaml);
  }

  private Handler<RoutingContext> whenReady(Handler<RoutingContext> handler) {
    return context -> {
      checkReady();
      handler.handle(context);
    };
  }

  /** Before all statuses have been read nobody can tell what is known. */
  private void checkReady() {
    if (!readiness.isReady()) {
      throw new GatewayException.Retryable(
          "the gateway is not ready (see GET /health/ready)", null);
    }
  }

  Router build() {
    RouterBuilder builder = RouterBuilder.create(vertx, contract.parsed(), this::extract);
    builder.rootHandler(this::begin);
    for (OpenAPIRoute route : builder.getRoutes()) {
      Operation operation = route.getOperation();
      Handler<RoutingContext> handler = handlers.get(operation.getOperationId());
      if (handler == null) {
        throw new GatewayException.Fatal(
            "operation " + operation.getOperationId() + " of the document has no handler");
      }
      // The builder's own security knows only its own token formats; see enter().
      route.setDoSecurity(false);
      if (RAW.contains(operation.getOperationId())) {
        // The validator would gather the body in memory, without a bound.
        route.setDoValidation(false);
        route.addHandler(
            context -> {
              enter(context, operation);
              context.next();
            });
      }
      route.addHandler(handler);
    }
    Router router = builder.createRouter();
    StaticPages.addTo(router);
    ROUTER_STATUSES.forEach(s -> router.errorHandler(s, c -> fail(c, s)));
    return router;
  }

  private void begin(RoutingContext context) {
    long start = System.nanoTime();
    Exchange exchange = Exchange.of(context);
    TraceContext trace =
        TraceContext.continuing(context.request().getHeader("traceparent"), random);
    exchange.begin(trace);
    context
        .response()
        .putHeader("traceparent", trace.traceparent())
        .putHeader("X-Content-Type-Options", "nosniff");
    context.addEndHandler(
        done -> {
          Operation operation = exchange.operation();
          metrics.answered(
              operation == null ? "none" : operation.getOperationId(),
              context.response().getStatusCode(),
              System.nanoTime() - start);
        });
    context.next();
  }

  /** The first step of every operation, before its body is read: who calls, and is there room. */
  private void enter(RoutingContext context, Operation operation) {
    Exchange exchange = Exchange.of(context);
    exchange.enter(operation);
    try {
      if (!operation.getSecurityRequirements().isEmpty()) {
        exchange.admit(
            access.admit(context.request().getHeader("Authorization"), Contract.roleOf(operation)));
      }
      if (!LONG.contains(operation.getOperationId())) {
        inFlight.acquire();
        context.addEndHandler(done -> inFlight.release());
      }
    } catch (GatewayException.Refused e) {
      DoomedRequests.drain(vertx, context.request());
      throw e;
    }
  }

  private Future<ValidatableRequest> extract(RoutingContext context, Operation operation) {
    enter(context, operation);
    if (operation.getRequestBody() == null) {
      return RequestUtils.extract(context.request(), operation);
    }
    return bodies
        .read(context.request())
        .compose(
            body -> {
              checkFields(operation, body);
              return RequestUtils.extract(
                  context.request(), operation, () -> Future.succeededFuture(body));
            });
  }

  /** The validator would refuse them too, but cannot say what was meant. */
  private static void checkFields(Operation operation, Buffer body) {
    Set<String> known = Contract.bodyFields(operation);
    if (known.isEmpty()) {
      return;
    }
    JsonObject json;
    try {
      json = body.toJsonObject();
    } catch (RuntimeException e) {
      throw new GatewayException.Refused(
          ProblemType.INVALID_REQUEST, "the body is not a JSON object: " + firstLine(e));
    }
    for (String field : json == null ? Set.<String>of() : json.fieldNames()) {
      if (!known.contains(field)) {
        throw new GatewayException.Refused(
            ProblemType.UNKNOWN_FIELD,
            "unknown field '" + shortened(field) + "'" + ClosestName.hint(field, known));
      }
    }
  }

  private static String firstLine(RuntimeException e) {
    String message = e.getMessage();
    return message == null ? "" : shortened(message.lines().findFirst().orElse(""));
  }

  private static String shortened(String text) {
    return text.length() <= 120 ? text : text.substring(0, 120) + "…";
  }

  private void fail(RoutingContext context, int status) {
    String trace = Exchange.of(context).trace().traceId();
    Throwable failure = context.failure();
    Problems.Problem problem =
        failure == null ? Problems.status(status) : Problems.of(failure, trace);
    Problems.write(context.response(), problem, context.request().path(), trace);
  }
}
