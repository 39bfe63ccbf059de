package io.lamina.node.graphdriver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/**
 * Keeps the engine's session over restarts of this process: an engine does not repeat it to a
 * process that comes back. Replaced by rename, synced first. One thread at a time.
 */
public final class SessionFile {
  private static final int VERSION = 1;
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private final Path file;

  /** A file in a folder that is there. */
  public SessionFile(Path file) {
    this.file = file;
  }

  /**
   * The last session; empty where no engine has been here.
   *
   * @throws DriverException.Fatal if there is a file and it cannot be read
   */
  public Optional<Session> read() {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new DriverException.Fatal("cannot read the engine's session in " + file + ": " + e, e);
    }
    try {
      JsonNode json = MAPPER.readTree(bytes);
      if (json.path("version").asInt() != VERSION) {
        throw new DriverException.Fatal(
            file
                + " is of version "
                + json.path("version").asText("none")
                + "; this software reads version "
                + VERSION);
      }
      return Optional.of(RequestJson.session(DriverCall.INIT, bytes));
    } catch (IOException | DriverException.Malformed e) {
      throw new DriverException.Fatal(
          file
              + " is damaged ("
              + e.getMessage()
              + "); remove it and restart the engine, which then says again what it holds",
          e);
    }
  }

  /**
   * Durable on return.
   *
   * @throws DriverException.Refused if it cannot be kept
   */
  public void write(Session session) {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("version", VERSION);
    json.put("Home", session.home());
    ArrayNode options = json.putArray("Opts");
    session.options().forEach(options::add);
    ranges(json.putArray("UIDMaps"), session.userIds());
    ranges(json.putArray("GIDMaps"), session.groupIds());
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try {
      try (FileChannel channel =
          FileChannel.open(
              fresh,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        ByteBuffer bytes = ByteBuffer.wrap(MAPPER.writeValueAsBytes(json));
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(true);
      }
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      try (FileChannel folder = FileChannel.open(file.toAbsolutePath().getParent())) {
        folder.force(true);
      }
    } catch (IOException e) {
      throw new DriverException.Refused(
          "cannot keep the engine's session in " + file + ": " + e, e);
    }
  }

  private static void ranges(ArrayNode array, List<IdRange> ranges) {
    for (IdRange range : ranges) {
      array
          .addObject()
          .put("container_id", range.containerId())
          .put("host_id", range.hostId())
          .put("size", range.size());
    }
  }
}
