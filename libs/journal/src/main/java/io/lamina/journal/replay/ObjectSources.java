package io.lamina.journal.replay;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.journal.JournalException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a repository's objects can be had: tried in order, each object compared with its name
 * before it is used. A source that has another content than the name promises counts as one that
 * has nothing. Thread-safe.
 */
public final class ObjectSources implements AutoCloseable {
  private static final int MAX_IN_MEMORY_BYTES = 256 << 10;
  private static final int COPY_BYTES = 64 << 10;

  /** No object is longer: it bounds what an endless answer can cost. */
  private static final long MAX_STORED_BYTES = 64L << 30;

  private static final int ATTEMPTS = 5;
  private static final int ATTEMPTS_AT_DAMAGED = 2;
  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);

  /** Waits between attempts. */
  @FunctionalInterface
  public interface Pause {
    Pause SLEEPING = Thread::sleep;

    void of(Duration length) throws InterruptedException;
  }

  /** An object, or why there is none. */
  sealed interface Fetched {
    record Found(HeldObject object) implements Fetched {}

    record Missing(String reason) implements Fetched {}
  }

  private final List<RepositoryFiles> sources;
  private final Path scratch;
  private final Pause pause;

  /**
   * @param sources closed with this
   * @param scratch an existing folder for large objects while they are copied
   */
  public ObjectSources(List<RepositoryFiles> sources, Path scratch, Pause pause) {
    this.sources = List.copyOf(sources);
    this.scratch = scratch;
    this.pause = pause;
  }

  /**
   * The stored bytes of a small object, verified; empty if no source has it.
   *
   * @throws JournalException.Retryable if a source stays out of reach
   * @throws JournalException.Corrupt if it is longer
   */
  public Optional<byte[]> read(ObjectKind kind, ContentHash hash, int maxBytes) {
    return switch (fetch(kind, hash)) {
      case Fetched.Missing _ -> Optional.empty();
      case Fetched.Found found -> {
        try (HeldObject object = found.object()) {
          if (object.content().sizeBytes() > maxBytes) {
            throw new JournalException.Corrupt(
                kind.pathOf(hash) + " has more than " + maxBytes + " bytes");
          }
          try (InputStream in = object.content().open()) {
            yield Optional.of(in.readAllBytes());
          }
        } catch (IOException e) {
          throw new JournalException.Retryable("cannot read a scratch file", e);
        }
      }
    };
  }

  Path scratch() {
    return scratch;
  }

  /**
   * @throws JournalException.Retryable if a source stays out of reach: whether it has the object is
   *     not known
   */
  Fetched fetch(ObjectKind kind, ContentHash hash) {
    List<String> reasons = new ArrayList<>();
    for (RepositoryFiles source : sources) {
      Optional<HeldObject> found = fetch(source, kind, hash, reasons);
      if (found.isPresent()) {
        return new Fetched.Found(found.get());
      }
    }
    return new Fetched.Missing(
        sources.isEmpty() ? "no source was named" : String.join("; ", reasons));
  }

  private Optional<HeldObject> fetch(
      RepositoryFiles source, ObjectKind kind, ContentHash hash, List<String> reasons) {
    Duration wait = FIRST_PAUSE;
    for (int attempt = 1; ; attempt++) {
      try {
        return Optional.of(hold(source, kind.pathOf(hash), hash));
      } catch (CvmfsException.NotFound e) {
        reasons.add("not in " + source);
        return Optional.empty();
      } catch (CvmfsException.Corrupt e) {
        // The line may have damaged it; what comes so again lies there so.
        if (attempt >= ATTEMPTS_AT_DAMAGED) {
          reasons.add("damaged in " + source);
          return Optional.empty();
        }
      } catch (CvmfsException.Rejected e) {
        throw new JournalException.Rejected(
            source + " refuses to give objects: " + e.getMessage(), e);
      } catch (IOException | CvmfsException.Retryable e) {
        if (attempt == ATTEMPTS) {
          throw new JournalException.Retryable(
              "cannot read from " + source + ": " + e.getMessage(), e);
        }
      }
      try {
        pause.of(wait);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new JournalException.Retryable("interrupted while copying objects", e);
      }
      wait = wait.multipliedBy(2);
    }
  }

  private HeldObject hold(RepositoryFiles source, String path, ContentHash hash)
      throws IOException {
    MessageDigest digest = hash.algorithm().newDigest();
    try (InputStream in = source.open(path)) {
      HeldObject held = hold(in, digest);
      try {
        if (!ContentHash.of(hash.algorithm(), digest.digest()).equals(hash)) {
          throw new CvmfsException.Corrupt(path + " has other content than its name says");
        }
        return held;
      } catch (RuntimeException e) {
        held.close();
        throw e;
      }
    }
  }

  private HeldObject hold(InputStream in, MessageDigest digest) throws IOException {
    byte[] buffer = new byte[COPY_BYTES];
    ByteArrayOutputStream memory = new ByteArrayOutputStream(4096);
    int count;
    while ((count = in.read(buffer)) >= 0) {
      digest.update(buffer, 0, count);
      memory.write(buffer, 0, count);
      if (memory.size() > MAX_IN_MEMORY_BYTES) {
        return holdInFile(in, digest, memory);
      }
    }
    return HeldObject.of(memory.toByteArray());
  }

  private HeldObject holdInFile(InputStream in, MessageDigest digest, ByteArrayOutputStream start)
      throws IOException {
    Path file = Files.createTempFile(scratch, "lamina-object-", ".tmp");
    try (OutputStream out = Files.newOutputStream(file)) {
      start.writeTo(out);
      long total = start.size();
      byte[] buffer = new byte[COPY_BYTES];
      int count;
      while ((count = in.read(buffer)) >= 0) {
        total += count;
        if (total > MAX_STORED_BYTES) {
          throw new CvmfsException.Corrupt(
              "an object has more than " + MAX_STORED_BYTES + " bytes");
        }
        digest.update(buffer, 0, count);
        out.write(buffer, 0, count);
      }
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(file);
      throw e;
    }
    return HeldObject.of(file);
  }

  @Override
  public void close() {
    sources.forEach(RepositoryFiles::close);
  }
}
