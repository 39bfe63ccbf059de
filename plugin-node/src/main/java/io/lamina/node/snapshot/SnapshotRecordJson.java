package io.lamina.node.snapshot;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.lamina.image.ImageException;
import io.lamina.image.thin.CvmfsUrl;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerUsage;
import io.lamina.layers.LayersException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Reads and writes a snapshot's record, token by token as all are read when the program starts.
 * Stateless. Source: docs/snapshotter.md, "On the disk".
 */
final class SnapshotRecordJson {
  static final int MAX_BYTES = 32 << 20;

  private static final int VERSION = 1;
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private SnapshotRecordJson() {}

  static byte[] write(SnapshotRecord record) {
    SnapshotInfo info = record.info();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      json.writeNumberField("version", VERSION);
      json.writeStringField("layer", record.layer().text());
      json.writeStringField("name", info.name());
      if (!info.parent().isEmpty()) {
        json.writeStringField("parent", info.parent());
      }
      json.writeStringField("kind", info.kind().name().toLowerCase(Locale.ROOT));
      json.writeStringField("created", info.created().toString());
      json.writeStringField("updated", info.updated().toString());
      json.writeNumberField("size", record.usage().sizeBytes());
      json.writeNumberField("inodes", record.usage().inodes());
      if (record.remote().isPresent()) {
        json.writeStringField("remote", record.remote().get().toString());
      }
      json.writeObjectFieldStart("labels");
      for (Map.Entry<String, String> label : info.labels().entrySet()) {
        json.writeStringField(label.getKey(), label.getValue());
      }
      json.writeEndObject();
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /**
   * @throws IOException if it is not this layer's record, or of another version
   */
  static SnapshotRecord read(LayerId layer, byte[] bytes) throws IOException {
    Map<String, String> fields = new HashMap<>();
    SortedMap<String, String> labels = new TreeMap<>();
    try (JsonParser json = JSON.createParser(bytes)) {
      readFields(json, fields, labels);
    }
    if (!Integer.toString(VERSION).equals(fields.get("version"))) {
      throw new IOException("its version is " + fields.get("version") + ", not " + VERSION);
    }
    if (!layer.text().equals(fields.get("layer"))) {
      throw new IOException("it is another layer's");
    }
    try {
      return new SnapshotRecord(
          layer,
          new SnapshotInfo(
              needed(fields, "name"),
              fields.getOrDefault("parent", ""),
              SnapshotInfo.Kind.valueOf(needed(fields, "kind").toUpperCase(Locale.ROOT)),
              labels,
              Instant.parse(needed(fields, "created")),
              Instant.parse(needed(fields, "updated"))),
          new LayerUsage(
              Long.parseLong(needed(fields, "size")), Long.parseLong(needed(fields, "inodes"))),
          Optional.ofNullable(fields.get("remote")).map(CvmfsUrl::parse));
    } catch (IllegalArgumentException
        | DateTimeException
        | ImageException.Rejected
        | LayersException.Rejected e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private static String needed(Map<String, String> fields, String name) throws IOException {
    String value = fields.get(name);
    if (value == null || value.isEmpty()) {
      throw new IOException("it has no '" + name + "'");
    }
    return value;
  }

  private static void readFields(
      JsonParser json, Map<String, String> fields, SortedMap<String, String> labels)
      throws IOException {
    if (json.nextToken() != JsonToken.START_OBJECT) {
      throw new IOException("it is no JSON object");
    }
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      JsonToken value = json.nextToken();
      if (value == JsonToken.START_OBJECT && name.equals("labels")) {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
          String label = json.currentName();
          if (json.nextToken() != JsonToken.VALUE_STRING) {
            throw new IOException("its label '" + label + "' is no text");
          }
          labels.put(label, json.getText());
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
}
