package io.lamina.node.graphdriver;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.vertx.core.buffer.Buffer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Writes the answers. A success has a body too: the engine refuses an empty one. Stateless. */
final class AnswerJson {
  private static final JsonFactory JSON = new JsonFactory();
  private static final int MAX_MESSAGE_CHARS = 4096;

  private AnswerJson() {}

  /** What a call does to the object that is its answer. */
  interface Fields {
    void write(JsonGenerator json) throws IOException;
  }

  static Buffer object(Fields fields) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    try {
      writeObject(bytes, fields);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail
    }
    return Buffer.buffer(bytes.toByteArray());
  }

  static Buffer done() {
    return object(_ -> {});
  }

  static Buffer activation() {
    return object(
        json -> {
          json.writeArrayFieldStart("Implements");
          json.writeString("GraphDriver");
          json.writeEndArray();
        });
  }

  /** Archives are not the same bytes again: the engine keeps what it needs to rebuild them. */
  static Buffer capabilities() {
    return object(
        json -> {
          json.writeObjectFieldStart("Capabilities");
          json.writeBooleanField("ReproducesExactDiffs", false);
          json.writeEndObject();
        });
  }

  static Buffer error(String message) {
    String shown =
        message.length() > MAX_MESSAGE_CHARS ? message.substring(0, MAX_MESSAGE_CHARS) : message;
    return object(json -> json.writeStringField("Err", shown));
  }

  static Buffer folder(String folder) {
    return object(json -> json.writeStringField("Dir", folder));
  }

  static Buffer exists(boolean exists) {
    return object(json -> json.writeBooleanField("Exists", exists));
  }

  static Buffer size(long bytes) {
    return object(json -> json.writeNumberField("Size", bytes));
  }

  static Buffer status(List<GraphDriver.StatusLine> lines) {
    return object(
        json -> {
          json.writeArrayFieldStart("Status");
          for (GraphDriver.StatusLine line : lines) {
            json.writeStartArray();
            json.writeString(line.name());
            json.writeString(line.value());
            json.writeEndArray();
          }
          json.writeEndArray();
        });
  }

  static Buffer metadata(Map<String, String> metadata) {
    return object(
        json -> {
          json.writeObjectFieldStart("Metadata");
          for (Map.Entry<String, String> entry : metadata.entrySet()) {
            json.writeStringField(entry.getKey(), entry.getValue());
          }
          json.writeEndObject();
        });
  }

  /**
   * Written as they come.
   *
   * @param source hands each change to what it is given
   */
  static void changes(OutputStream out, Consumer<Consumer<GraphDriver.Change>> source)
      throws IOException {
    writeObject(
        out,
        json -> {
          json.writeArrayFieldStart("Changes");
          try {
            source.accept(
                change -> {
                  try {
                    json.writeStartObject();
                    json.writeStringField("Path", change.path());
                    json.writeNumberField("Kind", change.kind().ordinal());
                    json.writeEndObject();
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                });
          } catch (UncheckedIOException e) {
            throw e.getCause();
          }
          json.writeEndArray();
        });
  }

  private static void writeObject(OutputStream out, Fields fields) throws IOException {
    JsonGenerator json = JSON.createGenerator(out, JsonEncoding.UTF8);
    json.disable(JsonGenerator.Feature.AUTO_CLOSE_JSON_CONTENT);
    json.writeStartObject();
    fields.write(json);
    json.writeEndObject();
    json.flush();
  }
}
