package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One entry of a directory tree, without its name: what a catalog row says of it.
 *
 * <p>Source: docs/format/catalogs.md, "Columns". Immutable.
 *
 * @param mode full {@code st_mode} with the file type
 * @param sizeBytes 4096 for a directory, uncompressed length of a regular file, length of a link's
 *     target, the {@code dev_t} of a device, else 0
 * @param mtimeSeconds since the epoch, may be negative
 * @param mtimeNanos 0 to 999,999,999, or -1 where none is recorded
 * @param hardlinkGroup 0 for a file of its own, else the catalog-wide number of its link group
 * @param linkCount 2 plus sub-directories for a directory, members of a link group, else 1
 * @param hash of a regular file's object; null for other types and for chunked files
 * @param symlinkTarget raw bytes; empty for other types
 * @param chunks of a chunked regular file, in order; else empty
 */
public record CatalogEntry(
    int mode,
    long uid,
    long gid,
    long sizeBytes,
    long mtimeSeconds,
    int mtimeNanos,
    int hardlinkGroup,
    int linkCount,
    @Nullable ContentHash hash,
    CompressionAlgorithm compression,
    byte[] symlinkTarget,
    Xattrs xattrs,
    List<Chunk> chunks) {
  public static final int TYPE_MASK = 0170000;
  public static final int DIRECTORY = 0040000;
  public static final int REGULAR = 0100000;
  public static final int SYMLINK = 0120000;
  public static final int CHARACTER_DEVICE = 0020000;
  public static final int BLOCK_DEVICE = 0060000;
  public static final int FIFO = 0010000;
  public static final int SOCKET = 0140000;

  /** The size that directories show by convention. */
  public static final long DIRECTORY_SIZE_BYTES = 4096;

  public CatalogEntry {
    chunks = List.copyOf(chunks);
  }

  public boolean isDirectory() {
    return (mode & TYPE_MASK) == DIRECTORY;
  }

  public boolean isRegular() {
    return (mode & TYPE_MASK) == REGULAR;
  }

  public boolean isSymlink() {
    return (mode & TYPE_MASK) == SYMLINK;
  }
}
