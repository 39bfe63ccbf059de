package io.lamina.node.events;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Remembers how far a topic was read. Losing it costs nothing but that news from meanwhile are not
 * heard one by one, so it is neither synced nor is a failure more than a warning. One thread.
 */
final class PositionsFile {
  private static final Logger LOG = LoggerFactory.getLogger(PositionsFile.class);
  private static final int VERSION = 1;
  private static final int MAX_BYTES = 64 << 10;
  private static final int MAX_PARTITIONS = 1000;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final String brokers;

  /**
   * @param brokers positions of other ones mean nothing
   */
  PositionsFile(Path file, String brokers) {
    this.file = file;
    this.brokers = brokers;
  }

  /** Empty if there are none that can be used. */
  Map<Integer, Long> read() {
    Map<Integer, Long> positions = new TreeMap<>();
    if (!Files.exists(file)) {
      return positions;
    }
    try (InputStream in = Files.newInputStream(file)) {
      JsonNode json = JSON.readTree(in.readNBytes(MAX_BYTES));
      if (json == null
          || json.path("version").asInt() != VERSION
          || !json.path("brokers").asText().equals(brokers)
          || json.path("positions").size() > MAX_PARTITIONS) {
        return positions;
      }
      for (Map.Entry<String, JsonNode> entry : json.path("positions").properties()) {
        if (entry.getValue().isIntegralNumber() && entry.getValue().longValue() >= 0) {
          positions.put(Integer.parseInt(entry.getKey()), entry.getValue().longValue());
        }
      }
    } catch (IOException | NumberFormatException e) {
      LOG.atWarn()
          .addKeyValue("file", file)
          .addKeyValue("cause", e.toString())
          .log("positions cannot be read; going on from the end");
      positions.clear();
    }
    return positions;
  }

  void write(Map<Integer, Long> positions) {
    ObjectNode json = JSON.createObjectNode().put("version", VERSION).put("brokers", brokers);
    ObjectNode numbers = json.putObject("positions");
    new TreeMap<>(positions)
        .forEach((partition, position) -> numbers.put(Integer.toString(partition), position));
    try {
      Path next = file.resolveSibling(file.getFileName() + ".next");
      Files.write(next, JSON.writeValueAsBytes(json));
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      LOG.atWarn()
          .addKeyValue("file", file)
          .addKeyValue("cause", e.toString())
          .log("positions cannot be remembered");
    }
  }
}
