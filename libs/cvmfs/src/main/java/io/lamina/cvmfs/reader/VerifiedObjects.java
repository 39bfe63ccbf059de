package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.cvmfs.compression.Decompression;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A repository's objects, each checked against its name before a byte of it is handed out.
 *
 * <p>Up to {@link #MAX_IN_MEMORY_BYTES} of an object are held in memory; what is longer goes
 * through a file in the scratch folder that is gone when the stream is closed. Thread-safe.
 *
 * <p>Source: docs/format/objects.md, "Names follow from the stored bytes".
 */
public final class VerifiedObjects {
  /** Above this an object is spooled to a file. */
  public static final int MAX_IN_MEMORY_BYTES = 8 << 20;

  /** The longest catalog, uncompressed: several million entries. */
  public static final long MAX_CATALOG_BYTES = 2L << 30;

  /** No file in a store is longer: it bounds what an endless answer can cost. */
  private static final long MAX_STORED_BYTES = 1L << 40;

  private static final int COPY_BYTES = 64 << 10;

  /** Up to this, content is taken in one piece. */
  private static final int MAX_SMALL_BYTES = 256 << 10;

  private final RepositoryFiles files;
  private final Path scratch;

  /**
   * @param scratch an existing folder for large objects while they are read
   */
  public VerifiedObjects(RepositoryFiles files, Path scratch) {
    this.files = files;
    this.scratch = scratch;
  }

  /**
   * The content of a small compressed object: a certificate, history or description.
   *
   * @throws CvmfsException.Corrupt if it does not have its hash, is not one zlib stream, or has
   *     more than {@code maxBytes} of content
   * @throws CvmfsException.NotFound if it is missing
   * @throws CvmfsException.Retryable if reading failed
   */
  public byte[] read(ContentHash hash, ObjectKind kind, int maxBytes) {
    String path = kind.pathOf(hash);
    try (Spool stored = fetch(hash, kind, maxBytes);
        InputStream content = Decompression.stream(stored.open(), maxBytes)) {
      return content.readAllBytes();
    } catch (IOException e) {
      throw unreadable(path, e);
    } catch (CvmfsException.Corrupt e) {
      throw new CvmfsException.Corrupt(path + ": " + e.getMessage(), e);
    }
  }

  /**
   * The content of a file object or chunk. Reading throws {@link CvmfsException.Corrupt} where the
   * content does not decompress to exactly {@code sizeBytes}.
   *
   * @throws CvmfsException.Corrupt if it does not have its hash
   * @throws CvmfsException.NotFound if it is missing
   * @throws CvmfsException.Retryable if reading failed
   */
  public InputStream open(
      ContentHash hash, ObjectKind kind, CompressionAlgorithm compression, long sizeBytes) {
    Spool stored = fetch(hash, kind, sizeBytes);
    try {
      InputStream content = decompressed(stored.open(), compression, sizeBytes);
      return new ExactLength(content, sizeBytes, kind.pathOf(hash), stored);
    } catch (IOException e) {
      stored.close();
      throw unreadable(kind.pathOf(hash), e);
    }
  }

  /**
   * Opens a catalog; the caller closes it.
   *
   * @param sizeBytes its uncompressed size; 0 if it is not known
   * @throws CvmfsException.Corrupt if it does not have its hash, its size, or the form of a catalog
   * @throws CvmfsException.NotFound if it is missing
   * @throws CvmfsException.Retryable if reading failed
   */
  public OpenCatalog openCatalog(ContentHash hash, long sizeBytes) {
    String path = ObjectKind.CATALOG.pathOf(hash);
    long limit = sizeBytes > 0 ? Math.min(sizeBytes, MAX_CATALOG_BYTES) : MAX_CATALOG_BYTES;
    try (Spool stored = fetch(hash, ObjectKind.CATALOG, limit);
        InputStream content = Decompression.stream(stored.open(), limit)) {
      return OpenCatalog.of(Spool.of(content, scratch), sizeBytes);
    } catch (IOException e) {
      throw unreadable(path, e);
    } catch (CvmfsException.Corrupt e) {
      throw new CvmfsException.Corrupt(path + ": " + e.getMessage(), e);
    }
  }

  /**
   * Reads an object to its end without keeping it: its hash, its compression and the length of its
   * content must all be as its catalog says.
   *
   * @return how many bytes are stored
   * @throws CvmfsException.Corrupt if one is not
   * @throws CvmfsException.NotFound if it is missing
   * @throws CvmfsException.Retryable if reading failed
   */
  public long verify(
      ContentHash hash, ObjectKind kind, CompressionAlgorithm compression, long sizeBytes) {
    String path = kind.pathOf(hash);
    try (StoredStream stored = new StoredStream(files.open(path), hash, sizeBytes);
        InputStream content = decompressed(stored, compression, sizeBytes)) {
      Optional<String> problem = contentProblem(content, sizeBytes);
      // The rest is hashed even if the content is bad already: a wrong hash says more.
      stored.transferTo(OutputStream.nullOutputStream());
      stored.requireHash(path);
      if (problem.isPresent()) {
        throw new CvmfsException.Corrupt(
            path
                + " has the right hash, but not the content that its catalog says: "
                + problem.get());
      }
      return stored.totalBytes();
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  /**
   * Writes the content of a file object or chunk to {@code target} as it arrives, <em>before</em>
   * it is known to be right: whoever keeps it throws it away where this throws, and shows nothing
   * of it before this has returned. Needs no room of its own, however long the object is.
   *
   * @param sizeBytes exact length of the content
   * @throws CvmfsException.Corrupt if hash, compression or length are not as promised
   * @throws CvmfsException.NotFound if it is missing
   * @throws CvmfsException.Retryable if reading failed
   * @throws IOException only if writing to {@code target} failed
   */
  public void copyTo(
      ContentHash hash,
      ObjectKind kind,
      CompressionAlgorithm compression,
      long sizeBytes,
      OutputStream target)
      throws IOException {
    if (sizeBytes <= MAX_SMALL_BYTES) {
      target.write(readSmall(hash, kind, compression, (int) sizeBytes));
      return;
    }
    long copied = copy(hash, kind, compression, sizeBytes, target);
    if (copied != sizeBytes) {
      throw new CvmfsException.Corrupt(
          kind.pathOf(hash)
              + " has "
              + copied
              + " bytes of content, its catalog says "
              + sizeBytes);
    }
  }

  /**
   * As {@link #copyTo}, of a compressed object whose length nobody has told: catalogs of old
   * publishers, certificates, histories.
   *
   * @param maxBytes more content than this is refused
   * @return how many bytes of content were written
   */
  public long copyUpTo(ContentHash hash, ObjectKind kind, long maxBytes, OutputStream target)
      throws IOException {
    return copy(hash, kind, CompressionAlgorithm.ZLIB, maxBytes, target);
  }

  /** In one go, which takes half of the time for files of a few kilobytes. */
  private byte[] readSmall(
      ContentHash hash, ObjectKind kind, CompressionAlgorithm compression, int sizeBytes) {
    String path = kind.pathOf(hash);
    try (StoredStream stored = new StoredStream(files.open(path), hash, sizeBytes)) {
      byte[] bytes = stored.readAllBytes();
      stored.requireHash(path);
      return switch (compression) {
        case ZLIB -> Decompression.inflateExactly(bytes, sizeBytes);
        case NONE -> requireLength(bytes, sizeBytes);
      };
    } catch (IOException e) {
      throw unreadable(path, e);
    } catch (CvmfsException.Corrupt e) {
      throw new CvmfsException.Corrupt(path + " from " + files + ": " + e.getMessage(), e);
    }
  }

  private static byte[] requireLength(byte[] content, int sizeBytes) {
    if (content.length != sizeBytes) {
      throw new CvmfsException.Corrupt(
          "it has " + content.length + " bytes of content, its catalog says " + sizeBytes);
    }
    return content;
  }

  private long copy(
      ContentHash hash,
      ObjectKind kind,
      CompressionAlgorithm compression,
      long maxBytes,
      OutputStream target)
      throws IOException {
    String path = kind.pathOf(hash);
    byte[] buffer = new byte[COPY_BYTES];
    long copied = 0;
    try (StoredStream stored = new StoredStream(files.open(path), hash, maxBytes);
        InputStream content = decompressed(stored, compression, maxBytes)) {
      for (int count; (count = readOrFail(content, buffer, path)) >= 0; copied += count) {
        target.write(buffer, 0, count);
      }
      drain(stored, buffer, path);
      stored.requireHash(path);
      return copied;
    } catch (CvmfsException.Corrupt e) {
      throw new CvmfsException.Corrupt(path + " from " + files + ": " + e.getMessage(), e);
    }
  }

  /** Tells failures of the source from those of whatever the bytes are written to. */
  private int readOrFail(InputStream content, byte[] buffer, String path) {
    try {
      return content.read(buffer);
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  private void drain(StoredStream stored, byte[] buffer, String path) {
    while (readOrFail(stored, buffer, path) >= 0) {
      // Only hashed: the content has ended.
    }
  }

  /**
   * Compares the bytes of any file with the hash that it should have, and returns their number;
   * throws as {@link #verify}.
   */
  public long verifyStored(String path, ContentHash hash) {
    try (StoredStream stored = new StoredStream(files.open(path), hash, MAX_STORED_BYTES)) {
      stored.transferTo(OutputStream.nullOutputStream());
      stored.requireHash(path);
      return stored.totalBytes();
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  private static InputStream decompressed(
      InputStream stored, CompressionAlgorithm compression, long sizeBytes) {
    return switch (compression) {
      case ZLIB -> Decompression.stream(stored, sizeBytes);
      case NONE -> stored;
    };
  }

  private static Optional<String> contentProblem(InputStream content, long sizeBytes)
      throws IOException {
    try {
      long length = content.transferTo(OutputStream.nullOutputStream());
      return length == sizeBytes
          ? Optional.empty()
          : Optional.of("it has " + length + " bytes, not " + sizeBytes);
    } catch (CvmfsException.Corrupt e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /** Fetches the stored bytes and compares their hash. */
  private Spool fetch(ContentHash hash, ObjectKind kind, long contentBytes) {
    String path = kind.pathOf(hash);
    try (StoredStream stored = new StoredStream(files.open(path), hash, contentBytes)) {
      Spool spool = Spool.of(stored, scratch);
      try {
        stored.requireHash(path);
        return spool;
      } catch (CvmfsException e) {
        spool.close();
        throw e;
      }
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  private CvmfsException.Retryable unreadable(String path, IOException e) {
    return new CvmfsException.Retryable(
        "cannot read " + path + " from " + files + ": " + e.getMessage(), e);
  }
}
