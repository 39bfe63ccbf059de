package io.lamina.storage;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Bytes to be stored: their exact length, and a way to read them as often as a retry needs. */
public interface Content {
  long sizeBytes();

  /** A fresh stream from the first byte; the caller closes it. */
  InputStream open() throws IOException;

  /** A range of an array, which must not change until it is stored. */
  static Content of(byte[] array, int offset, int length) {
    return new Bytes(array, offset, length);
  }

  static Content of(byte[] array) {
    return of(array, 0, array.length);
  }

  /** A file, which must not change until it is stored. */
  static Content of(Path file) throws IOException {
    return new File(file, Files.size(file));
  }

  /** A whole file; stores may send it directly. */
  record File(Path path, long sizeBytes) implements Content {
    @Override
    public InputStream open() throws IOException {
      return Files.newInputStream(path);
    }
  }

  /** A range of an array; stores may use it directly instead of copying a stream. */
  record Bytes(byte[] array, int offset, int length) implements Content {
    @Override
    public long sizeBytes() {
      return length;
    }

    @Override
    public InputStream open() {
      return new ByteArrayInputStream(array, offset, length);
    }
  }
}
