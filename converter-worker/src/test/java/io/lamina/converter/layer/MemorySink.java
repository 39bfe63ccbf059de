package io.lamina.converter.layer;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** Keeps objects in memory, and checks that each is named by its bytes. */
public class MemorySink implements ObjectSink {
  private final Map<String, byte[]> objects = new ConcurrentHashMap<>();
  public volatile boolean flushed;

  @Override
  public boolean put(ObjectKind kind, ContentHash hash, byte[] bytes, int offset, int length) {
    byte[] copy = Arrays.copyOfRange(bytes, offset, offset + length);
    byte[] digest = hash.algorithm().newDigest().digest(copy);
    if (!ContentHash.of(hash.algorithm(), digest).equals(hash)) {
      throw new AssertionError("the object " + hash + " has other bytes");
    }
    flushed = false;
    return objects.putIfAbsent(kind.pathOf(hash), copy) == null;
  }

  @Override
  public void flush() {
    flushed = true;
  }

  public byte[] object(ObjectKind kind, ContentHash hash) {
    byte[] bytes = objects.get(kind.pathOf(hash));
    if (bytes == null) {
      throw new AssertionError("there is no object " + kind.pathOf(hash));
    }
    return bytes;
  }

  public int count() {
    return objects.size();
  }

  public long bytes() {
    return objects.values().stream().mapToLong(bytes -> bytes.length).sum();
  }

  public SortedMap<String, byte[]> all() {
    return new TreeMap<>(objects);
  }
}
