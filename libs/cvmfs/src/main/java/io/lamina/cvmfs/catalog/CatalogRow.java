package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.PathHash;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One row of the {@code catalog} table, as it is stored, unchecked. The arrays belong to the
 * caller.
 *
 * <p>Source: docs/format/catalogs.md, "Columns".
 *
 * @param rowId its place in the table, from 1
 * @param hardlinks link group in the upper, link count in the lower 32 bits
 * @param hash null where the row names no object
 * @param mtimeNanos null where none is recorded
 * @param name raw bytes; null only in a broken catalog
 * @param symlink raw bytes; null only in a broken catalog
 * @param xattrBlob null where there are no extended attributes
 */
public record CatalogRow(
    long rowId,
    PathHash path,
    PathHash parent,
    long hardlinks,
    byte @Nullable [] hash,
    long sizeBytes,
    int mode,
    long mtimeSeconds,
    @Nullable Integer mtimeNanos,
    int flags,
    byte @Nullable [] name,
    byte @Nullable [] symlink,
    long uid,
    long gid,
    byte @Nullable [] xattrBlob) {

  public boolean isDirectory() {
    return (mode & CatalogEntry.TYPE_MASK) == CatalogEntry.DIRECTORY;
  }

  public boolean isNestedMountpoint() {
    return (flags & CatalogFlags.NESTED_MOUNTPOINT) != 0;
  }

  public boolean isNestedRoot() {
    return (flags & CatalogFlags.NESTED_ROOT) != 0;
  }

  public boolean isBindMountpoint() {
    return (flags & CatalogFlags.BIND_MOUNTPOINT) != 0;
  }

  public boolean isChunked() {
    return (flags & CatalogFlags.CHUNKED) != 0;
  }

  public boolean isHidden() {
    return (flags & CatalogFlags.HIDDEN) != 0;
  }

  /** 0 for an entry of its own. */
  public int hardlinkGroup() {
    return (int) (hardlinks >>> Integer.SIZE);
  }

  public int linkCount() {
    return (int) hardlinks;
  }

  /**
   * The raw name.
   *
   * @throws CvmfsException.Corrupt if the row has none
   */
  public byte[] requireName() {
    if (name == null) {
      throw new CvmfsException.Corrupt("row " + rowId + " of a catalog has no name");
    }
    return name;
  }

  /** The name for people: bytes that are not UTF-8 show as the replacement character. */
  public String displayName() {
    return name == null ? "(no name)" : new String(name, StandardCharsets.UTF_8);
  }
}
