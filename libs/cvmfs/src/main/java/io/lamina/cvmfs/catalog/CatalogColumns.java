package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.PathHash;
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
