package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.PathHash;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * An entry as the columns of the {@code catalog} table.
 *
 * <p>Source: docs/format/catalogs.md, "Columns".
 */
final class CatalogColumns {
  private CatalogColumns() {}

  static long hardlinks(CatalogEntry entry) {
    return (long) entry.hardlinkGroup() << Integer.SIZE | entry.linkCount();
  }

  static void write(
      RecordWriter record,
      PathHash path,
      PathHash parent,
      byte[] name,
      CatalogEntry entry,
      int flags) {
    record
        .put(path.first())
        .put(path.second())
        .put(parent.first())
        .put(parent.second())
        .put(hardlinks(entry));
    putBlobOrNull(record, entry.hash() == null ? null : entry.hash().digest());
    record.put(entry.sizeBytes()).put(entry.mode()).put(entry.mtimeSeconds());
    if (entry.mtimeNanos() < 0) {
      record.putNull();
    } else {
      record.put(entry.mtimeNanos());
    }
    record.put(flags);
    putTextOrBlob(record, name);
    putTextOrBlob(record, entry.symlinkTarget());
    record.put(entry.uid()).put(entry.gid());
    putBlobOrNull(record, XattrCodec.encode(entry.xattrs()));
  }

  /** A stored row, as it was. */
  static void copy(RecordWriter record, CatalogRow row) {
    record
        .put(row.path().first())
        .put(row.path().second())
        .put(row.parent().first())
        .put(row.parent().second())
        .put(row.hardlinks());
    putBlobOrNull(record, row.hash());
    record.put(row.sizeBytes()).put(row.mode()).put(row.mtimeSeconds());
    if (row.mtimeNanos() == null) {
      record.putNull();
    } else {
      record.put(row.mtimeNanos());
    }
    record.put(row.flags());
    putTextOrBlob(record, row.name() == null ? new byte[0] : row.name());
    putTextOrBlob(record, row.symlink() == null ? new byte[0] : row.symlink());
    record.put(row.uid()).put(row.gid());
    putBlobOrNull(record, row.xattrBlob());
  }

  /** A statement's parameter for a name or link target: text if it is UTF-8, else a blob. */
  static Object textOrBlob(byte[] value) {
    return Utf8.isValid(value) ? new String(value, StandardCharsets.UTF_8) : value;
  }

  private static void putBlobOrNull(RecordWriter record, byte @Nullable [] value) {
    if (value == null) {
      record.putNull();
    } else {
      record.putBlob(value);
    }
  }

  private static void putTextOrBlob(RecordWriter record, byte[] value) {
    if (Utf8.isValid(value)) {
      record.putText(value);
    } else {
      record.putBlob(value);
    }
  }
}
