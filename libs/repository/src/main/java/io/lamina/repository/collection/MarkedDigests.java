package io.lamina.repository.collection;

import io.lamina.repository.RepositoryException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Remembers which digests were seen, by 64 bits of each after the first byte: two that agree in
 * these count as one, so that at worst something stays that could go. What does not fit into memory
 * waits in files, one for each first byte, of which only one at a time is read back.
 *
 * <p>{@link #add} is thread-safe; the rest is for one thread, after all additions.
 */
final class MarkedDigests implements AutoCloseable {
  static final int SHARDS = 256;

  private final Shard[] shards = new Shard[SHARDS];

  /**
   * @param folder exists and is empty; its files belong to this from now on
   * @param bufferedPerShard digests of each shard that are kept in memory
   */
  MarkedDigests(Path folder, int bufferedPerShard) {
    for (int i = 0; i < SHARDS; i++) {
      shards[i] = new Shard(folder.resolve("marks-%02x".formatted(i)), bufferedPerShard);
    }
  }

  /**
   * @param digest at least 9 bytes
   */
  void add(byte[] digest) {
    if (digest.length < 1 + Long.BYTES) {
      throw new RepositoryException.Corrupt(
          "a catalog names an object by " + digest.length + " bytes", null);
    }
    shards[digest[0] & 0xff].add(fingerprint(digest));
  }

  static long fingerprint(byte[] digest) {
    return ByteBuffer.wrap(digest).getLong(1);
  }

  /** The sorted fingerprints of one shard. */
  long[] sorted(int shard) {
    return shards[shard].sorted();
  }

  @Override
  public void close() {
    for (Shard shard : shards) {
      shard.close();
    }
  }

  private static final class Shard {
    /** A file is sorted and freed of repetitions when it is so many times as long as before. */
    private static final int GROWTH = 4;

    private final ReentrantLock lock = new ReentrantLock();
    private final Path file;
    private final long[] buffer;
    private int buffered;
    private long written;
    private long compacted;

    Shard(Path file, int capacity) {
      this.file = file;
      this.buffer = new long[capacity];
    }

    void add(long fingerprint) {
      lock.lock();
      try {
        if (buffered == buffer.length) {
          buffered = sortedUnique(buffer, buffered);
          if (buffered > buffer.length / 2) {
            spill();
          }
        }
        buffer[buffered++] = fingerprint;
      } finally {
        lock.unlock();
      }
    }

    private void spill() {
      append(buffer, buffered);
      buffered = 0;
      if (written > GROWTH * Math.max(compacted, buffer.length)) {
        long[] all = read(0);
        int unique = sortedUnique(all, all.length);
        deleteFile();
        written = 0;
        append(all, unique);
        compacted = unique;
      }
    }

    long[] sorted() {
      long[] all = read(buffered);
      System.arraycopy(buffer, 0, all, all.length - buffered, buffered);
      return Arrays.copyOf(all, sortedUnique(all, all.length));
    }

    private void append(long[] values, int count) {
      ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES * count);
      bytes.asLongBuffer().put(values, 0, count);
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        written += count;
      } catch (IOException e) {
        throw new UncheckedIOException("cannot write " + file, e);
      }
    }

    /**
     * @param room at the end of the array
     */
    private long[] read(int room) {
      if (written + room > Integer.MAX_VALUE / Long.BYTES) {
        throw new RepositoryException.Rejected(
            "one part in 256 of the repository has " + written + " objects, which is too many");
      }
      long[] all = new long[(int) written + room];
      if (written == 0) {
        return all;
      }
      try {
        LongBuffer values = ByteBuffer.wrap(Files.readAllBytes(file)).asLongBuffer();
        if (values.remaining() != written) {
          throw new IOException("it has " + values.remaining() + " entries, not " + written);
        }
        values.get(all, 0, (int) written);
        return all;
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read " + file + " back", e);
      }
    }

    private static int sortedUnique(long[] values, int count) {
      Arrays.sort(values, 0, count);
      int unique = 0;
      for (int i = 0; i < count; i++) {
        if (i == 0 || values[i] != values[i - 1]) {
          values[unique++] = values[i];
        }
      }
      return unique;
    }

    private void deleteFile() {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot delete " + file, e);
      }
    }

    void close() {
      deleteFile();
    }
  }
}
