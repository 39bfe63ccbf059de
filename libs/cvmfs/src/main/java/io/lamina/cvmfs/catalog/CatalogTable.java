package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.RepositoryPath;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Changes to the rows of the {@code catalog} and {@code chunks} tables; knows nothing of what rows
 * mean to each other. Not thread-safe.
 */
final class CatalogTable {
  private final CatalogDatabase database;
  private long nextRowId;

  CatalogTable(CatalogDatabase database) {
    this.database = database;
    this.nextRowId = maxRowId() + 1;
  }

  long maxRowId() {
    long[] found = new long[1];
    database.query("SELECT max(rowid) FROM catalog", row -> found[0] = row.getLong(1));
    return found[0];
  }

  void insert(RepositoryPath path, CatalogEntry entry, int flags) {
    PathHash hash = path.hash();
    PathHash parent = path.parentHash();
    database.update(
        "INSERT INTO catalog (rowid, md5path_1, md5path_2, parent_1, parent_2, hardlinks, hash,"
            + " size, mode, mtime, mtimens, flags, name, symlink, uid, gid, xattr)"
            + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        nextRowId,
        hash.first(),
        hash.second(),
        parent.first(),
        parent.second(),
        CatalogColumns.hardlinks(entry),
        digest(entry),
        entry.sizeBytes(),
        entry.mode(),
        entry.mtimeSeconds(),
        nanos(entry),
        flags,
        CatalogColumns.textOrBlob(path.name()),
        CatalogColumns.textOrBlob(entry.symlinkTarget()),
        entry.uid(),
        entry.gid(),
        orNull(XattrCodec.encode(entry.xattrs())));
    nextRowId++;
    insertChunks(hash, entry.chunks());
  }

  /** Gives a row other attributes; it keeps its place, name and path. */
  void overwrite(CatalogRow row, CatalogEntry entry, int flags) {
    database.update(
        "UPDATE catalog SET hardlinks = ?, hash = ?, size = ?, mode = ?, mtime = ?, mtimens = ?,"
            + " flags = ?, symlink = ?, uid = ?, gid = ?, xattr = ? WHERE rowid = ?",
        CatalogColumns.hardlinks(entry),
        digest(entry),
        entry.sizeBytes(),
        entry.mode(),
        entry.mtimeSeconds(),
        nanos(entry),
        flags,
        CatalogColumns.textOrBlob(entry.symlinkTarget()),
        entry.uid(),
        entry.gid(),
        orNull(XattrCodec.encode(entry.xattrs())),
        row.rowId());
    insertChunks(row.path(), entry.chunks());
  }

  private void insertChunks(PathHash path, List<Chunk> chunks) {
    for (Chunk chunk : chunks) {
      database.update(
          "INSERT INTO chunks (md5path_1, md5path_2, offset, size, hash) VALUES (?, ?, ?, ?, ?)",
          path.first(),
          path.second(),
          chunk.offsetBytes(),
          chunk.sizeBytes(),
          chunk.hash().digest());
    }
  }

  void delete(CatalogRow row) {
    database.update("DELETE FROM catalog WHERE rowid = ?", row.rowId());
  }

  /** Removes a row's chunks and returns how many there were. */
  int deleteChunks(CatalogRow row) {
    return row.isChunked()
        ? database.update(
            "DELETE FROM chunks WHERE md5path_1 = ? AND md5path_2 = ?",
            row.path().first(),
            row.path().second())
        : 0;
  }

  void addLinks(PathHash directory, int count) {
    database.update(
        "UPDATE catalog SET hardlinks = hardlinks + ? WHERE md5path_1 = ? AND md5path_2 = ?",
        count,
        directory.first(),
        directory.second());
  }

  /** Counts one link less in a hard link group; all its members are in one directory. */
  void shrinkGroup(CatalogRow member) {
    database.update(
        "UPDATE catalog SET hardlinks = hardlinks - 1"
            + " WHERE parent_1 = ? AND parent_2 = ? AND hardlinks >> 32 = ?",
        member.parent().first(),
        member.parent().second(),
        member.hardlinkGroup());
  }

  private static Object digest(CatalogEntry entry) {
    return entry.hash() == null ? CatalogDatabase.Null.VALUE : entry.hash().digest();
  }

  private static Object orNull(byte @Nullable [] value) {
    return value == null ? CatalogDatabase.Null.VALUE : value;
  }

  private static Object nanos(CatalogEntry entry) {
    return entry.mtimeNanos() < 0 ? CatalogDatabase.Null.VALUE : entry.mtimeNanos();
  }
}
