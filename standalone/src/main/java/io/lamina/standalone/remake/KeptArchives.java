package io.lamina.standalone.remake;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.journal.JournalException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Folders in which somebody kept layer archives, under their digests: OCI image layouts, upload
 * areas, or plain folders of {@code HEX}, {@code HEX.tar}, {@code HEX.tar.gz}, {@code HEX.tgz},
 * {@code HEX.tar.zst}. Immutable.
 *
 * <p>Source: docs/replay.md, "Layer archives".
 */
record KeptArchives(List<Path> folders) {
  private static final List<String> SUFFIXES = List.of("", ".tar", ".tar.gz", ".tgz", ".tar.zst");

  /**
   * @throws JournalException.NotFound if one is no folder
   */
  KeptArchives {
    folders = List.copyOf(folders);
    for (Path folder : folders) {
      if (!Files.isDirectory(folder)) {
        throw new JournalException.NotFound("there is no folder of layer archives " + folder);
      }
    }
  }

  /** All files that may be this blob; nothing of them is verified. */
  List<Path> find(Digest blob) {
    List<Path> found = new ArrayList<>();
    for (Path folder : folders) {
      add(folder.resolve("blobs").resolve("sha256").resolve(blob.hex()), found);
      add(folder.resolve("uploads").resolve(blob.hex().substring(0, 2)).resolve(blob.hex()), found);
      SUFFIXES.forEach(suffix -> add(folder.resolve(blob.hex() + suffix), found));
    }
    return found;
  }

  /** A manifest or config that somebody kept, verified. */
  Optional<byte[]> document(Digest name, int maxBytes) {
    for (Path file : find(name)) {
      try (InputStream in = Files.newInputStream(file)) {
        byte[] bytes = in.readNBytes(maxBytes + 1);
        if (bytes.length <= maxBytes && Digest.sha256(bytes).equals(name)) {
          return Optional.of(bytes);
        }
      } catch (IOException e) {
        throw new JournalException.Retryable("cannot read " + file + ": " + e.getMessage(), e);
      }
    }
    return Optional.empty();
  }

  private static void add(Path file, List<Path> found) {
    if (Files.isRegularFile(file)) {
      found.add(file);
    }
  }

  /** Under which names the image of this public name may be found in those that are layouts. */
  List<ImageReference> images(String publicName) {
    List<ImageReference> references = new ArrayList<>();
    String tag = publicName.substring(publicName.lastIndexOf(':') + 1);
    for (Path folder : folders) {
      if (Files.isRegularFile(folder.resolve("oci-layout"))) {
        Path absolute = folder.toAbsolutePath().normalize();
        for (Optional<String> ref :
            List.of(Optional.of(publicName), Optional.of(tag), Optional.<String>empty())) {
          try {
            references.add(new ImageReference.OciLayout(absolute, ref));
          } catch (ImageException.Rejected e) {
            // No layout has an image of such a name.
          }
        }
      }
    }
    return references;
  }
}
