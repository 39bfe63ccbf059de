package io.lamina.storage;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;

/** Keeps everything on the heap: for tests and small examples. Thread-safe. */
public final class InMemoryObjectStore implements ObjectStore {
  private record File(byte[] bytes, long modifiedSeconds) {}

  private final ConcurrentSkipListMap<ObjectKey, File> files = new ConcurrentSkipListMap<>();
  private final Clock clock;

  public InMemoryObjectStore(Clock clock) {
    this.clock = clock;
  }

  @Override
  public PutOutcome putIfAbsent(ObjectKey key, Content content) {
    File file = file(Contents.readFully(key, content));
    File after = files.merge(key, file, (old, fresh) -> isStale(old) ? file(old.bytes()) : old);
    return after == file ? PutOutcome.STORED : PutOutcome.ALREADY_PRESENT;
  }

  private boolean isStale(File file) {
    return file.modifiedSeconds()
        < clock.instant().minus(ObjectStore.REFRESHED_AFTER).getEpochSecond();
  }

  @Override
  public boolean deleteIfOlder(ObjectKey key, long modifiedSeconds) {
    boolean[] removed = new boolean[1];
    files.computeIfPresent(
        key,
        (_, file) -> {
          removed[0] = file.modifiedSeconds() < modifiedSeconds;
          return removed[0] ? null : file;
        });
    return removed[0];
  }

  @Override
  public void flush() {
    // Nothing outlives the process.
  }

  @Override
  public Optional<Stat> head(ObjectKey key) {
    return Optional.ofNullable(files.get(key)).map(file -> stat(key, file));
  }

  @Override
  public InputStream open(ObjectKey key) {
    return new ByteArrayInputStream(existing(key).bytes());
  }

  @Override
  public byte[] read(ObjectKey key, int maxBytes) {
    return Contents.bounded(key, existing(key).bytes(), maxBytes).clone();
  }

  @Override
  public void list(String prefix, Consumer<Stat> sink) {
    for (Map.Entry<ObjectKey, File> entry : files.entrySet()) {
      if (entry.getKey().value().startsWith(prefix)) {
        sink.accept(stat(entry.getKey(), entry.getValue()));
      }
    }
  }

  @Override
  public boolean delete(ObjectKey key) {
    return files.remove(key) != null;
  }

  @Override
  public Optional<Versioned> readMutable(ObjectKey key, int maxBytes) {
    return Optional.ofNullable(files.get(key))
        .map(
            file -> {
              byte[] bytes = Contents.bounded(key, file.bytes(), maxBytes).clone();
              return new Versioned(bytes, Contents.version(bytes));
            });
  }

  @Override
  public Version swap(ObjectKey key, Optional<Version> expected, byte[] bytes) {
    byte[] copy = bytes.clone();
    files.compute(
        key,
        (_, old) -> {
          Contents.checkVersion(
              key, Optional.ofNullable(old).map(f -> Contents.version(f.bytes())), expected);
          return file(copy);
        });
    return Contents.version(copy);
  }

  @Override
  public void close() {
    files.clear();
  }

  private File file(byte[] bytes) {
    return new File(bytes, clock.instant().getEpochSecond());
  }

  private static Stat stat(ObjectKey key, File file) {
    return new Stat(key, file.bytes().length, file.modifiedSeconds());
  }

  private File existing(ObjectKey key) {
    File file = files.get(key);
    if (file == null) {
      throw Contents.notFound(key);
    }
    return file;
  }

  /** For messages only. */
  @Override
  public String toString() {
    return "memory";
  }
}
