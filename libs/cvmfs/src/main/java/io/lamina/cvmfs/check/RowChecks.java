package io.lamina.cvmfs.check;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogFlags;
import io.lamina.cvmfs.catalog.CatalogRow;
import io.lamina.cvmfs.catalog.XattrCodec;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What can be said of a row by itself, or of two that should be equal.
 *
 * <p>Source: docs/format/check.md, "Entries".
 */
final class RowChecks {
  private static final int DIGEST_BYTES = 20;

  private RowChecks() {}

  static int type(CatalogRow row) {
    return row.mode() & CatalogEntry.TYPE_MASK;
  }

  static boolean isRegular(CatalogRow row) {
    return type(row) == CatalogEntry.REGULAR;
  }

  static boolean isSymlink(CatalogRow row) {
    return type(row) == CatalogEntry.SYMLINK;
  }

  static boolean isDevice(CatalogRow row) {
    return type(row) == CatalogEntry.CHARACTER_DEVICE || type(row) == CatalogEntry.BLOCK_DEVICE;
  }

  static boolean isSpecial(CatalogRow row) {
    return isDevice(row) || type(row) == CatalogEntry.FIFO || type(row) == CatalogEntry.SOCKET;
  }

  static boolean isExternal(CatalogRow row) {
    return (row.flags() & CatalogFlags.EXTERNAL) != 0;
  }

  /** A hash of zeros counts as none. */
  static boolean hasHash(CatalogRow row) {
    byte[] hash = row.hash();
    return hash != null && !Arrays.equals(hash, new byte[hash.length]);
  }

  /** Checks all that needs no other row. */
  static void check(CatalogRow row, Object path, Findings findings) {
    if (row.symlink() == null) {
      findings.add(path, "no link target (it must be empty, not null)");
    }
    byte[] hash = row.hash();
    if (hash != null && hash.length != DIGEST_BYTES) {
      findings.add(path, "content hash has a wrong length", DIGEST_BYTES, hash.length);
    }
    if (row.linkCount() == 0) {
      findings.add(path, "entry has linkcount 0");
    }
    checkFlags(row, path, findings);
    checkXattrs(row, path, findings);
    if (row.isDirectory()) {
      if (row.hardlinkGroup() != 0) {
        findings.add(path, "directory hardlink found");
      }
      if (hasHash(row)) {
        findings.add(path, "directory with hash");
      }
    } else if (isSymlink(row)) {
      checkSymlink(row, path, findings);
    } else if (isSpecial(row)) {
      checkSpecial(row, path, findings);
    } else if (isRegular(row)) {
      if (!row.isChunked() && !hasHash(row)) {
        findings.add(path, "regular file pointing to zero-hash");
      }
    } else {
      findings.add(path, "unknown file type of mode 0" + Integer.toOctalString(row.mode()));
    }
    if (!row.isDirectory() && row.linkCount() > 1 && row.hardlinkGroup() == 0) {
      findings.add(path, "invalid hardlink group");
    }
  }

  private static void checkFlags(CatalogRow row, Object path, Findings findings) {
    if ((row.flags() & CatalogFlags.DIRECT_IO) != 0 && !isRegular(row)) {
      findings.add(path, "invalid direct i/o flag found");
    }
    if (isExternal(row) && !isRegular(row)) {
      findings.add(path, "only regular files can be external");
    }
    int mountpoints =
        (row.isNestedMountpoint() ? 1 : 0)
            + (row.isNestedRoot() ? 1 : 0)
            + (row.isBindMountpoint() ? 1 : 0);
    if (mountpoints > 1) {
      findings.add(
          path, "bind mountpoint, nested mountpoint and nested root are mutually exclusive");
    }
    if (mountpoints > 0 && !row.isDirectory()) {
      findings.add(path, "mountpoint is not a directory");
    }
    if (isRegular(row)) {
      if (CatalogFlags.hashAlgorithm(row.flags()).isEmpty()) {
        findings.add(path, "unknown hash algorithm in flags " + row.flags());
      }
      if (CatalogFlags.compression(row.flags()).isEmpty()) {
        findings.add(path, "unknown compression algorithm in flags " + row.flags());
      }
      if (row.sizeBytes() < 0) {
        findings.add(path, "negative file size " + row.sizeBytes());
      }
    }
  }

  private static void checkXattrs(CatalogRow row, Object path, Findings findings) {
    try {
      XattrCodec.decode(row.xattrBlob());
    } catch (CvmfsException.Corrupt e) {
      findings.add(path, "damaged extended attributes", e);
    }
  }

  private static void checkSymlink(CatalogRow row, Object path, Findings findings) {
    byte[] target = row.symlink();
    if (hasHash(row)) {
      findings.add(path, "symbolic links with hash");
    }
    if (target != null && target.length == 0) {
      findings.add(path, "symbolic link without target");
    }
  }

  private static void checkSpecial(CatalogRow row, Object path, Findings findings) {
    byte[] target = row.symlink();
    if (!isDevice(row) && row.sizeBytes() != 0) {
      findings.add(path, "unexpected non-zero special file size", 0, row.sizeBytes());
    }
    if (hasHash(row)) {
      findings.add(path, "special file with hash");
    }
    if (target != null && target.length > 0) {
      findings.add(path, "special file with non-zero symlink");
    }
  }

  /**
   * The first respect in which two rows differ that should describe the same thing; owner, and the
   * flags that tell a mountpoint from a catalog's root, do not count.
   */
  static Optional<String> difference(CatalogRow a, CatalogRow b, boolean compareNames) {
    if (compareNames && !Arrays.equals(a.name(), b.name())) {
      return differ("names", a.displayName(), b.displayName());
    }
    if (a.linkCount() != b.linkCount()) {
      return differ("linkcounts", a.linkCount(), b.linkCount());
    }
    if (a.hardlinkGroup() != b.hardlinkGroup()) {
      return differ("hardlink groups", a.hardlinkGroup(), b.hardlinkGroup());
    }
    if (a.sizeBytes() != b.sizeBytes()) {
      return differ("sizes", a.sizeBytes(), b.sizeBytes());
    }
    if (a.mode() != b.mode()) {
      return differ("modes", Integer.toOctalString(a.mode()), Integer.toOctalString(b.mode()));
    }
    if (a.mtimeSeconds() != b.mtimeSeconds()) {
      return differ("timestamps", a.mtimeSeconds(), b.mtimeSeconds());
    }
    if (!Objects.equals(a.mtimeNanos(), b.mtimeNanos())) {
      return differ("nanoseconds of timestamps", a.mtimeNanos(), b.mtimeNanos());
    }
    if (!Arrays.equals(a.hash(), b.hash())) {
      return Optional.of("content hashes differ");
    }
    if (!Arrays.equals(a.symlink(), b.symlink())) {
      return Optional.of("symlinks differ");
    }
    if (isExternal(a) != isExternal(b)) {
      return differ("external file flags", isExternal(a), isExternal(b));
    }
    if ((a.xattrBlob() == null) != (b.xattrBlob() == null)) {
      return Optional.of("presence of extended attributes differs");
    }
    return Optional.empty();
  }

  private static Optional<String> differ(String what, @Nullable Object a, @Nullable Object b) {
    return Optional.of(what + " differ: " + a + " / " + b);
  }
}
