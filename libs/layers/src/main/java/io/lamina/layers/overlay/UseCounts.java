package io.lamina.layers.overlay;

import io.lamina.layers.LayerId;
import io.lamina.layers.LayersException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How often each mounted layer is used, for the process that comes after this one. Forgotten when
 * the machine starts, as mounts are. Thread-safe for different layers.
 */
final class UseCounts {
  private static final Logger log = LoggerFactory.getLogger(UseCounts.class);
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
  private static final int MAX_DIGITS = 9;

  private final Path folder;

  /**
   * @param runtime made if absent
   */
  UseCounts(Path runtime) {
    try {
      String boot = Files.readString(BOOT_ID).strip();
      Path uses = Files.createDirectories(runtime.resolve("uses"));
      folder = Files.createDirectories(uses.resolve(boot));
      forgetEarlierBoots(uses);
    } catch (IOException e) {
      throw new LayersException.Failed("the folder " + runtime + " cannot be used: " + e, e);
    }
  }

  private void forgetEarlierBoots(Path uses) throws IOException {
    try (Stream<Path> boots = Files.list(uses)) {
      for (Path boot : boots.filter(found -> !found.equals(folder)).toList()) {
        try (Stream<Path> counts = Files.list(boot)) {
          for (Path count : counts.toList()) {
            Files.deleteIfExists(count);
          }
        }
        Files.deleteIfExists(boot);
      }
    }
  }

  /** All that was kept and makes sense. */
  Map<LayerId, Integer> readAll() {
    Map<LayerId, Integer> counts = new HashMap<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        if (!name.startsWith(".") && text.length() <= MAX_DIGITS && text.matches("[0-9]+")) {
          counts.put(new LayerId(name), Integer.parseInt(text));
        }
      }
    } catch (IOException | DirectoryIteratorException | LayersException.Rejected e) {
      log.atWarn()
          .addKeyValue("folder", folder)
          .addKeyValue("reason", e.getMessage())
          .log("the uses of layers were not kept; those mounted count as used once");
    }
    return counts;
  }

  void write(LayerId id, int uses) {
    try {
      if (uses == 0) {
        Files.deleteIfExists(folder.resolve(id.text()));
        return;
      }
      Path fresh = folder.resolve("." + id.text());
      Files.writeString(fresh, Integer.toString(uses));
      Files.move(fresh, folder.resolve(id.text()), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new LayersException.Failed("the uses of layer " + id + " cannot be kept: " + e, e);
    }
  }
}
