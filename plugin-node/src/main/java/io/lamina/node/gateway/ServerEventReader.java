package io.lamina.node.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Reads a stream of server-sent events. What is malformed is passed over; lines and events that are
 * too long end the stream. One thread. Source: docs/api.md, "Live events".
 */
final class ServerEventReader {
  private static final int MAX_LINE_BYTES = 256 << 10;
  private static final int MAX_DATA_CHARS = 1 << 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final InputStream in;
  private final Runnable alive;

  /**
   * @param alive called for each line
   */
  ServerEventReader(InputStream in, Runnable alive) {
    this.in = new BufferedInputStream(in, 8 << 10);
    this.alive = alive;
  }

  /** The next event; empty at the end of the stream. */
  Optional<ServerEvent> next() throws IOException {
    String kind = "message";
    String id = "";
    StringBuilder data = new StringBuilder();
    for (Optional<String> line = line(); line.isPresent(); line = line()) {
      String text = line.get();
      alive.run();
      if (text.isEmpty()) {
        Optional<JsonNode> object = object(data);
        if (object.isPresent()) {
          return Optional.of(new ServerEvent(kind, id, object.get()));
        }
        kind = "message";
        data.setLength(0);
        continue;
      }
      int colon = text.indexOf(':');
      String field = colon < 0 ? text : text.substring(0, colon);
      String value = colon < 0 ? "" : text.substring(colon + 1);
      value = value.startsWith(" ") ? value.substring(1) : value;
      switch (field) {
        case "event" -> kind = value;
        case "id" -> id = value;
        case "data" -> {
          if (data.length() + value.length() > MAX_DATA_CHARS) {
            throw new IOException("an event has more than " + MAX_DATA_CHARS + " characters");
          }
          data.append(data.isEmpty() ? "" : "\n").append(value);
        }
        default -> {
          // comments are heartbeats; other fields are of no interest
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<JsonNode> object(StringBuilder data) {
    if (data.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.ofNullable(JSON.readTree(data.toString())).filter(JsonNode::isObject);
    } catch (JsonProcessingException e) {
      return Optional.empty(); // no event of ours
    }
  }

  private Optional<String> line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b >= 0; b = in.read()) {
      if (b == '\n') {
        String text = line.toString(StandardCharsets.UTF_8);
        return Optional.of(text.endsWith("\r") ? text.substring(0, text.length() - 1) : text);
      }
      if (line.size() >= MAX_LINE_BYTES) {
        throw new IOException("a line has more than " + MAX_LINE_BYTES + " bytes");
      }
      line.write(b);
    }
    return Optional.empty();
  }
}
