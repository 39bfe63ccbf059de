package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
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

  private static final byte[] NO_TARGET = {};

  /** The longest link target that Linux resolves, in bytes. */
  public static final int MAX_TARGET_BYTES = 4095;

  private static final int MODE_MASK = TYPE_MASK | 07777;
  private static final long MAX_ID = 0xffff_ffffL;
  private static final int NANOS_PER_SECOND = 1_000_000_000;

  /**
   * @throws CvmfsException.Rejected if the parts do not fit each other or no catalog can hold them
   */
  public CatalogEntry {
    chunks = List.copyOf(chunks);
    require((mode & ~MODE_MASK) == 0, "mode 0%o is not an st_mode", mode);
    require(uid >= 0 && uid <= MAX_ID, "uid %d is out of range", uid);
    require(gid >= 0 && gid <= MAX_ID, "gid %d is out of range", gid);
    require(sizeBytes >= 0, "size %d is negative", sizeBytes);
    require(
        mtimeNanos >= -1 && mtimeNanos < NANOS_PER_SECOND,
        "%d nanoseconds are not within a second",
        mtimeNanos);
    require(hardlinkGroup >= 0, "hard link group %d is negative", hardlinkGroup);
    require(linkCount >= 1, "link count %d is not positive", linkCount);
    boolean target = symlinkTarget.length > 0;
    switch (mode & TYPE_MASK) {
      case REGULAR -> {
        require(!target, "a regular file has a link target");
        require(hash != null || !chunks.isEmpty(), "a regular file names no object");
        requireGapless(chunks, sizeBytes);
      }
      case SYMLINK -> {
        require(
            target && symlinkTarget.length <= MAX_TARGET_BYTES,
            "a link target of %d bytes; it has 1 to " + MAX_TARGET_BYTES,
            symlinkTarget.length);
        for (byte b : symlinkTarget) {
          require(b != 0, "a link target holds NUL");
        }
        requireNoObject(hash, chunks);
      }
      case DIRECTORY, CHARACTER_DEVICE, BLOCK_DEVICE, FIFO, SOCKET -> {
        require(!target, "only symbolic links have a link target");
        requireNoObject(hash, chunks);
      }
      default -> require(false, "mode 0%o has no known file type", mode);
    }
  }

  private static void requireNoObject(@Nullable ContentHash hash, List<Chunk> chunks) {
    require(hash == null && chunks.isEmpty(), "only regular files name objects");
  }

  private static void requireGapless(List<Chunk> chunks, long sizeBytes) {
    long end = 0;
    for (Chunk chunk : chunks) {
      require(
          chunk.offsetBytes() == end && chunk.sizeBytes() > 0,
          "a chunk starts at %d, not at the end of the one before",
          chunk.offsetBytes());
      require(
          chunk.hash().algorithm() == chunks.getFirst().hash().algorithm(),
          "the chunks of one file differ in hash algorithm");
      end += chunk.sizeBytes();
    }
    require(chunks.isEmpty() || end == sizeBytes, "the chunks hold %d bytes, not the size", end);
  }

  private static void require(boolean condition, String problem, Object... values) {
    if (!condition) {
      throw new CvmfsException.Rejected("not a catalog entry: " + problem.formatted(values));
    }
  }

  /** The same entry as a member of a link group, or as a directory with so many sub-directories. */
  public CatalogEntry withLinks(int group, int count) {
    return new CatalogEntry(
        mode,
        uid,
        gid,
        sizeBytes,
        mtimeSeconds,
        mtimeNanos,
        group,
        count,
        hash,
        compression,
        symlinkTarget,
        xattrs,
        chunks);
  }

  /** A device number as the size column holds it. */
  public static long deviceNumber(int major, int minor) {
    long high = major & 0xffff_ffffL;
    long low = minor & 0xffff_ffffL;
    return (high & 0xfff) << 8 | low & 0xff | (low & ~0xffL) << 12 | (high & ~0xfffL) << 32;
  }

  /** Upper part of the device number of a device's entry. */
  public int deviceMajor() {
    return (int) (sizeBytes >>> 8 & 0xfff | sizeBytes >>> 32 & ~0xfff);
  }

  /** Lower part of the device number of a device's entry. */
  public int deviceMinor() {
    return (int) (sizeBytes & 0xff | sizeBytes >>> 12 & ~0xff);
  }

  /** The hash algorithm of the objects that a regular file names; SHA-1 for other types. */
  public HashAlgorithm contentAlgorithm() {
    if (hash != null) {
      return hash.algorithm();
    }
    return chunks.isEmpty() ? HashAlgorithm.SHA1 : chunks.getFirst().hash().algorithm();
  }

  /** An empty directory without extended attributes. */
  public static CatalogEntry directory(int permissions, long uid, long gid, long mtimeSeconds) {
    return new CatalogEntry(
        DIRECTORY | permissions,
        uid,
        gid,
        DIRECTORY_SIZE_BYTES,
        mtimeSeconds,
        -1,
        0,
        2,
        null,
        CompressionAlgorithm.ZLIB,
        NO_TARGET,
        Xattrs.NONE,
        List.of());
  }

  /** A regular file stored in one piece, without extended attributes. */
  public static CatalogEntry file(
      ContentHash object, long sizeBytes, int permissions, long mtimeSeconds) {
    return new CatalogEntry(
        REGULAR | permissions,
        0,
        0,
        sizeBytes,
        mtimeSeconds,
        -1,
        0,
        1,
        object,
        CompressionAlgorithm.ZLIB,
        NO_TARGET,
        Xattrs.NONE,
        List.of());
  }

  /** A symbolic link without extended attributes, owner 0:0. */
  public static CatalogEntry symlink(byte[] target, long mtimeSeconds) {
    return new CatalogEntry(
        SYMLINK | 0777,
        0,
        0,
        target.length,
        mtimeSeconds,
        -1,
        0,
        1,
        null,
        CompressionAlgorithm.ZLIB,
        target,
        Xattrs.NONE,
        List.of());
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

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof CatalogEntry that
        && mode == that.mode
        && uid == that.uid
        && gid == that.gid
        && sizeBytes == that.sizeBytes
        && mtimeSeconds == that.mtimeSeconds
        && mtimeNanos == that.mtimeNanos
        && hardlinkGroup == that.hardlinkGroup
        && linkCount == that.linkCount
        && Objects.equals(hash, that.hash)
        && compression == that.compression
        && Arrays.equals(symlinkTarget, that.symlinkTarget)
        && xattrs.equals(that.xattrs)
        && chunks.equals(that.chunks);
  }

  @Override
  public int hashCode() {
    return Objects.hash(mode, uid, gid, sizeBytes, mtimeSeconds, hash);
  }
}
