package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import java.nio.ByteBuffer;
import java.util.HexFormat;

/**
 * The inode number of an entry: a hash instead of a number in order, so that the same entry has the
 * same one in whatever order catalogs are opened, and in every revision in which it is there.
 */
public final class InodeNumber {
  private static final RepositoryPath LINK_GROUPS = RepositoryPath.of("/hard link");

  private InodeNumber() {}

  /**
   * Positive; the same for all names of a hard-linked file, whose groups are numbered within their
   * catalog.
   *
   * @param catalogMount where the catalog hangs that holds the entry
   */
  public static long of(RepositoryPath catalogMount, RepositoryPath path, CatalogEntry entry) {
    PathHash hash = path.hash();
    if (entry.hardlinkGroup() != 0) {
      PathHash mount = catalogMount.hash();
      ByteBuffer name = ByteBuffer.allocate(20);
      name.putLong(mount.first()).putLong(mount.second()).putInt(entry.hardlinkGroup());
      hash = LINK_GROUPS.resolve(HexFormat.of().formatHex(name.array())).hash();
    }
    return hash.first() & Long.MAX_VALUE;
  }
}
