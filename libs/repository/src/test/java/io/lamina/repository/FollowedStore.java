package io.lamina.repository;

import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.storage.Content;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** After a lost reply somebody else commits before the caller can look. */
final class FollowedStore implements ObjectStore {
  private final ObjectStore store;
  private final ObjectStore behind;

  FollowedStore(ObjectStore store, ObjectStore behind) {
    this.store = store;
    this.behind = behind;
  }

  @Override
  public Version swap(ObjectKey key, Optional<Version> expected, byte[] bytes) {
    try {
      return store.swap(key, expected, bytes);
    } catch (StorageException.OutcomeUnknown e) {
      try (RepositoryWriter other = TestRepository.writer(behind)) {
        List<CatalogChange> changes = List.of(TestRepository.link("/r/follower", "x"));
        other.commit(changes, TestRepository.TIME, TestRepository.RECORDER);
      }
      throw e;
    }
  }

  @Override
  public PutOutcome putIfAbsent(ObjectKey key, Content content) {
    return store.putIfAbsent(key, content);
  }

  @Override
  public void flush() {
    store.flush();
  }

  @Override
  public Optional<Stat> head(ObjectKey key) {
    return store.head(key);
  }

  @Override
  public InputStream open(ObjectKey key) {
    return store.open(key);
  }

  @Override
  public byte[] read(ObjectKey key, int maxBytes) {
    return store.read(key, maxBytes);
  }

  @Override
  public void list(String prefix, Consumer<Stat> sink) {
    store.list(prefix, sink);
  }

  @Override
  public boolean delete(ObjectKey key) {
    return store.delete(key);
  }

  @Override
  public Optional<Versioned> readMutable(ObjectKey key, int maxBytes) {
    return store.readMutable(key, maxBytes);
  }

  @Override
  public void close() {}
}
