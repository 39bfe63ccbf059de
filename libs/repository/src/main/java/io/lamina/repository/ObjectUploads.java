package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.storage.Content;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.ObjectStore.PutOutcome;
import java.time.Instant;

/**
 * Puts objects where readers look for them. Thread-safe.
 *
 * <p>Nothing is durable before {@link #flush}; a catalog may only be named by others after that.
 */
public final class ObjectUploads {
  private final ObjectStore store;

  public ObjectUploads(ObjectStore store) {
    this.store = store;
  }

  /** Stores an object under its hash, if it is not there. */
  public PutOutcome put(ObjectKind kind, CompressedObject object) {
    return put(kind, object.hash(), Content.of(object.bytes()));
  }

  /**
   * Stores an object whose hash the caller has computed over exactly these stored bytes.
   *
   * @throws io.lamina.storage.StorageException as {@link ObjectStore#putIfAbsent}
   */
  public PutOutcome put(ObjectKind kind, ContentHash hash, Content stored) {
    return store.putIfAbsent(RepositoryFiles.object(kind, hash), stored);
  }

  /** Compresses and stores a small file; its hash. */
  public ContentHash putFile(byte[] content, ObjectCompressor compressor) {
    CompressedObject object = compressor.compress(content, HashAlgorithm.SHA1);
    put(ObjectKind.FILE, object);
    return object.hash();
  }

  public boolean contains(ObjectKind kind, ContentHash hash) {
    return store.head(RepositoryFiles.object(kind, hash)).isPresent();
  }

  /**
   * Whether it is there and was stored, or found by a writer, at this time or later: then nobody
   * removes it soon, though nothing may refer to it yet.
   */
  public boolean isFresh(ObjectKind kind, ContentHash hash, Instant since) {
    return store
        .head(RepositoryFiles.object(kind, hash))
        .filter(stat -> stat.modifiedSeconds() >= since.getEpochSecond())
        .isPresent();
  }

  /** Makes all that was put through this store before the call durable. */
  public void flush() {
    store.flush();
  }
}
