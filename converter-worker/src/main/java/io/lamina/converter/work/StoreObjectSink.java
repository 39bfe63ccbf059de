package io.lamina.converter.work;

import io.lamina.converter.layer.ObjectSink;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.repository.ObjectUploads;
import io.lamina.storage.Content;
import io.lamina.storage.ObjectStore;

/** Objects into a repository's store. Thread-safe. */
final class StoreObjectSink implements ObjectSink {
  private final ObjectUploads uploads;

  StoreObjectSink(ObjectStore store) {
    this.uploads = new ObjectUploads(store);
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
