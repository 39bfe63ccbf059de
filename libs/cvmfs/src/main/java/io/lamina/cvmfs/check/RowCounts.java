package io.lamina.cvmfs.check;

import io.lamina.cvmfs.catalog.CatalogRow;
import io.lamina.cvmfs.catalog.Counters;

/** Counts the rows of one catalog as its statistics should. Not thread-safe. */
final class RowCounts {
  private long regular;
  private long symlinks;
  private long specials;
  private long directories;
  private long mountpoints;
  private long chunkedFiles;
  private long chunks;
  private long fileBytes;
  private long chunkedBytes;
  private long xattrs;
  private long externals;
  private long externalBytes;

  void addDirectory(CatalogRow row) {
    directories++;
    addXattrs(row);
  }

  void addMountpoint() {
    mountpoints++;
  }

  void addRegular(CatalogRow row) {
    regular++;
    fileBytes += row.sizeBytes();
    if (row.isChunked()) {
      chunkedFiles++;
      chunkedBytes += row.sizeBytes();
    }
    if (RowChecks.isExternal(row)) {
      externals++;
      externalBytes += row.sizeBytes();
    }
    addXattrs(row);
  }

  void addOther(CatalogRow row) {
    if (RowChecks.isSymlink(row)) {
      symlinks++;
    } else {
      specials++;
    }
    addXattrs(row);
  }

  void addChunks(int count) {
    chunks += count;
  }

  long rows() {
    return regular + symlinks + specials + directories;
  }

  long mountpoints() {
    return mountpoints;
  }

  Counters toCounters() {
    return new Counters(
        regular,
        symlinks,
        specials,
        directories,
        mountpoints,
        chunkedFiles,
        chunks,
        fileBytes,
        chunkedBytes,
        xattrs,
        externals,
        externalBytes);
  }

  private void addXattrs(CatalogRow row) {
    if (row.xattrBlob() != null) {
      xattrs++;
    }
  }
}
