package io.lamina.image;

/** Opens the source that a reference names. Thread-safe. */
public interface ImageSources {
  /**
   * @throws ImageException.Rejected if this process may not read from there
   * @throws ImageException.NotFound if the folder or archive does not exist
   */
  ImageSource open(ImageReference reference);
}
