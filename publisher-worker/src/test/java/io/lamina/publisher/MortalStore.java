package io.lamina.publisher;

import io.lamina.storage.Content;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import java.io.InputStream;
import java.util.Optional;
import java.util.function.Consumer;

/** A store whose process dies after so many writes. Closing it leaves the store behind it open. */
final class MortalStore implements ObjectStore {
  /** The process is gone. */
  static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  private final ObjectStore store;
  private int writesUntilKill = Integer.MAX_VALUE;

  MortalStore(ObjectStore store) {
    this.store = store;
  }

  synchronized void killAfter(int writes) {
    writesUntilKill = writes;
  }

  private synchronized void write() {
    if (writesUntilKill != Integer.MAX_VALUE && writesUntilKill-- <= 0) {
      throw new Killed();
    }
  }

  @Override
  public PutOutcome putIfAbsent(ObjectKey key, Content content) {
    write();
    return store.putIfAbsent(key, content);
  }

  @Override
  public void flush() {
    write();
    store.flush();
  }

  @Override
  public Version swap(ObjectKey key, Optional<Version> expected, byte[] bytes) {
    write();
    return store.swap(key, expected, bytes);
  }

  @Override
  public boolean delete(ObjectKey key) {
    write();
    return store.delete(key);
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
  public Optional<Versioned> readMutable(ObjectKey key, int maxBytes) {
    return store.readMutable(key, maxBytes);
  }

  @Override
  public void close() {}
}
