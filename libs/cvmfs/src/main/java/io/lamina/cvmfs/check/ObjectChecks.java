package io.lamina.cvmfs.check;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.VerifiedObjects;
import java.nio.ByteBuffer;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Looks at objects on several threads, each object once for each way in which it is used. Its
 * methods are for one thread, the one that walks the catalogs; that thread waits while the queue is
 * full, so memory does not depend on the number of objects, but for 16 to 64 bytes each to remember
 * them.
 */
final class ObjectChecks implements AutoCloseable {
  /** About 256 MiB of memory; further objects are looked at as often as they are named. */
  private static final int MAX_REMEMBERED = 4_000_000;

  private static final int QUEUED_PER_THREAD = 64;
  private static final long PROGRESS_MILLIS = 200;

  private final RepositoryFiles files;
  private final VerifiedObjects objects;
  private final CheckSettings.Depth depth;
  private final Findings findings;
  private final Runnable progress;
  private final ExecutorService threads;
  private final Semaphore free;
  private final int permits;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private final SeenSet uses = new SeenSet(MAX_REMEMBERED);
  private final SeenSet names = new SeenSet(MAX_REMEMBERED);

  /**
   * @param progress run by the calling thread while it waits
   */
  ObjectChecks(
      RepositoryFiles files, CheckSettings settings, Findings findings, Runnable progress) {
    this.files = files;
    this.objects = new VerifiedObjects(files, settings.reader().scratch());
    this.depth = settings.depth();
    this.findings = findings;
    this.progress = progress;
    this.threads =
        Executors.newFixedThreadPool(
            settings.threads(), Thread.ofPlatform().name("check-", 0).daemon().factory());
    this.permits = settings.threads() * QUEUED_PER_THREAD;
    this.free = new Semaphore(permits);
  }

  /** A file or chunk that a catalog names. */
  void content(
      ContentHash hash,
      ObjectKind kind,
      CompressionAlgorithm compression,
      long sizeBytes,
      Object path) {
    if (depth == CheckSettings.Depth.CATALOGS) {
      return;
    }
    boolean verify = depth == CheckSettings.Depth.EVERY_OBJECT;
    long use = verify ? 31 * sizeBytes + compression.flagValue() + 1 : 0;
    ByteBuffer digest = ByteBuffer.wrap(hash.digest());
    long first = digest.getLong() ^ key(hash, kind);
    long second = digest.getLong();
    if (!uses.add(first + use * 0x9e3779b97f4a7c15L, second)) {
      return;
    }
    if (names.add(first, second)) {
      findings.objects.increment();
    }
    submit(
        () -> {
          if (verify) {
            findings.storedBytes.add(objects.verify(hash, kind, compression, sizeBytes));
            findings.contentBytes.add(sizeBytes);
          } else if (!files.exists(kind.pathOf(hash))) {
            throw new CvmfsException.NotFound("no file " + kind.pathOf(hash));
          }
        },
        path,
        kind == ObjectKind.CHUNK ? "partial data chunk " + hash : "data chunk " + hash);
  }

  /** An object that was read and compared with its name elsewhere. */
  void verified(ContentHash hash, ObjectKind kind) {
    remember(hash, kind);
  }

  /** An object of which only the stored bytes and its name are to be compared. */
  void stored(ContentHash hash, ObjectKind kind, Object path, String what) {
    if (remember(hash, kind)) {
      submit(
          () -> findings.storedBytes.add(objects.verifyStored(kind.pathOf(hash), hash)),
          path,
          what + " " + hash);
    }
  }

  /** A file of the store by its path, with the hash that its name gives. */
  void file(String path, ContentHash hash) {
    findings.objects.increment();
    submit(() -> findings.storedBytes.add(objects.verifyStored(path, hash)), path, "stored object");
  }

  boolean isKnown(ContentHash hash, ObjectKind kind) {
    ByteBuffer digest = ByteBuffer.wrap(hash.digest());
    return names.contains(digest.getLong() ^ key(hash, kind), digest.getLong());
  }

  /**
   * Waits until all that was submitted is done.
   *
   * @throws IllegalStateException if looking at an object failed in a way that says nothing of it
   */
  void drain() {
    acquire(permits);
    free.release(permits);
    Throwable cause = failure.get();
    if (cause != null) {
      throw new IllegalStateException("the check itself failed", cause);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }

  private boolean remember(ContentHash hash, ObjectKind kind) {
    ByteBuffer digest = ByteBuffer.wrap(hash.digest());
    boolean added = names.add(digest.getLong() ^ key(hash, kind), digest.getLong());
    if (added) {
      findings.objects.increment();
    }
    return added;
  }

  private static long key(ContentHash hash, ObjectKind kind) {
    return ((long) kind.ordinal() << 8 | hash.algorithm().ordinal()) * 0xbf58476d1ce4e5b9L;
  }

  private void submit(Runnable look, Object path, String what) {
    acquire(1);
    threads.execute(
        () -> {
          try {
            look.run();
          } catch (CvmfsException.NotFound e) {
            findings.add(path, what + " missing", e);
          } catch (CvmfsException.Corrupt e) {
            findings.add(path, what + " damaged", e);
          } catch (CvmfsException e) {
            findings.add(path, what + " cannot be checked", e);
          } catch (RuntimeException | Error e) {
            failure.compareAndSet(null, e); // told by drain: a check that failed is not clean
          } finally {
            free.release();
          }
        });
  }

  private void acquire(int count) {
    try {
      while (!free.tryAcquire(count, PROGRESS_MILLIS, TimeUnit.MILLISECONDS)) {
        progress.run();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CvmfsException.Retryable("the check was interrupted", e);
    }
  }
}
