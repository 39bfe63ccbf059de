package io.lamina.journal.replay;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.storage.Content;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A verified object's stored bytes until they are stored again. Immutable; close it. */
final class HeldObject implements AutoCloseable {
  private final Content content;
  private final Optional<Path> file;

  private HeldObject(Content content, Optional<Path> file) {
    this.content = content;
    this.file = file;
  }

  static HeldObject of(byte[] bytes) {
    return new HeldObject(Content.of(bytes), Optional.empty());
  }

  /** Takes the file over. */
  static HeldObject of(Path file) throws IOException {
    return new HeldObject(Content.of(file), Optional.of(file));
  }

  Content content() {
    return content;
  }

  /** These bytes whatever file is asked for, to those who read from repositories. */
  RepositoryFiles asFiles() {
    return new RepositoryFiles() {
      @Override
      public InputStream open(String path) {
        try {
          return content.open();
        } catch (IOException e) {
          throw new CvmfsException.Retryable("cannot read a scratch file", e);
        }
      }

      @Override
      public boolean exists(String path) {
        return true;
      }

      @Override
      public String toString() {
        return "scratch";
      }
    };
  }

  @Override
  public void close() {
    if (file.isPresent()) {
      try {
        Files.deleteIfExists(file.get());
      } catch (IOException e) {
        throw new CvmfsException.Retryable("cannot remove the scratch file " + file.get(), e);
      }
    }
  }
}
