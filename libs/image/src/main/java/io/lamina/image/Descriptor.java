package io.lamina.image;

/**
 * Names a blob as a manifest does. Immutable.
 *
 * @param sizeBytes exact length of the blob, 0 or more
 */
public record Descriptor(String mediaType, Digest digest, long sizeBytes) {
  public Descriptor {
    if (sizeBytes < 0) {
      throw new ImageException.Rejected("negative size " + sizeBytes + " for blob " + digest);
    }
  }
}
