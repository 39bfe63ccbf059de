package io.lamina.repository;

import io.lamina.storage.Content;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A store on which the test decides when the process dies, when a reply is lost, and when somebody
 * else is faster. Writing calls are counted. Closing it leaves the store behind it open.
 */
final class FaultyStore implements ObjectStore {
  /** The process is gone: nobody may catch this and go on. */
  static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  private final ObjectStore store;
  private final List<String> calls = new ArrayList<>();
  private int writesUntilKill = Integer.MAX_VALUE;
  private @Nullable ObjectKey lostReplyTo;
  private boolean lostAndNotDone;
  private @Nullable ObjectKey before;
  private @Nullable ObjectKey last;
  private Runnable intruder = () -> {};

  FaultyStore(ObjectStore store) {
    this.store = store;
  }

  synchronized List<String> calls() {
    return List.copyOf(calls);
  }

  /** After so many more writing calls, the next one kills the process. */
  synchronized void killAfter(int writes) {
    writesUntilKill = writes;
  }

  /** The next swap of this file is done, and kills the process. */
  synchronized void killAfterSwapOf(ObjectKey key) {
    last = key;
  }

  /** The next swap of this file is done, or not, and nobody hears of it. */
  synchronized void loseReplyTo(ObjectKey key, boolean done) {
    lostReplyTo = key;
    lostAndNotDone = !done;
  }

  /** Right before the next swap of this file, somebody else acts. */
  synchronized void before(ObjectKey key, Runnable action) {
    before = key;
    intruder = action;
  }

  private synchronized void write(String call) {
    if (writesUntilKill-- <= 0) {
      throw new Killed();
    }
    calls.add(call);
  }

  @Override
  public PutOutcome putIfAbsent(ObjectKey key, Content content) {
    write("put " + key);
    return store.putIfAbsent(key, content);
  }

  @Override
  public void flush() {
    write("flush");
    store.flush();
  }

  @Override
  public Version swap(ObjectKey key, Optional<Version> expected, byte[] bytes) {
    Runnable action = () -> {};
    boolean lost = false;
    synchronized (this) {
      if (key.equals(before)) {
        before = null;
        action = intruder;
      }
      if (key.equals(lostReplyTo)) {
        lostReplyTo = null;
        lost = true;
      }
    }
    action.run();
    write("swap " + key);
    if (lost && lostAndNotDone) {
      throw new StorageException.OutcomeUnknown("the reply was lost", null);
    }
    Version version = store.swap(key, expected, bytes);
    synchronized (this) {
      if (key.equals(last)) {
        throw new Killed();
      }
    }
    if (lost) {
      throw new StorageException.OutcomeUnknown("the reply was lost", null);
    }
    return version;
  }

  @Override
  public boolean delete(ObjectKey key) {
    write("delete " + key);
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
