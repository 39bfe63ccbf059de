package io.lamina.gateway.letter;

import io.lamina.messaging.DeadLetter;
import io.lamina.messaging.DeadLetterOffice.Content;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The JSON forms of dead letters, as in openapi.yaml. Stateless. */
public final class LetterJson {
  /** Of a record's value; what is longer is cut. */
  public static final int MAX_SHOWN_BYTES = 64 << 10;

  private LetterJson() {}

  /** Schema {@code DeadLetter}. */
  public static JsonObject write(DeadLetter letter) {
    JsonObject json =
        new JsonObject()
            .put("id", letter.id())
            .put("topic", letter.original().topic())
            .put("partition", letter.original().partition())
            .put("offset", letter.original().offset())
            .put("key", letter.key());
    letter.kind().ifPresent(kind -> json.put("kind", kind));
    letter.repository().ifPresent(name -> json.put("repository", name.value()));
    letter.retryOf().ifPresent(earlier -> json.put("retryOf", earlier));
    return json.put("group", letter.group())
        .put("attempts", letter.attempts())
        .put("cause", letter.cause())
        .put("message", letter.message())
        .put("at", letter.at().toString())
        .put("sizeBytes", letter.sizeBytes());
  }

  /** The same with the record: as JSON if it is an event, else as far as bytes can be shown. */
  public static JsonObject write(DeadLetter letter, Content content) {
    JsonObject json = write(letter);
    byte[] value = content.value();
    if (content.event().isPresent() && value.length <= MAX_SHOWN_BYTES) {
      return json.put("event", Buffer.buffer(value).toJsonObject());
    }
    byte[] shown = Arrays.copyOf(value, Math.min(value.length, MAX_SHOWN_BYTES));
    return json.put("value", Base64.getEncoder().encodeToString(shown))
        .put("valueIsCut", shown.length < value.length);
  }

  /** Schema {@code DeadLetterPage}; the last letter is where the next page begins. */
  public static JsonObject write(List<DeadLetter> page, int limit) {
    JsonArray items = new JsonArray();
    page.forEach(letter -> items.add(write(letter)));
    JsonObject json = new JsonObject().put("items", items);
    if (page.size() == limit) {
      json.put("next", cursor(page.getLast().place()));
    }
    return json;
  }

  /** Schema {@code SettledDeadLetter}. */
  public static JsonObject write(String id, DeadLetter.State state) {
    return new JsonObject().put("id", id).put("state", state.name().toLowerCase(Locale.ROOT));
  }

  private static String cursor(DeadLetter.Place place) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString((place.at() + " " + place.id()).getBytes(StandardCharsets.UTF_8));
  }

  /** Reads a page's {@code next}; empty if it is none. */
  public static Optional<DeadLetter.Place> place(String cursor) {
    try {
      String[] parts =
          new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8).split(" ", 2);
      return parts.length == 2
          ? Optional.of(new DeadLetter.Place(Instant.parse(parts[0]), parts[1]))
          : Optional.empty();
    } catch (IllegalArgumentException | DateTimeException e) {
      return Optional.empty();
    }
  }
}
