package io.lamina.image;

import java.io.InputStream;
import java.util.Optional;

/** A place that holds one image under a reference. Thread-safe; close when done. */
public interface ImageSource extends AutoCloseable {
  /**
   * The digest of the manifest or index that the reference names now, where that is cheaper to ask
   * than to {@link #resolve} (a registry's HEAD); empty where it is not, or there is none.
   */
  default Optional<Digest> currentDigest() {
    return Optional.empty();
  }

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
