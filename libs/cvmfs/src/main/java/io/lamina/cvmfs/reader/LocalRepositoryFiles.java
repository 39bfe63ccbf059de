package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.CvmfsException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.function.Consumer;

/** A repository in a local folder. Thread-safe. */
public final class LocalRepositoryFiles implements ListableRepositoryFiles {
  private final Path root;

  /**
   * @throws CvmfsException.NotFound if there is no such folder
   */
  public LocalRepositoryFiles(Path root) {
    this.root = root.toAbsolutePath().normalize();
    if (!Files.isDirectory(root)) {
      throw new CvmfsException.NotFound("there is no repository folder " + root);
    }
  }

  @Override
  public InputStream open(String path) {
    try {
      return Files.newInputStream(resolve(path));
    } catch (NoSuchFileException e) {
      throw new CvmfsException.NotFound("no file " + path + " in " + root);
    } catch (IOException e) {
      throw new CvmfsException.Retryable("cannot open " + path + " in " + root, e);
    }
  }

  @Override
  public boolean exists(String path) {
    return Files.exists(resolve(path));
  }

  @Override
  public void list(Consumer<Listed> sink) {
    try {
      Files.walkFileTree(root, new Lister(sink));
    } catch (IOException e) {
      throw new CvmfsException.Retryable("cannot list the repository folder " + root, e);
    }
  }

  @Override
  public String toString() {
    return root.toString();
  }

  private Path resolve(String path) {
    Path resolved = root.resolve(path).normalize();
    if (!resolved.startsWith(root) || resolved.equals(root)) {
      throw new CvmfsException.Rejected("not a file of a repository: '" + path + "'");
    }
    return resolved;
  }

  private final class Lister extends SimpleFileVisitor<Path> {
    private final Consumer<Listed> sink;

    Lister(Consumer<Listed> sink) {
      this.sink = sink;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
      if (!folder.equals(root)) {
        tell(folder, Kind.FOLDER);
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
      tell(file, attributes.isRegularFile() ? Kind.FILE : Kind.OTHER);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
      if (e instanceof NoSuchFileException) {
        return FileVisitResult.CONTINUE; // gone between listing and looking
      }
      throw e;
    }

    private void tell(Path path, Kind kind) {
      sink.accept(new Listed(root.relativize(path).toString(), kind));
    }
  }
}
