package io.lamina.image.source;

import io.lamina.image.ImageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * Which folders the local transports may read. A process that takes requests from the network must
 * not be led to any file of its host. Immutable.
 *
 * @param roots absolute; none switches the local transports off
 */
public record LocalAccess(List<Path> roots) {
  /** No local transport at all. */
  public static final LocalAccess NONE = new LocalAccess(List.of());

  /** Every file that the process can read; for commands that a person runs. */
  public static final LocalAccess EVERYWHERE = new LocalAccess(List.of(Path.of("/")));

  public LocalAccess {
    roots = List.copyOf(roots);
    for (Path root : roots) {
      if (!root.isAbsolute()) {
        throw new IllegalArgumentException("not an absolute folder: " + root);
      }
    }
  }

  /**
   * The place itself, all links resolved.
   *
   * @throws ImageException.Rejected if it lies in no root, whether it exists or not
   * @throws ImageException.NotFound if it lies in one and does not exist
   */
  Path check(Path path) {
    if (roots.isEmpty()) {
      throw new ImageException.Rejected(
          "this process reads no local images; push "
              + path
              + " to a registry, or allow its folder in the settings");
    }
    Path asked = path.toAbsolutePath().normalize();
    if (roots.stream().noneMatch(root -> asked.startsWith(root.normalize()))) {
      throw outside(path);
    }
    try {
      Path real = path.toRealPath();
      for (Path root : roots) {
        if (Files.exists(root) && real.startsWith(root.toRealPath())) {
          return real;
        }
      }
      throw outside(path);
    } catch (NoSuchFileException e) {
      throw new ImageException.NotFound("there is nothing at " + path);
    } catch (IOException e) {
      throw new ImageException.Rejected("cannot read " + path, e);
    }
  }

  private ImageException.Rejected outside(Path path) {
    return new ImageException.Rejected(
        "this process may not read images from " + path + "; allowed are only: " + roots);
  }
}
