package io.lamina.standalone.bench;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/**
 * A folder for what a benchmark writes. It is removed at the end, and also when the process is
 * interrupted. One thread.
 */
public final class WorkFolder implements AutoCloseable {
  private final Path path;
  private final Thread atExit;

  private WorkFolder(Path path) {
    this.path = path;
    this.atExit = new Thread(this::removeQuietly, "remove-work-folder");
  }

  /**
   * Makes a new folder.
   *
   * @param parent made if it is missing, and kept
   */
  public static WorkFolder in(Path parent) throws IOException {
    Files.createDirectories(parent);
    WorkFolder folder =
        new WorkFolder(Files.createTempDirectory(parent.toRealPath(), "lamina-bench-"));
    Runtime.getRuntime().addShutdownHook(folder.atExit);
    return folder;
  }

  public Path path() {
    return path;
  }

  /** Removes a file, or a folder with all that is in it, if it is there. */
  static void remove(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw e;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e)
              throws IOException {
            if (e != null) {
              throw e;
            }
            Files.deleteIfExists(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** Others may still write: under another name the folder is out of their reach. */
  private void removeQuietly() {
    Path aside = path.resolveSibling(path.getFileName() + "-removed");
    try {
      Files.move(path, aside);
      remove(aside);
      remove(path);
    } catch (NoSuchFileException e) {
      // Removed already.
    } catch (IOException e) {
      System.err.println("lamina: could not remove " + path + ": " + e);
    }
  }

  @Override
  public void close() throws IOException {
    remove(path);
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      // The process ends already; the hook finds nothing left.
    }
  }
}
