package io.lamina.layers.overlay;

import io.lamina.layers.LayerId;
import io.lamina.layers.LayersException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How often each mounted layer is used, for the process that comes after this one. Forgotten when
 * the machine starts, as mounts are. Thread-safe for different layers.
 */
final class UseCounts {
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

  /** Empty if nothing was kept, or nothing that makes sense. */
  Optional<Integer> read(LayerId id) {
    try {
      String text = Files.readString(folder.resolve(id.text()), StandardCharsets.ISO_8859_1);
      return text.length() <= MAX_DIGITS && text.matches("[0-9]+")
          ? Optional.of(Integer.parseInt(text))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
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
