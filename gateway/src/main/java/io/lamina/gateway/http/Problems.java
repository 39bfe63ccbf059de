package io.lamina.gateway.http;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.image.ImageException;
import io.lamina.storage.StorageException;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.handler.HttpException;
import io.vertx.json.schema.OutputUnit;
import io.vertx.openapi.validation.SchemaValidationException;
import io.vertx.openapi.validation.ValidatorErrorType;
import io.vertx.openapi.validation.ValidatorException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one table from failures to answers, and how they are written (RFC 9457). Stateless.
 *
 * <p>Source: docs/api.md, "Errors".
 */
final class Problems {
  private static final Logger LOG = LoggerFactory.getLogger(Problems.class);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(5);

  private static final String REASON = "Reason: ";
  private static final List<String> OUTER =
      List.of("/properties", "/additionalProperties", "/$ref", "/items");

  /** What is answered. */
  record Problem(ProblemType type, String detail, Optional<Duration> retryAfter) {
    static Problem of(ProblemType type, String detail) {
      return new Problem(type, detail, Optional.empty());
    }
  }

  private Problems() {}

  static Problem of(Throwable failure, String trace) {
    return switch (failure) {
      case GatewayException.Refused e -> new Problem(e.type(), message(e), e.retryAfter());
      case GatewayException.Retryable e -> unavailable(message(e));
      case ImageException.Rejected e -> Problem.of(ProblemType.INVALID_IMAGE, message(e));
      case CvmfsException.Rejected e -> Problem.of(ProblemType.INVALID_REQUEST, message(e));
      case StorageException.Exhausted e -> Problem.of(ProblemType.NO_ROOM, message(e));
      case StorageException.Retryable e -> unavailable("the storage cannot be reached now");
      case StorageException.OutcomeUnknown e -> unavailable("the storage's answer was lost");
      case StorageException.NotFound e -> Problem.of(ProblemType.NOT_FOUND, "no such file");
      case SchemaValidationException e -> Problem.of(ProblemType.INVALID_REQUEST, violation(e));
      case ValidatorException e -> Problem.of(validation(e), message(e));
      case HttpException e when e.getCause() instanceof ValidatorException v -> of(v, trace);
      case HttpException e -> status(e.getStatusCode());
      case CompletionException e when e.getCause() != null -> of(e.getCause(), trace);
      default -> {
        LOG.atError().addKeyValue("trace", trace).setCause(failure).log("request failed");
        yield Problem.of(
            ProblemType.INTERNAL,
            "the gateway failed in a way that it should not; its log tells more under this trace id");
      }
    };
  }

  /** For the statuses that the router itself gives. */
  static Problem status(int status) {
    return switch (status) {
      case 401 -> Problem.of(ProblemType.UNAUTHENTICATED, "a bearer token is needed");
      case 404 ->
          Problem.of(
              ProblemType.NOT_FOUND, "no such address; GET /openapi.json tells all that there are");
      case 405 ->
          Problem.of(
              ProblemType.METHOD_NOT_ALLOWED,
              "this address does not know the method; GET /openapi.json tells which it knows");
      case 413 -> Problem.of(ProblemType.TOO_LARGE, "the body is too large");
      case 415 -> Problem.of(ProblemType.UNSUPPORTED_MEDIA_TYPE, "the media type is not known");
      default -> Problem.of(ProblemType.INVALID_REQUEST, "the request cannot be understood");
    };
  }

  private static ProblemType validation(ValidatorException e) {
    return e.type() == ValidatorErrorType.UNSUPPORTED_VALUE_FORMAT
        ? ProblemType.UNSUPPORTED_MEDIA_TYPE
        : ProblemType.INVALID_REQUEST;
  }

  /** The validator's own text ends with the outermost error; the innermost tells what to do. */
  private static String violation(SchemaValidationException e) {
    String message = message(e);
    int reason = message.indexOf(REASON);
    List<OutputUnit> errors = e.getOutputUnit().getErrors();
    if (reason < 0 || errors == null) {
      return message;
    }
    return errors.stream()
        .filter(unit -> OUTER.stream().noneMatch(unit.getKeywordLocation()::endsWith))
        .findFirst()
        .map(
            unit ->
                message.substring(0, reason)
                    + REASON
                    + unit.getError()
                    + (unit.getInstanceLocation().length() > 1
                        ? " at " + unit.getInstanceLocation()
                        : ""))
        .orElse(message);
  }

  private static Problem unavailable(String detail) {
    return new Problem(
        ProblemType.UNAVAILABLE, detail + "; try again later", Optional.of(RETRY_AFTER));
  }

  private static String message(Throwable failure) {
    String message = failure.getMessage();
    return message == null ? failure.getClass().getSimpleName() : message;
  }

  /** Writes the problem document, unless the answer has begun: then the stream is broken off. */
  static void write(
      HttpServerResponse response, Problem problem, String instance, @Nullable String trace) {
    if (response.ended() || response.closed()) {
      return;
    }
    if (response.headWritten()) {
      response.reset();
      return;
    }
    JsonObject body =
        new JsonObject()
            .put("type", problem.type().urn())
            .put("title", problem.type().title())
            .put("status", problem.type().status())
            .put("detail", problem.detail())
            .put("instance", instance);
    if (trace != null) {
      body.put("trace", trace);
    }
    problem
        .retryAfter()
        .ifPresent(
            d -> response.putHeader("Retry-After", Long.toString(Math.max(1, d.toSeconds()))));
    if (problem.type() == ProblemType.UNAUTHENTICATED) {
      response.putHeader("WWW-Authenticate", "Bearer realm=\"lamina\"");
    }
    response
        .setStatusCode(problem.type().status())
        .putHeader("Content-Type", "application/problem+json")
        .putHeader("Cache-Control", "no-store")
        .end(body.toBuffer());
  }
}
