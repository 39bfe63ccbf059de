package io.lamina.converter;

import io.lamina.converter.layer.ObjectSink;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.repository.ObjectUploads;
import io.lamina.storage.Content;
import io.lamina.storage.ObjectStore;

/** Objects into a repository's store. Thread-safe. */
public final class StoredObjects implements ObjectSink {
  private final ObjectUploads uploads;

  private StoredObjects(ObjectStore store) {
    this.uploads = new ObjectUploads(store);
  }

  public static ObjectSink into(ObjectStore store) {
    return new StoredObjects(store);
  }

  @Override
  public boolean put(ObjectKind kind, ContentHash hash, byte[] bytes, int offset, int length) {
    return uploads.put(kind, hash, Content.of(bytes, offset, length))
        == ObjectStore.PutOutcome.STORED;
  }

  @Override
  public void flush() {
    uploads.flush();
  }
}
