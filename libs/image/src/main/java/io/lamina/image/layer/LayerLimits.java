package io.lamina.image.layer;

import io.lamina.image.ImageException;

/**
 * How much a layer may ask of the machine; what goes beyond ends as {@link
 * ImageException.Rejected}.
 *
 * <p>Source: docs/conversion.md, "Limits". Immutable.
 *
 * @param maxEntries headers in the archive, skipped ones included
 * @param maxPathBytes an entry's path, without leading slash
 * @param maxDepth components of a path
 * @param maxLinkBytes a symbolic link's target
 * @param maxXattrs extended attributes of one entry
 * @param maxXattrBytes names and values of the extended attributes of one entry
 * @param maxHeaderBytes one PAX or GNU extension header
 * @param maxSparseSegments data segments of one sparse file
 * @param maxFileBytes one file, holes included
 * @param maxUnpackedBytes the archive, plus the holes of its sparse files
 * @param maxRatio unpacked bytes for each compressed byte, once there are more than {@code
 *     ratioFloorBytes}
 * @param ratioFloorBytes unpacked bytes that any layer may have
 */
public record LayerLimits(
    int maxEntries,
    int maxPathBytes,
    int maxDepth,
    int maxLinkBytes,
    int maxXattrs,
    int maxXattrBytes,
    int maxHeaderBytes,
    int maxSparseSegments,
    long maxFileBytes,
    long maxUnpackedBytes,
    int maxRatio,
    long ratioFloorBytes) {
  /** Room for every image seen in practice, and bounded in all directions. */
  public static final LayerLimits DEFAULT =
      new LayerLimits(
          1_000_000,
          4000,
          256,
          4095,
          255,
          1 << 20,
          2 << 20,
          65_536,
          128L << 30,
          256L << 30,
          200,
          1L << 30);

  public LayerLimits {
    if (maxEntries < 1
        || maxPathBytes < 1
        || maxPathBytes > 4000
        || maxDepth < 1
        || maxLinkBytes < 1
        || maxXattrs < 0
        || maxXattrBytes < 0
        || maxHeaderBytes < 512
        || maxHeaderBytes > 1 << 26
        || maxSparseSegments < 1
        || maxFileBytes < 0
        || maxUnpackedBytes < 0
        || maxRatio < 1
        || ratioFloorBytes < 0) {
      throw new IllegalArgumentException("a layer limit is out of its range: " + this);
    }
  }
}
