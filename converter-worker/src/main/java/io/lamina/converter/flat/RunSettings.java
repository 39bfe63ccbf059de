package io.lamina.converter.flat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lamina.image.ImageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What an image's config says about running it. Immutable.
 *
 * @param environment {@code NAME=value}, in the config's order
 */
record RunSettings(
    List<String> entrypoint,
    List<String> command,
    List<String> environment,
    SortedMap<String, String> labels) {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int MAX_BYTES = 16 << 20;

  RunSettings {
    entrypoint = List.copyOf(entrypoint);
    command = List.copyOf(command);
    environment = List.copyOf(environment);
    labels = Collections.unmodifiableSortedMap(new TreeMap<>(labels));
  }

  /**
   * Reads an image config; what is absent is empty.
   *
   * @throws ImageException.Rejected if this is no image config
   */
  static RunSettings of(byte[] config) {
    if (config.length > MAX_BYTES) {
      throw new ImageException.Rejected(
          "an image config of " + config.length + " bytes; the limit is " + MAX_BYTES);
    }
    JsonNode root;
    try {
      root = JSON.readTree(config);
    } catch (JsonProcessingException e) {
      throw new ImageException.Rejected(
          "the image config is not JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new ImageException.Rejected("the image config is not JSON: " + e.getMessage(), e);
    }
    if (root == null || !root.isObject()) {
      throw new ImageException.Rejected("the image config is not a JSON object");
    }
    JsonNode settings = root.path("config");
    SortedMap<String, String> labels = new TreeMap<>();
    settings
        .path("Labels")
        .properties()
        .forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
    return new RunSettings(
        words(settings, "Entrypoint"), words(settings, "Cmd"), words(settings, "Env"), labels);
  }

  private static List<String> words(JsonNode settings, String field) {
    JsonNode node = settings.path(field);
    if (node.isMissingNode() || node.isNull()) {
      return List.of();
    }
    // Very old configs have a single string.
    if (node.isTextual()) {
      return List.of(word(node, field));
    }
    if (!node.isArray()) {
      throw new ImageException.Rejected(
          "'" + field + "' of the image config is not a list of texts");
    }
    List<String> words = new ArrayList<>();
    for (JsonNode word : node) {
      words.add(word(word, field));
    }
    return words;
  }

  private static String word(JsonNode word, String field) {
    if (!word.isTextual() || word.textValue().indexOf('\0') >= 0) {
      throw new ImageException.Rejected(
          "'" + field + "' of the image config holds something that is not a text without NUL");
    }
    return word.textValue();
  }
}
