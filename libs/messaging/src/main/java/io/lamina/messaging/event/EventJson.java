package io.lamina.messaging.event;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lamina.messaging.MessagingException;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Events as JSON: fields in the order of the record's components, bytes the same on every machine.
 * Unknown fields are ignored; an unknown kind or version is an error that names it.
 *
 * <p>Source: docs/protocol/events.md. Stateless.
 */
public final class EventJson {
  /** The longest event, in bytes; topics and clients are configured to carry it. */
  public static final int MAX_BYTES = 8 << 20;

  /** The version of every kind so far. */
  public static final int VERSION = 1;

  private static final int MAX_DEPTH = 64;
  private static final Pattern TYPE =
      Pattern.compile("io\\.lamina\\.([a-z][a-z-]{0,63})\\.v([0-9]{1,4})");
  private static final Map<String, Class<? extends Event>> KINDS = kinds();
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxDocumentLength(MAX_BYTES)
                          .maxNestingDepth(MAX_DEPTH)
                          .maxNumberLength(64)
                          .maxStringLength(1 << 20)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private EventJson() {}

  /** The name of an event's kind, such as {@code layer-converted}. */
  public static String kind(Class<? extends Event> type) {
    return RecordJson.kebab(type.getSimpleName());
  }

  /** What the CloudEvents attribute {@code type} says: {@code io.lamina.<kind>.v1}. */
  public static String type(Event event) {
    return "io.lamina." + kind(event.getClass()) + ".v" + VERSION;
  }

  /** Every kind there is and the record that it stands for, sorted by name. */
  public static Map<String, Class<? extends Event>> allKinds() {
    return new TreeMap<>(KINDS);
  }

  /**
   * @throws MessagingException.Rejected if it is longer than {@link #MAX_BYTES}
   */
  public static byte[] encode(Event event) {
    try {
      byte[] bytes = MAPPER.writeValueAsBytes(RecordJson.write(event));
      if (bytes.length > MAX_BYTES) {
        throw new MessagingException.Rejected(
            "an event has at most "
                + MAX_BYTES
                + " bytes; this "
                + kind(event.getClass())
                + " for "
                + event.repository()
                + " has "
                + bytes.length);
      }
      return bytes;
    } catch (JsonProcessingException e) {
      throw new MessagingException.Rejected("cannot write " + kind(event.getClass()), e);
    }
  }

  /**
   * Reads an event of the kind and version that {@code type} names.
   *
   * @throws MessagingException.Corrupt if kind or version are unknown, or the bytes are no such
   *     event; the message says where
   */
  public static Event decode(String type, byte[] bytes) {
    Matcher matcher = TYPE.matcher(type);
    if (!matcher.matches()) {
      throw new MessagingException.Corrupt("not an event type: '" + shortened(type) + "'");
    }
    String kind = matcher.group(1);
    int version = Integer.parseInt(matcher.group(2));
    Class<? extends Event> record = KINDS.get(kind);
    if (record == null) {
      throw new MessagingException.Corrupt(
          "unknown event kind '" + kind + "'; was it written by a newer release?");
    }
    if (version != VERSION) {
      throw new MessagingException.Corrupt(
          "version "
              + version
              + " of event kind '"
              + kind
              + "' is unknown; this release reads "
              + VERSION);
    }
    if (bytes.length > MAX_BYTES) {
      throw new MessagingException.Corrupt(
          "an event has at most " + MAX_BYTES + " bytes; this " + kind + " has " + bytes.length);
    }
    JsonNode json;
    try {
      json = MAPPER.readTree(bytes);
    } catch (IOException e) {
      throw new MessagingException.Corrupt(
          kind + " is not JSON: " + shortened(String.valueOf(e.getMessage())), e);
    }
    return (Event) RecordJson.read(json, record, kind);
  }

  /** What can be read of a value that may be no event: empty if it is no JSON within the bounds. */
  public static Optional<JsonNode> tree(byte[] bytes) {
    if (bytes.length > MAX_BYTES) {
      return Optional.empty();
    }
    try {
      return Optional.ofNullable(MAPPER.readTree(bytes));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static Map<String, Class<? extends Event>> kinds() {
    Map<String, Class<? extends Event>> kinds = new TreeMap<>();
    collect(Event.class, kinds);
    return Map.copyOf(kinds);
  }

  private static void collect(Class<?> type, Map<String, Class<? extends Event>> kinds) {
    if (type.isRecord()) {
      Class<? extends Event> event = type.asSubclass(Event.class);
      kinds.put(kind(event), event);
    } else {
      for (Class<?> child : type.getPermittedSubclasses()) {
        collect(child, kinds);
      }
    }
  }

  private static String shortened(String text) {
    return text.length() <= 200 ? text : text.substring(0, 200) + "…";
  }
}
