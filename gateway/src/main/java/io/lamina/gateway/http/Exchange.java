package io.lamina.gateway.http;

import static java.util.Objects.requireNonNull;

import io.lamina.gateway.access.Caller;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.request.TraceContext;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.openapi.router.RouterBuilder;
import io.vertx.openapi.contract.Operation;
import io.vertx.openapi.validation.RequestParameter;
import io.vertx.openapi.validation.ValidatedRequest;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What the steps before a handler have found out about a request. Used on its context. */
final class Exchange {
  private static final int DEFAULT_PAGE = 50;
  private static final String TRACE = "lamina.trace";
  private static final String CALLER = "lamina.caller";
  private static final String OPERATION = "lamina.operation";

  private final RoutingContext context;

  private Exchange(RoutingContext context) {
    this.context = context;
  }

  static Exchange of(RoutingContext context) {
    return new Exchange(context);
  }

  void begin(TraceContext trace) {
    context.put(TRACE, trace);
  }

  void admit(Caller caller) {
    context.put(CALLER, caller);
  }

  void enter(Operation operation) {
    context.put(OPERATION, operation);
  }

  TraceContext trace() {
    return requireNonNull(context.<TraceContext>get(TRACE));
  }

  Caller caller() {
    return requireNonNull(context.<Caller>get(CALLER));
  }

  @Nullable Operation operation() {
    return context.get(OPERATION);
  }

  Optional<String> path(String name) {
    return text(validated().getPathParameters(), name);
  }

  Optional<String> query(String name) {
    return text(validated().getQuery(), name);
  }

  /** Where a page of a list begins. */
  <T> Optional<T> cursor(Function<String, Optional<T>> parser) {
    return query("cursor")
        .map(
            text ->
                parser
                    .apply(text)
                    .orElseThrow(
                        () ->
                            new GatewayException.Refused(
                                ProblemType.INVALID_REQUEST,
                                "'" + text + "' is not a cursor; use the 'next' of a page")));
  }

  /** How many a page of a list has; the contract bounds it. */
  int pageLimit() {
    return Optional.ofNullable(validated().getQuery().get("limit"))
        .filter(p -> !p.isNull())
        .map(RequestParameter::getInteger)
        .orElse(DEFAULT_PAGE);
  }

  /** As it was sent: the validated one is URL-decoded, which headers are not. */
  Optional<String> header(String name) {
    return Optional.ofNullable(context.request().getHeader(name));
  }

  JsonObject body() {
    return validated().getBody().getJsonObject();
  }

  private ValidatedRequest validated() {
    return requireNonNull(
        context.<ValidatedRequest>get(RouterBuilder.KEY_META_DATA_VALIDATED_REQUEST));
  }

  private static Optional<String> text(Map<String, RequestParameter> parameters, String name) {
    return Optional.ofNullable(parameters.get(name))
        .filter(p -> !p.isNull())
        .map(RequestParameter::getString);
  }
}
