package io.lamina.client.cache;

import io.lamina.client.failure.ClientException;
import io.lamina.cvmfs.CvmfsException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The content of objects on disk: bounded, shared by all repositories, kept over restarts, and safe
 * whenever the process ends.
 *
 * <p>The folder is the only truth. An object is written to a file of its own in {@code tmp} and
 * moved into place when it is complete; its name there holds its length and a checksum, which is
 * compared when the object is first used after a start. What is in use is never evicted; of the
 * rest, what was not used for longest goes first. One process at a time may use a folder. Thread-
 * safe.
 *
 * <p>Source: docs/client.md, "Cache".
 */
public final class ObjectCache implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ObjectCache.class);
  private static final int SHARDS = 256;
  private static final Pattern NAME = Pattern.compile("(.{38,60})\\.([0-9]{1,15})\\.([0-9a-f]{8})");

  /** Eviction goes on to here, so that not every object that comes starts one. */
  private static final double EVICT_TO = 0.8;

  private final Path folder;
  private final Path staging;
  private final long limitBytes;
  private final Clock clock;
  private final FileChannel lockFile;
  private final ConcurrentHashMap<ObjectKey, CacheEntry> entries = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<ObjectKey, CompletableFuture<CacheEntry>> flights =
      new ConcurrentHashMap<>();
  private final ReentrantLock[] shardLocks = new ReentrantLock[SHARDS];
  private final AtomicBoolean[] scanned = new AtomicBoolean[SHARDS];
  private final ReentrantLock evicting = new ReentrantLock();
  private final Thread scanner;
  private final AtomicLong usedBytes = new AtomicLong();
  private final AtomicLong lastUseMicros = new AtomicLong();
  private final AtomicLong stagedFiles = new AtomicLong();
  private final LongAdder hits = new LongAdder();
  private final LongAdder misses = new LongAdder();
  private final LongAdder storedBytes = new LongAdder();
  private final LongAdder evictions = new LongAdder();
  private final LongAdder evictedBytes = new LongAdder();
  private final LongAdder damaged = new LongAdder();
  private volatile boolean isClosed;

  /** Brings an object's content; called once for all who want it at a time. */
  @FunctionalInterface
  public interface Source {
    /**
     * Writes the whole content, restarting the target for each attempt. What was written is thrown
     * away if this throws.
     *
     * @throws IOException only if writing to {@code target} failed
     */
    void fetch(StagedObject target) throws IOException;
  }

  private ObjectCache(Path folder, long limitBytes, Clock clock, FileChannel lockFile) {
    this.folder = folder.resolve("objects");
    this.staging = folder.resolve("tmp");
    this.limitBytes = limitBytes;
    this.clock = clock;
    this.lockFile = lockFile;
    for (int i = 0; i < SHARDS; i++) {
      shardLocks[i] = new ReentrantLock();
      scanned[i] = new AtomicBoolean();
    }
    this.scanner = Thread.ofVirtual().name("lamina-cache-scan").unstarted(this::scanAll);
  }

  /**
   * Opens the cache in a folder, which is made if it is missing. What is there is looked through in
   * the background; it can be used at once.
   *
   * @param limitBytes room for all objects, in whole blocks of 4 KiB; at least 1 MiB
   * @throws ClientException.Rejected if another process uses the folder, or it cannot be written
   */
  public static ObjectCache open(Path folder, long limitBytes, Clock clock) {
    if (limitBytes < 1 << 20) {
      throw new ClientException.Rejected(
          "a cache of " + limitBytes + " bytes is too small; give it 1 MiB or more");
    }
    try {
      Files.createDirectories(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      FileChannel lockFile =
          FileChannel.open(
              folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        requireLock(folder, lockFile);
        ObjectCache cache = new ObjectCache(folder, limitBytes, clock, lockFile);
        cache.prepare();
        cache.scanner.start();
        return cache;
      } catch (IOException | RuntimeException e) {
        lockFile.close();
        throw e;
      }
    } catch (IOException e) {
      throw new ClientException.Rejected("cannot use the cache folder " + folder + ": " + e, e);
    }
  }

  private static void requireLock(Path folder, FileChannel lockFile) throws IOException {
    FileLock lock;
    try {
      lock = lockFile.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null;
    }
    if (lock == null) {
      throw new ClientException.Rejected(
          "the cache folder " + folder + " is in use by another client; give each a folder");
    }
  }

  private void prepare() throws IOException {
    Files.createDirectories(staging);
    try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(staging)) {
      for (Path leftover : leftovers) {
        Files.delete(leftover);
      }
    }
    Files.createDirectories(folder);
  }

  private Path shardFolder(int shard) {
    return folder.resolve(String.format("%02x", shard));
  }

  /** A folder on the same disk for large downloads while they are checked. */
  public Path staging() {
    return staging;
  }

  /**
   * The object, from the cache or else from its source; the caller closes it.
   *
   * @param sizeBytes exact length of the content; negative if it is not known
   * @throws CvmfsException what the source throws, or {@code Corrupt} if the object has another
   *     length than the caller was told
   * @throws ClientException.Exhausted if there is no room for it
   */
  public CachedObject acquire(ObjectKey key, long sizeBytes, Source source) {
    while (true) {
      CacheEntry known = pinned(key);
      if (known != null) {
        hits.increment();
        return sized(known, sizeBytes);
      }
      CompletableFuture<CacheEntry> flight = new CompletableFuture<>();
      CompletableFuture<CacheEntry> other = flights.putIfAbsent(key, flight);
      if (other != null) {
        await(other);
        continue;
      }
      try {
        // Somebody may have landed it between the look and the take-off.
        CacheEntry entry = pinned(key);
        if (entry == null) {
          misses.increment();
          entry = store(key, sizeBytes, source);
        } else {
          hits.increment();
        }
        flight.complete(entry);
        return sized(entry, sizeBytes);
      } catch (RuntimeException | Error e) {
        flight.completeExceptionally(e);
        throw e;
      } finally {
        flights.remove(key, flight);
      }
    }
  }

  /** Whether it seems to be here; it may be damaged, or go the next moment. */
  public boolean isKnown(ObjectKey key) {
    scan(key.shard());
    return entries.containsKey(key);
  }

  /** The object if it is here; never fetches. */
  public Optional<CachedObject> find(ObjectKey key) {
    CacheEntry known = pinned(key);
    return known == null ? Optional.empty() : Optional.of(new CachedObject(known));
  }

  private static CachedObject sized(CacheEntry pinned, long sizeBytes) {
    if (sizeBytes >= 0 && pinned.sizeBytes != sizeBytes) {
      pinned.unpin();
      throw new CvmfsException.Corrupt(
          "the object "
              + pinned.key.hash()
              + " has "
              + pinned.sizeBytes
              + " bytes of content, its catalog says "
              + sizeBytes);
    }
    return new CachedObject(pinned);
  }

  /** Waits for another's fetch; its failure is everybody's. */
  private static void await(CompletableFuture<CacheEntry> flight) {
    try {
      flight.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CvmfsException.Retryable("interrupted while waiting for an object", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  private @Nullable CacheEntry pinned(ObjectKey key) {
    if (isClosed) {
      throw new IllegalStateException("the cache is closed");
    }
    scan(key.shard());
    CacheEntry entry = entries.get(key);
    if (entry == null) {
      return null;
    }
    return switch (entry.pin(nowMicros())) {
      case READY -> entry;
      case GONE -> {
        forget(entry);
        yield null;
      }
      case DAMAGED -> {
        LOG.atWarn()
            .addKeyValue("file", entry.file)
            .log("a cached object is damaged on disk; it is fetched again");
        damaged.increment();
        drop(entry);
        yield null;
      }
    };
  }

  /** Never goes back, and tells uses apart that the clock does not. */
  private long nowMicros() {
    long now = TimeUnit.MILLISECONDS.toMicros(clock.millis());
    return lastUseMicros.updateAndGet(last -> Math.max(last + 1, now));
  }

  /** Fetches, and pins once. */
  private CacheEntry store(ObjectKey key, long sizeBytes, Source source) {
    long reserved = CacheEntry.roomBytes(Math.max(sizeBytes, 0));
    reserve(reserved, key);
    try {
      CacheEntry entry = storeOrEvict(key, source);
      long extra = entry.roomBytes() - reserved;
      if (extra > 0) {
        makeRoomAfterwards(extra);
      } else {
        usedBytes.addAndGet(extra);
      }
      storedBytes.add(entry.sizeBytes);
      return entry;
    } catch (RuntimeException | Error e) {
      usedBytes.addAndGet(-reserved);
      throw e;
    }
  }

  /** The length was not known before, and the object is here already. */
  private void makeRoomAfterwards(long bytes) {
    usedBytes.addAndGet(bytes);
    if (usedBytes.get() > limitBytes) {
      evict(limitBytes);
    }
  }

  /** A disk that is full before the limit is reached is given room once. */
  private CacheEntry storeOrEvict(ObjectKey key, Source source) {
    try {
      return stage(key, source);
    } catch (IOException e) {
      if (!isFull(e)) {
        throw new ClientException.Broken("cannot write to the cache folder " + folder, e);
      }
    }
    LOG.atWarn().addKeyValue("folder", folder).log("the cache's disk is full; evicting objects");
    evict(usedBytes.get() / 2);
    try {
      return stage(key, source);
    } catch (IOException e) {
      throw isFull(e)
          ? new ClientException.Exhausted(
              "no space left on the disk of the cache folder "
                  + folder
                  + ", which holds "
                  + usedBytes
                  + " bytes; make room, or give the cache a disk of its own",
              e)
          : new ClientException.Broken("cannot write to the cache folder " + folder, e);
    }
  }

  private static boolean isFull(IOException e) {
    String message = String.valueOf(e.getMessage());
    return message.contains("No space left") || message.contains("quota exceeded");
  }

  private CacheEntry stage(ObjectKey key, Source source) throws IOException {
    Path staged = staging.resolve(Long.toString(stagedFiles.incrementAndGet()));
    try {
      CacheEntry entry;
      try (StagedObject target = new StagedObject(staged)) {
        source.fetch(target);
        String name = "%s.%d.%08x".formatted(key.fileName(), target.sizeBytes(), target.checksum());
        entry =
            new CacheEntry(
                key, shardFolder(key.shard()).resolve(name), target.sizeBytes(), target.checksum());
      }
      moveIntoPlace(staged, entry.file);
      entry.markNew(nowMicros());
      if (entry.pin(nowMicros()) != CacheEntry.Pinned.READY) {
        throw new IOException("the new object " + entry.file + " has vanished");
      }
      entries.put(key, entry);
      return entry;
    } finally {
      Files.deleteIfExists(staged);
    }
  }

  private static void moveIntoPlace(Path staged, Path file) throws IOException {
    try {
      Files.move(staged, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (NoSuchFileException e) {
      Files.createDirectories(file.getParent());
      Files.move(staged, file, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private void reserve(long bytes, ObjectKey key) {
    if (usedBytes.addAndGet(bytes) <= limitBytes) {
      return;
    }
    awaitScan();
    evicting.lock();
    try {
      if (usedBytes.get() > limitBytes) {
        evict((long) (limitBytes * EVICT_TO));
      }
    } finally {
      evicting.unlock();
    }
    if (usedBytes.get() > limitBytes) {
      usedBytes.addAndGet(-bytes);
      throw new ClientException.Exhausted(
          "no room in the cache for the object "
              + key.hash()
              + " of "
              + bytes
              + " bytes: "
              + usedBytes
              + " of "
              + limitBytes
              + " bytes are taken by objects in use; give the cache more room",
          null);
    }
  }

  /** Drops what was not used for longest, until no more than this is taken. */
  private void evict(long targetBytes) {
    List<Candidate> candidates = new ArrayList<>();
    for (CacheEntry entry : entries.values()) {
      if (!entry.isInUse()) {
        candidates.add(new Candidate(entry, entry.usedMicros()));
      }
    }
    candidates.sort(Comparator.comparingLong(Candidate::usedMicros));
    for (Candidate candidate : candidates) {
      if (usedBytes.get() <= targetBytes) {
        break;
      }
      CacheEntry entry = candidate.entry();
      if (entry.retire() && entries.remove(entry.key, entry)) {
        delete(entry);
        evictions.increment();
        evictedBytes.add(entry.roomBytes());
        usedBytes.addAndGet(-entry.roomBytes());
      }
    }
  }

  /** The time is taken once: uses go on while the list is sorted. */
  private record Candidate(CacheEntry entry, long usedMicros) {}

  private void drop(CacheEntry entry) {
    if (entry.retire()) {
      forget(entry);
      delete(entry);
    }
  }

  private void forget(CacheEntry entry) {
    if (entries.remove(entry.key, entry)) {
      usedBytes.addAndGet(-entry.roomBytes());
    }
  }

  private void delete(CacheEntry entry) {
    try {
      Files.deleteIfExists(entry.file);
    } catch (IOException e) {
      LOG.atWarn()
          .addKeyValue("file", entry.file)
          .setCause(e)
          .log("cannot remove an object from the cache");
    }
  }

  private void scanAll() {
    try {
      for (int i = 0; i < SHARDS && !isClosed; i++) {
        scan(i);
      }
      // Objects that came meanwhile were counted without those that were not yet known.
      if (usedBytes.get() > limitBytes) {
        evict((long) (limitBytes * EVICT_TO));
      }
    } catch (ClientException e) {
      LOG.atError().setCause(e).log("cannot look through the cache");
    }
  }

  /** Waits until all that was here at the start is known and the bound holds. */
  void awaitScan() {
    try {
      scanner.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CvmfsException.Retryable("interrupted while waiting for the cache", e);
    }
  }

  /** Learns what lies in one of the folders, once. */
  private void scan(int shard) {
    if (scanned[shard].get()) {
      return;
    }
    shardLocks[shard].lock();
    try {
      if (scanned[shard].get()) {
        return;
      }
      Path shardFolder = shardFolder(shard);
      try (DirectoryStream<Path> files = Files.newDirectoryStream(shardFolder)) {
        for (Path file : files) {
          admit(shardFolder, file);
        }
      } catch (NoSuchFileException e) {
        // No object of this shard has come yet.
      } catch (IOException | UncheckedIOException e) {
        throw new ClientException.Broken("cannot list the cache folder " + shardFolder, e);
      }
      scanned[shard].set(true);
    } finally {
      shardLocks[shard].unlock();
    }
  }

  private void admit(Path shardFolder, Path file) throws IOException {
    Matcher name = NAME.matcher(file.getFileName().toString());
    if (!name.matches()) {
      return;
    }
    Optional<ObjectKey> key = ObjectKey.parse(shardFolder.getFileName().toString(), name.group(1));
    if (key.isEmpty()) {
      return;
    }
    // Its length and bytes are looked at when it is used, its time when something has to go.
    CacheEntry entry =
        new CacheEntry(
            key.get(),
            file,
            Long.parseLong(name.group(2)),
            Integer.parseUnsignedInt(name.group(3), 16));
    if (entries.putIfAbsent(key.get(), entry) == null) {
      usedBytes.addAndGet(entry.roomBytes());
    } else {
      Files.delete(file);
    }
  }

  public CacheStatistics statistics() {
    long inUse = entries.values().stream().filter(CacheEntry::isInUse).count();
    return new CacheStatistics(
        entries.size(),
        usedBytes.get(),
        limitBytes,
        inUse,
        hits.sum(),
        misses.sum(),
        storedBytes.sum(),
        evictions.sum(),
        evictedBytes.sum(),
        damaged.sum());
  }

  /** Lets another process use the folder. Objects that are still in use can be read on. */
  @Override
  public void close() {
    isClosed = true;
    awaitScan();
    try {
      lockFile.close();
    } catch (IOException e) {
      throw new ClientException.Broken("cannot give the cache folder back", e);
    }
  }
}
