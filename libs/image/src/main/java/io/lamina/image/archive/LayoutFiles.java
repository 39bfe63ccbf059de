package io.lamina.image.archive;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** The files of a layout by relative path, wherever they lie. Thread-safe. */
interface LayoutFiles extends AutoCloseable {
  /** One regular file. */
  interface Entry {
    long sizeBytes();

    InputStream open() throws IOException;
  }

  /**
   * @param path with slashes, relative, without {@code .} and {@code ..}
   * @return nothing if there is no such regular file inside
   */
  Optional<Entry> find(String path);

  /** For messages. */
  String where();

  @Override
  void close();
}
