package io.lamina.layers.overlay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.ImageException;
import io.lamina.image.thin.CvmfsUrl;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerInfo.Kind;
import io.lamina.layers.LayerInfo.State;
import io.lamina.layers.LayersException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads and writes {@code layer.json}. Thread-safe. */
final class LayerRecordJson {
  /** The longest file that is read; a thin layer's list of folders is the most of it. */
  static final int MAX_BYTES = 4 << 20;

  private static final ObjectMapper JSON = new ObjectMapper();

  private LayerRecordJson() {}

  static byte[] write(LayerRecord record) {
    ObjectNode json = JSON.createObjectNode();
    json.put("id", record.id().text());
    LayerId parent = record.parent();
    if (parent != null) {
      json.put("parent", parent.text());
    }
    json.put("kind", word(record.kind()));
    json.put("state", word(record.state()));
    flag(json, "sealed", record.sealed());
    flag(json, "removed", record.removed());
    flag(json, "opaque_root", record.opaqueRoot());
    if (record.isThin()) {
      flag(json, "own_files", record.ownFiles());
      ArrayNode folders = json.putArray("folders");
      record.folders().forEach(folder -> folders.add(folder.toString()));
    }
    if (record.project() != 0) {
      json.put("project", record.project());
    }
    try {
      return JSON.writeValueAsBytes(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void flag(ObjectNode json, String name, boolean value) {
    if (value) {
      json.put(name, true);
    }
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  /**
   * @throws LayersException.Failed if it is not this layer's record
   */
  static LayerRecord read(LayerId id, byte[] bytes) {
    try {
      JsonNode json = JSON.readTree(bytes);
      if (!id.text().equals(json.path("id").asText())) {
        throw broken(id, "it is another layer's", null);
      }
      Kind kind = Kind.valueOf(text(json, "kind"));
      List<CvmfsUrl> folders = new ArrayList<>();
      for (JsonNode folder : json.path("folders")) {
        folders.add(CvmfsUrl.parse(folder.asText()));
      }
      return new LayerRecord(
          id,
          json.has("parent") ? new LayerId(json.path("parent").asText()) : null,
          kind,
          State.valueOf(text(json, "state")),
          json.path("sealed").asBoolean(),
          json.path("removed").asBoolean(),
          json.path("opaque_root").asBoolean(),
          kind == Kind.REGULAR || json.path("own_files").asBoolean(),
          folders,
          json.path("project").asInt(0));
    } catch (IOException
        | IllegalArgumentException
        | ImageException.Rejected
        | LayersException.Rejected e) {
      throw broken(id, String.valueOf(e.getMessage()), e);
    }
  }

  private static String text(JsonNode json, String field) {
    return json.path(field).asText().toUpperCase(Locale.ROOT);
  }

  private static LayersException.Failed broken(LayerId id, String why, @Nullable Throwable cause) {
    return new LayersException.Failed("the record of layer " + id + " is broken: " + why, cause);
  }
}
