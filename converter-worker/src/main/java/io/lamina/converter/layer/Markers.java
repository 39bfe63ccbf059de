package io.lamina.converter.layer;

import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Xattrs;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/**
 * Extended attributes by which a layer's catalog tells a merge what the layer alone cannot hold.
 * Incoming layers cannot bring them along: they are dropped when a layer is read.
 *
 * <p>Source: docs/conversion.md, "Marks for merging".
 */
public final class Markers {
  /** All names of this program's own. */
  public static final String PREFIX = "trusted.lamina.";

  /**
   * On a symbolic link: the path, relative to the layer's root, of the file in a lower layer of
   * which it is a hard link.
   */
  public static final String HARD_LINK = PREFIX + "hardlink";

  /**
   * On a directory that the layer does not describe: its attributes were made up, those of a lower
   * layer's directory are right.
   */
  public static final String IMPLICIT = PREFIX + "implicit";

  private static final byte[] YES = "y".getBytes(StandardCharsets.US_ASCII);

  private Markers() {}

  static byte[] yes() {
    return YES.clone();
  }

  /** Whether the entry carries any of these marks. */
  public static boolean isMarked(CatalogEntry entry) {
    return !entry.xattrs().isEmpty()
        && entry.xattrs().asMap().keySet().stream().anyMatch(name -> name.startsWith(PREFIX));
  }

  /** Whether it is a directory that its layer does not describe. */
  public static boolean isImplicit(CatalogEntry entry) {
    return entry.isDirectory()
        && !entry.xattrs().isEmpty()
        && entry.xattrs().asMap().containsKey(IMPLICIT);
  }

  /** The path, relative to the layer's root, of the file that the entry is a hard link of. */
  public static Optional<byte[]> hardLinkTarget(CatalogEntry entry) {
    return entry.isSymlink() && !entry.xattrs().isEmpty()
        ? Optional.ofNullable(entry.xattrs().asMap().get(HARD_LINK))
        : Optional.empty();
  }

  /** A directory that is only named as a parent, with its mark. */
  public static CatalogEntry implicitDirectory(long timestampSeconds) {
    CatalogEntry plain = CatalogEntry.directory(0755, 0, 0, timestampSeconds);
    return withXattrs(plain, Xattrs.of(Map.of(IMPLICIT, yes())));
  }

  /** The same entry without any of these marks. */
  public static CatalogEntry without(CatalogEntry entry) {
    SortedMap<String, byte[]> rest = entry.xattrs().asMap();
    rest.keySet().removeIf(name -> name.startsWith(PREFIX));
    return withXattrs(entry, Xattrs.of(rest));
  }

  private static CatalogEntry withXattrs(CatalogEntry entry, Xattrs xattrs) {
    return new CatalogEntry(
        entry.mode(),
        entry.uid(),
        entry.gid(),
        entry.sizeBytes(),
        entry.mtimeSeconds(),
        entry.mtimeNanos(),
        entry.hardlinkGroup(),
        entry.linkCount(),
        entry.hash(),
        entry.compression(),
        entry.symlinkTarget(),
        xattrs,
        entry.chunks());
  }
}
