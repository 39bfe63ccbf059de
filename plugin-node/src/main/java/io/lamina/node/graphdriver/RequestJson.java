package io.lamina.node.graphdriver;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads the bodies of calls. Unknown keys are ignored; what is known must have its type. Stateless.
 */
final class RequestJson {
  /** The longest body, in bytes. */
  static final int MAX_BYTES = 1 << 20;

  private static final int MAX_DEPTH = 16;
  private static final int MAX_OPTIONS = 256;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxStringLength(64 << 10)
                          .maxNameLength(4096)
                          .maxNumberLength(32)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private RequestJson() {}

  /**
   * @throws DriverException.Malformed also for a body without content: an engine repeats a call
   *     whose answer it lost without its body, and nothing may be guessed from that
   */
  static LayerRequest layer(DriverCall call, byte[] body) {
    JsonNode json = object(call, body);
    String id = text(call, json, "ID");
    if (id == null) {
      throw new DriverException.Malformed(call.word() + ": the layer's 'ID' is missing or empty");
    }
    Map<String, String> options = new TreeMap<>();
    JsonNode storage = json.path("StorageOpt");
    if (!isAbsent(storage)) {
      if (!storage.isObject() || storage.size() > MAX_OPTIONS) {
        throw wrong(call, "StorageOpt", "an object of at most " + MAX_OPTIONS + " texts");
      }
      for (Map.Entry<String, JsonNode> option : storage.properties()) {
        if (!option.getValue().isTextual()) {
          throw wrong(call, "StorageOpt", "an object of texts");
        }
        options.put(option.getKey(), option.getValue().textValue());
      }
    }
    return new LayerRequest(
        id, text(call, json, "Parent"), text(call, json, "MountLabel"), options);
  }

  /**
   * @throws DriverException.Malformed if it is not what an engine sends
   */
  static Session session(DriverCall call, byte[] body) {
    JsonNode json = object(call, body);
    String home = text(call, json, "Home");
    if (home == null) {
      throw new DriverException.Malformed(call.word() + ": 'Home' is missing or empty");
    }
    List<String> options = new ArrayList<>();
    for (JsonNode option : array(call, json, "Opts")) {
      if (!option.isTextual()) {
        throw wrong(call, "Opts", "a list of texts");
      }
      options.add(option.textValue());
    }
    return new Session(home, options, ranges(call, json, "UIDMaps"), ranges(call, json, "GIDMaps"));
  }

  private static List<IdRange> ranges(DriverCall call, JsonNode json, String key) {
    List<IdRange> ranges = new ArrayList<>();
    for (JsonNode range : array(call, json, key)) {
      ranges.add(
          new IdRange(
              number(call, range, key, "container_id"),
              number(call, range, key, "host_id"),
              number(call, range, key, "size")));
    }
    return ranges;
  }

  private static long number(DriverCall call, JsonNode range, String key, String name) {
    JsonNode value = range.path(name);
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw wrong(call, key, "a list of ranges, each with '" + name + "' as a number");
    }
    return value.longValue();
  }

  private static JsonNode array(DriverCall call, JsonNode json, String key) {
    JsonNode array = json.path(key);
    if (isAbsent(array)) {
      return MAPPER.createArrayNode();
    }
    if (!array.isArray()) {
      throw wrong(call, key, "a list");
    }
    return array;
  }

  private static @Nullable String text(DriverCall call, JsonNode json, String key) {
    JsonNode value = json.path(key);
    if (isAbsent(value)) {
      return null;
    }
    if (!value.isTextual()) {
      throw wrong(call, key, "a text");
    }
    return value.textValue().isEmpty() ? null : value.textValue();
  }

  private static boolean isAbsent(JsonNode value) {
    return value.isMissingNode() || value.isNull();
  }

  private static DriverException wrong(DriverCall call, String key, String wanted) {
    return new DriverException.Malformed(call.word() + ": '" + key + "' is not " + wanted);
  }

  private static JsonNode object(DriverCall call, byte[] body) {
    if (body.length == 0) {
      throw new DriverException.Malformed(
          call.word()
              + " came without its body: the answer to the first attempt was lost, and the engine"
              + " repeats calls without their content; nothing was done, run the command again");
    }
    try {
      JsonNode json = MAPPER.readTree(body);
      if (json.isObject()) {
        return json;
      }
      throw new DriverException.Malformed(call.word() + ": the body is not a JSON object");
    } catch (JsonProcessingException e) {
      throw new DriverException.Malformed(
          call.word() + ": the body is not valid JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new DriverException.Malformed(call.word() + ": the body cannot be read: " + e);
    }
  }
}
