package io.lamina.cvmfs.tree;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Chunk;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an entry is, apart from its names: a {@link CatalogEntry} in a third of the memory. Names
 * that share one are hard links of each other. Immutable but for {@link #shared}.
 */
final class Inode {
  private static final HashAlgorithm[] ALGORITHMS = HashAlgorithm.values();
  private static final CompressionAlgorithm[] COMPRESSIONS = CompressionAlgorithm.values();
  private static final byte[] NO_BYTES = {};

  private final long sizeBytes;
  private final long mtimeSeconds;
  private final int mode;
  private final int uid;
  private final int gid;
  private final int mtimeNanos;
  private final Xattrs xattrs;

  /** Digest of a regular file, target of a link, {@link Chunked}, or nothing. */
  private final @Nullable Object content;

  private final byte algorithm;
  private final byte compression;

  /** Whether it ever had a second name. */
  private boolean shared;

  /** Content of a file in chunks. */
  private record Chunked(List<Chunk> chunks, @Nullable ContentHash whole) {}

  Inode(CatalogEntry entry) {
    this(entry, entry.xattrs());
  }

  private Inode(CatalogEntry entry, Xattrs xattrs) {
    this.sizeBytes = entry.sizeBytes();
    this.mtimeSeconds = entry.mtimeSeconds();
    this.mode = entry.mode();
    this.uid = (int) entry.uid();
    this.gid = (int) entry.gid();
    this.mtimeNanos = entry.mtimeNanos();
    this.xattrs = xattrs;
    this.algorithm = (byte) entry.contentAlgorithm().ordinal();
    this.compression = (byte) entry.compression().ordinal();
    this.content = contentOf(entry);
  }

  private static @Nullable Object contentOf(CatalogEntry entry) {
    if (!entry.chunks().isEmpty()) {
      return new Chunked(entry.chunks(), entry.hash());
    }
    if (entry.hash() != null) {
      return entry.hash().digest();
    }
    return entry.isSymlink() ? entry.symlinkTarget() : null;
  }

  Inode withXattrs(Xattrs others) {
    return new Inode(entry(0, 1), others);
  }

  /** The entry for one name, as a member of a link group or with its link count as directory. */
  CatalogEntry entry(int hardlinkGroup, int linkCount) {
    ContentHash hash = null;
    byte[] target = NO_BYTES;
    List<Chunk> chunks = List.of();
    switch (content) {
      case null -> {}
      case Chunked chunked -> {
        hash = chunked.whole;
        chunks = chunked.chunks;
      }
      case byte[] bytes when isRegular() -> hash = ContentHash.of(ALGORITHMS[algorithm], bytes);
      default -> target = (byte[]) content;
    }
    return new CatalogEntry(
        mode,
        Integer.toUnsignedLong(uid),
        Integer.toUnsignedLong(gid),
        sizeBytes,
        mtimeSeconds,
        mtimeNanos,
        hardlinkGroup,
        linkCount,
        hash,
        COMPRESSIONS[compression],
        target,
        xattrs,
        chunks);
  }

  Xattrs xattrs() {
    return xattrs;
  }

  boolean isDirectory() {
    return (mode & CatalogEntry.TYPE_MASK) == CatalogEntry.DIRECTORY;
  }

  private boolean isRegular() {
    return (mode & CatalogEntry.TYPE_MASK) == CatalogEntry.REGULAR;
  }

  /** Whether it is the character device 0:0, by which overlayfs hides what lies below. */
  boolean isWhiteout() {
    return (mode & CatalogEntry.TYPE_MASK) == CatalogEntry.CHARACTER_DEVICE && sizeBytes == 0;
  }

  boolean isShared() {
    return shared;
  }

  void share() {
    shared = true;
  }
}
