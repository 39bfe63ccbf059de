package io.lamina.image.internal;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Optional;

/**
 * Reads foreign JSON: nesting, numbers and names are bounded, a field given twice or text after the
 * value is an error. The caller bounds the length. Thread-safe.
 */
public final class StrictJson {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(100)
                          .maxNumberLength(100)
                          .maxNameLength(10_000)
                          .build())
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private StrictJson() {}

  /**
   * @throws IOException if it is anything but one JSON object in UTF-8
   */
  public static ObjectNode parseObject(byte[] json) throws IOException {
    JsonNode node = parse(json);
    if (node instanceof ObjectNode object) {
      return object;
    }
    throw new IOException("not a JSON object");
  }

  /**
   * @throws IOException if it is anything but one JSON value in UTF-8
   */
  public static JsonNode parse(byte[] json) throws IOException {
    try (JsonParser parser = MAPPER.createParser(json)) {
      JsonNode node = MAPPER.readTree(parser);
      if (node == null || node.isMissingNode()) {
        throw new IOException("empty instead of JSON");
      }
      return node;
    } catch (NumberFormatException e) {
      // Jackson lets it through where a number's exponent does not fit into 32 bits.
      throw new IOException("a number with an exponent beyond all use", e);
    }
  }

  /** The text of a field; nothing if it is absent, null, or not a string. */
  public static Optional<String> text(JsonNode object, String field) {
    JsonNode value = object.path(field);
    return value.isTextual() ? Optional.of(value.textValue()) : Optional.empty();
  }

  /** A field's text, or nothing if it is empty too. */
  public static Optional<String> nonEmptyText(JsonNode object, String field) {
    return text(object, field).filter(value -> !value.isEmpty());
  }

  /** The tree in Jackson's compact form, fields in the order of their insertion. */
  public static byte[] write(JsonNode node) {
    try {
      return MAPPER.writeValueAsBytes(node);
    } catch (IOException e) {
      throw new IllegalStateException("a tree in memory can be written", e);
    }
  }

  /** An empty object for {@link #write}. */
  public static ObjectNode newObject() {
    return MAPPER.createObjectNode();
  }
}
