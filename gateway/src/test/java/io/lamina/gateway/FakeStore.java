package io.lamina.gateway;

import io.lamina.storage.Content;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Consumer;

/** Immutable objects in a map; no mutable files. Thread-safe. */
final class FakeStore implements ObjectStore {
  final ConcurrentMap<ObjectKey, byte[]> files = new ConcurrentHashMap<>();

  @Override
  public PutOutcome putIfAbsent(ObjectKey key, Content content) {
    try (InputStream in = content.open()) {
      return files.putIfAbsent(key, in.readAllBytes()) == null
          ? PutOutcome.STORED
          : PutOutcome.ALREADY_PRESENT;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void flush() {}

  @Override
  public Optional<Stat> head(ObjectKey key) {
    return Optional.ofNullable(files.get(key)).map(b -> new Stat(key, b.length, 0));
  }

  @Override
  public InputStream open(ObjectKey key) {
    byte[] bytes = files.get(key);
    if (bytes == null) {
      throw new StorageException.NotFound("no " + key);
    }
    return new ByteArrayInputStream(bytes);
  }

  @Override
  public byte[] read(ObjectKey key, int maxBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void list(String prefix, Consumer<Stat> sink) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean delete(ObjectKey key) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Optional<Versioned> readMutable(ObjectKey key, int maxBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Version swap(ObjectKey key, Optional<Version> expected, byte[] bytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
