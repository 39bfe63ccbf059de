package io.lamina.image;

import java.io.InputStream;

/** A place that holds one image under a reference. Thread-safe; close when done. */
public interface ImageSource extends AutoCloseable {
  /**
   * Fetches and verifies manifest and config for a platform.
   *
   * @throws ImageException.NotFound if there is no such image or platform; the message names those
   *     that are there
   */
  ResolvedImage resolve(Platform platform);

  /**
   * The blob's raw bytes, resumed after a broken connection. The stream ends with {@link
   * ImageException.Corrupt} (as the cause of an {@link java.io.IOException}) if size or digest
   * differ from the descriptor; until its end has been read nothing is verified.
   */
  InputStream openBlob(Descriptor blob);

  @Override
  void close();
}
