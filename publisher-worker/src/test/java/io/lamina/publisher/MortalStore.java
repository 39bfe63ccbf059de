package io.lamina.publisher;

import io.lamina.storage.Content;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A store whose process dies after so many writes. Closing it leaves the store behind it open. */
final class MortalStore implements ObjectStore {
  /** The process is gone. */
  static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  private final ObjectStore store;
  private int writesUntilKill = Integer.MAX_VALUE;
  private @Nullable ObjectKey heldUp;
  private Consumer<Runnable> meanwhile = swap -> {};

  MortalStore(ObjectStore store) {
    this.store = store;
  }

  synchronized void killAfter(int writes) {
    writesUntilKill = writes;
  }

  /**
   * Something else happens before the next swap of this file reaches the store.
   *
   * @param whatHappens may let the swap through when it wants; else it follows at the end
   */
  synchronized void holdUp(ObjectKey key, Consumer<Runnable> whatHappens) {
    heldUp = key;
    meanwhile = whatHappens;
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
    if (!key.equals(heldUp)) {
      return store.swap(key, expected, bytes);
    }
    heldUp = null;
    List<Version> done = new ArrayList<>();
    meanwhile.accept(() -> done.add(store.swap(key, expected, bytes)));
    return done.isEmpty() ? store.swap(key, expected, bytes) : done.getFirst();
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
