package io.lamina.layers.overlay;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.lamina.image.ImageException;
import io.lamina.image.thin.CvmfsUrl;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerInfo.Kind;
import io.lamina.layers.LayerInfo.State;
import io.lamina.layers.LayersException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Reads and writes {@code layer.json}. Token by token: a program that starts reads all of them, and
 * trees of JSON take most of a second to warm up. Thread-safe.
 */
final class LayerRecordJson {
  /** The longest file that is read; a thin layer's list of folders is the most of it. */
  static final int MAX_BYTES = 4 << 20;

  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private LayerRecordJson() {}

  static byte[] write(LayerRecord record) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      json.writeStringField("id", record.id().text());
      LayerId parent = record.parent();
      if (parent != null) {
        json.writeStringField("parent", parent.text());
      }
      json.writeStringField("kind", word(record.kind()));
      json.writeStringField("state", word(record.state()));
      flag(json, "sealed", record.sealed());
      flag(json, "removed", record.removed());
      flag(json, "opaque_root", record.opaqueRoot());
      if (record.isThin()) {
        flag(json, "own_files", record.ownFiles());
        json.writeArrayFieldStart("folders");
        for (CvmfsUrl folder : record.folders()) {
          json.writeString(folder.toString());
        }
        json.writeEndArray();
      }
      if (record.project() != 0) {
        json.writeNumberField("project", record.project());
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static void flag(JsonGenerator json, String name, boolean value) throws IOException {
    if (value) {
      json.writeBooleanField(name, true);
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
      Map<String, String> fields = new HashMap<>();
      List<CvmfsUrl> folders = new ArrayList<>();
      try (JsonParser json = JSON.createParser(bytes)) {
        readFields(json, fields, folders);
      }
      if (!id.text().equals(fields.get("id"))) {
        throw new IOException("it is another layer's");
      }
      Kind kind = Kind.valueOf(upper(fields, "kind"));
      String parent = fields.get("parent");
      return new LayerRecord(
          id,
          parent == null ? null : new LayerId(parent),
          kind,
          State.valueOf(upper(fields, "state")),
          isTrue(fields, "sealed"),
          isTrue(fields, "removed"),
          isTrue(fields, "opaque_root"),
          kind == Kind.REGULAR || isTrue(fields, "own_files"),
          folders,
          Integer.parseInt(fields.getOrDefault("project", "0")));
    } catch (IOException
        | IllegalArgumentException
        | ImageException.Rejected
        | LayersException.Rejected e) {
      throw broken(id, e);
    }
  }

  /** Single values by name, and the one list that there is; what else there is, is passed over. */
  private static void readFields(
      JsonParser json, Map<String, String> fields, List<CvmfsUrl> folders) throws IOException {
    if (json.nextToken() != JsonToken.START_OBJECT) {
      throw new IOException("it is no JSON object");
    }
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      JsonToken value = json.nextToken();
      if (value == JsonToken.START_ARRAY && name.equals("folders")) {
        while (json.nextToken() == JsonToken.VALUE_STRING) {
          folders.add(CvmfsUrl.parse(json.getText()));
        }
        if (json.currentToken() != JsonToken.END_ARRAY) {
          throw new IOException("its folders are no list of texts");
        }
      } else if (value.isScalarValue()) {
        fields.put(name, json.getText());
      } else {
        json.skipChildren();
      }
    }
    if (json.currentToken() != JsonToken.END_OBJECT || json.nextToken() != null) {
      throw new IOException("it is more or less than one JSON object");
    }
  }

  private static String upper(Map<String, String> fields, String name) {
    return fields.getOrDefault(name, "").toUpperCase(Locale.ROOT);
  }

  private static boolean isTrue(Map<String, String> fields, String name) {
    return "true".equals(fields.get(name));
  }

  private static LayersException.Failed broken(LayerId id, Exception cause) {
    return new LayersException.Failed(
        "the record of layer " + id + " is broken: " + cause.getMessage(), cause);
  }
}
