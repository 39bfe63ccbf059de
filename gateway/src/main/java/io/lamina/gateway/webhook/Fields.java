package io.lamina.gateway.webhook;

import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;

/** Looks for fields in foreign JSON, where each may be anything. Stateless. */
final class Fields {
  /** Of seconds; the year 2106. What is beyond is no time of an event. */
  private static final double MAX_SECONDS = 0xffff_ffffL;

  private Fields() {}

  /** A text that is not empty. */
  static Optional<String> text(JsonObject in, String field) {
    return in.getValue(field) instanceof String text && !text.isEmpty()
        ? Optional.of(text)
        : Optional.empty();
  }

  /** An empty one where there is none. */
  static JsonObject object(JsonObject in, String field) {
    return in.getValue(field) instanceof JsonObject object ? object : new JsonObject();
  }

  /**
   * The events of a body.
   *
   * @param max how many there may be
   * @throws GatewayException.Refused if there are more, or no array
   */
  static JsonArray events(JsonObject in, String field, int max) {
    if (!(in.getValue(field) instanceof JsonArray events)) {
      throw new GatewayException.Refused(
          ProblemType.INVALID_REQUEST,
          "the body has no array '"
              + field
              + "'; is the webhook's format the registry's? See docs/webhooks.md");
    }
    if (events.size() > max) {
      throw new GatewayException.Refused(
          ProblemType.TOO_LARGE,
          "the body has "
              + events.size()
              + " events, the bound is "
              + max
              + " (gateway.limits.webhook-events)");
    }
    return events;
  }

  /** A time as RFC 3339 writes it; Go's zero time is none. */
  static Optional<Instant> time(JsonObject in, String field) {
    return text(in, field).flatMap(Fields::time).filter(at -> at.getEpochSecond() > 0);
  }

  private static Optional<Instant> time(String text) {
    try {
      return Optional.of(OffsetDateTime.parse(text).toInstant());
    } catch (DateTimeException e) {
      return Optional.empty(); // as if it were not there
    }
  }

  /** A time in seconds of 1970, whole or not. */
  static Optional<Instant> seconds(JsonObject in, String field) {
    return in.getValue(field) instanceof Number number
            && number.doubleValue() > 0
            && number.doubleValue() <= MAX_SECONDS
        ? Optional.of(Instant.ofEpochMilli((long) (number.doubleValue() * 1000)))
        : Optional.empty();
  }

  /** A digest that can be asked for. */
  static Optional<Digest> digest(JsonObject in, String field) {
    try {
      return text(in, field).map(Digest::parse);
    } catch (ImageException.Rejected e) {
      return Optional.empty(); // the tag will do
    }
  }

  /** {@code HOST} of {@code HOST/REPOSITORY…}. */
  static Optional<String> host(String place) {
    int slash = place.indexOf('/');
    return slash < 0 ? Optional.empty() : Optional.of(place.substring(0, slash));
  }

  /** {@code REPOSITORY} of {@code HOST/REPOSITORY[:TAG][@DIGEST]}. */
  static String repository(String place) {
    String name = place.substring(place.indexOf('/') + 1);
    int at = name.indexOf('@');
    String untied = at < 0 ? name : name.substring(0, at);
    int colon = untied.indexOf(':', untied.lastIndexOf('/') + 1);
    return colon < 0 ? untied : untied.substring(0, colon);
  }
}
