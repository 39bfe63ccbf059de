package io.lamina.client.cache;

import io.lamina.client.failure.ClientException;
import io.lamina.linux.LinuxException;
import io.lamina.linux.OpenFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One object in the cache. Its file is open while somebody uses it; without users it may be
 * evicted, once. Thread-safe: its own monitor guards everything that changes.
 */
final class CacheEntry {
  private static final int BLOCK_BYTES = 4096;
  private static final long UNKNOWN = Long.MIN_VALUE;
  private static final int VERIFY_BYTES = 128 << 10;

  /** The use is written to disk when it is this much newer than what is there. */
  private static final long SAVE_AFTER_MICROS = TimeUnit.MINUTES.toMicros(10);

  final ObjectKey key;
  final Path file;
  final long sizeBytes;
  final int checksum;
  private long usedMicros = UNKNOWN;
  private long savedMicros = UNKNOWN;
  private int users;
  private @Nullable OpenFile open;
  private boolean isVerified;
  private boolean isGone;

  /** One that is not used yet; when it was used before is read from the file if it is asked for. */
  CacheEntry(ObjectKey key, Path file, long sizeBytes, int checksum) {
    this.key = key;
    this.file = file;
    this.sizeBytes = sizeBytes;
    this.checksum = checksum;
  }

  /** The room that a file of this length takes. */
  static long roomBytes(long sizeBytes) {
    return Math.ceilDiv(sizeBytes + 1, BLOCK_BYTES) * BLOCK_BYTES;
  }

  long roomBytes() {
    return roomBytes(sizeBytes);
  }

  /** When it was last used; the oldest of all if its file is gone. */
  synchronized long usedMicros() {
    if (usedMicros == UNKNOWN) {
      try {
        usedMicros = Files.getLastModifiedTime(file).to(TimeUnit.MICROSECONDS);
      } catch (IOException e) {
        return UNKNOWN;
      }
    }
    return usedMicros;
  }

  synchronized boolean isInUse() {
    return users > 0;
  }

  /** Spares the first use the check and the writing of its time: the file is from this moment. */
  synchronized void markNew(long nowMicros) {
    isVerified = true;
    savedMicros = nowMicros;
  }

  /** What came of an attempt to use the entry. */
  enum Pinned {
    READY,
    /** Evicted meanwhile, or its file is gone: fetch it again. */
    GONE,
    /** The file is not what was written: drop it and fetch it again. */
    DAMAGED
  }

  /**
   * Counts a user, opens the file, and on the first use since the cache was opened compares the
   * bytes with the checksum in the file's name.
   */
  synchronized Pinned pin(long nowMicros) {
    if (isGone) {
      return Pinned.GONE;
    }
    OpenFile opened = open;
    if (opened == null) {
      try {
        opened = OpenFile.reading(file);
      } catch (LinuxException.NotFound e) {
        return Pinned.GONE;
      } catch (LinuxException e) {
        throw new ClientException.Broken("cannot open a cached object", e);
      }
      open = opened;
    }
    if (!isVerified && !isIntact(opened)) {
      close();
      return Pinned.DAMAGED;
    }
    isVerified = true;
    if (savedMicros == UNKNOWN) {
      savedMicros = usedMicros();
    }
    users++;
    usedMicros = nowMicros;
    return Pinned.READY;
  }

  private boolean isIntact(OpenFile opened) {
    CRC32C crc = new CRC32C();
    long offset = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(VERIFY_BYTES);
      int count;
      while ((count = opened.readAt(buffer, offset)) > 0) {
        crc.update(buffer.asSlice(0, count).asByteBuffer());
        offset += count;
      }
      return offset == sizeBytes && (int) crc.getValue() == checksum;
    } catch (LinuxException e) {
      return false; // a disk that cannot read it has lost it
    }
  }

  void unpin() {
    boolean isToSave;
    long used;
    synchronized (this) {
      users--;
      if (users > 0) {
        return;
      }
      close();
      used = usedMicros;
      isToSave = !isGone && !isSaved();
      if (isToSave) {
        savedMicros = used;
      }
    }
    if (isToSave) {
      saveUse(used);
    }
  }

  /** A file that was written a moment ago has the time of its first use already. */
  private boolean isSaved() {
    return savedMicros != UNKNOWN && usedMicros - savedMicros <= SAVE_AFTER_MICROS;
  }

  /** So that the order of uses outlives the process. */
  private void saveUse(long micros) {
    try {
      Files.setLastModifiedTime(file, FileTime.from(micros, TimeUnit.MICROSECONDS));
    } catch (IOException e) {
      // Only the order of eviction suffers; a disk that fails shows itself on reading.
    }
  }

  /** Whether it may go now; from then on nobody can pin it. */
  synchronized boolean retire() {
    if (users > 0 || isGone) {
      return false;
    }
    isGone = true;
    return true;
  }

  /** Valid while the caller has pinned it. */
  synchronized OpenFile content() {
    if (open == null) {
      throw new IllegalStateException(file + " is not in use");
    }
    return open;
  }

  private void close() {
    if (open != null) {
      open.close();
      open = null;
    }
  }
}
