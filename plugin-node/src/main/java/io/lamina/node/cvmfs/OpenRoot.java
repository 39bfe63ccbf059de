package io.lamina.node.cvmfs;

import io.lamina.layers.LayersException;
import io.lamina.linux.Directory;
import io.lamina.linux.LinuxException;
import io.lamina.linux.MountPoint;
import io.lamina.linux.MountTable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The root of a mounted repository, held open: an automounter does not take it away meanwhile, and
 * another mount at the same path is not taken for this one. Thread-safe; methods may hang.
 */
final class OpenRoot implements AutoCloseable {
  private static final String NAME = "user.fqrn";
  private static final String REVISION = "user.revision";

  private final String repository;
  private final Path path;
  private final Directory directory;

  private OpenRoot(String repository, Path path, Directory directory) {
    this.repository = repository;
    this.path = path;
    this.directory = directory;
  }

  /**
   * @throws LayersException.Unavailable if this repository is not mounted there
   */
  static OpenRoot open(String repository, Path path) {
    Directory directory;
    try {
      // What lies below an automounter's point makes it mount; the point itself does not.
      directory = Directory.open(path.resolve("."));
    } catch (LinuxException e) {
      throw unavailable(repository, path, e.getMessage(), e);
    }
    try {
      Optional<MountPoint> mount = MountTable.read().at(path);
      if (mount.isEmpty() || !mount.get().type().startsWith("fuse")) {
        throw unavailable(
            repository,
            path,
            mount
                .map(there -> "a file system of type " + there.type() + " is mounted there")
                .orElse("nothing is mounted there"),
            null);
      }
      String name = text(directory, NAME).orElse("none");
      if (!name.equals(repository)) {
        throw unavailable(repository, path, "what is mounted there says its name is " + name, null);
      }
      return new OpenRoot(repository, path, directory);
    } catch (LinuxException e) {
      directory.close();
      throw unavailable(repository, path, e.getMessage(), e);
    } catch (RuntimeException e) {
      directory.close();
      throw e;
    }
  }

  Path path() {
    return path;
  }

  /**
   * Asks the file system.
   *
   * @throws LayersException.Unavailable if nobody serves it any more
   */
  long revision() {
    try {
      directory.status();
      String text = text(directory, REVISION).orElse("");
      return Long.parseLong(text);
    } catch (LinuxException e) {
      throw unavailable(repository, path, e.getMessage(), e);
    } catch (NumberFormatException e) {
      throw unavailable(repository, path, "its revision is not a number", e);
    }
  }

  private static Optional<String> text(Directory directory, String attribute) {
    return directory
        .xattr(attribute)
        .map(value -> new String(value, StandardCharsets.UTF_8).replace("\0", "").strip());
  }

  private static LayersException.Unavailable unavailable(
      String repository, Path path, @Nullable String reason, @Nullable Throwable e) {
    return new LayersException.Unavailable(
        "repository " + repository + " cannot be used at " + path + ": " + reason, e);
  }

  @Override
  public void close() {
    directory.close();
  }
}
