package io.lamina.gateway.request;

import io.lamina.messaging.event.RequestId;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * A part of a list of requests, newest first. Immutable.
 *
 * @param next where the next page begins; empty on the last
 */
public record RequestPage(List<RequestView> items, Optional<Position> next) {
  public RequestPage {
    items = List.copyOf(items);
  }

  /** A place in the order of all requests: by acceptance, then by id. Immutable. */
  public record Position(Instant acceptedAt, RequestId id) implements Comparable<Position> {
    @Override
    public int compareTo(Position other) {
      int byTime = acceptedAt.compareTo(other.acceptedAt);
      return byTime != 0 ? byTime : id.compareTo(other.id);
    }

    /** An opaque text that {@link #parse} reads. */
    public String cursor() {
      String text = acceptedAt.getEpochSecond() + "." + acceptedAt.getNano() + "." + id;
      return Base64.getUrlEncoder()
          .withoutPadding()
          .encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }

    /** Empty if the text is not a cursor. */
    public static Optional<Position> parse(String cursor) {
      try {
        String text = new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.US_ASCII);
        String[] parts = text.split("\\.", 3);
        return parts.length != 3
            ? Optional.empty()
            : Optional.of(
                new Position(
                    Instant.ofEpochSecond(Long.parseLong(parts[0]), Integer.parseInt(parts[1])),
                    new RequestId(parts[2])));
      } catch (IllegalArgumentException | java.time.DateTimeException | ArithmeticException e) {
        return Optional.empty();
      }
    }
  }
}
