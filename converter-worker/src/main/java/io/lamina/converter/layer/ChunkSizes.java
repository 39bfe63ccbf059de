package io.lamina.converter.layer;

/**
 * Where large files are cut.
 *
 * <p>Source: docs/conversion.md, "Chunks". Immutable.
 *
 * @param minBytes no chunk but a file's last one is shorter; files up to this length stay whole
 * @param averageBytes decides how rare cut marks are
 * @param maxBytes no chunk is longer
 */
public record ChunkSizes(int minBytes, int averageBytes, int maxBytes) {
  /** The sizes of the original publisher: equal files are cut alike. */
  public static final ChunkSizes DEFAULT = new ChunkSizes(4 << 20, 8 << 20, 16 << 20);

  public ChunkSizes {
    if (minBytes < ContentCutter.WINDOW_BYTES
        || averageBytes <= minBytes
        || maxBytes <= averageBytes
        || maxBytes > 64 << 20) {
      throw new IllegalArgumentException(
          "chunk sizes must grow from at least "
              + ContentCutter.WINDOW_BYTES
              + " to at most 64 MiB: "
              + minBytes
              + ", "
              + averageBytes
              + ", "
              + maxBytes);
    }
  }
}
