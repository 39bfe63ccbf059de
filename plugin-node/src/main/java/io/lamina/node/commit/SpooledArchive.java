package io.lamina.node.commit;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.manifest.MediaTypes;
import io.lamina.layers.LayersException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A layer's archive in a file, until it is closed: it may have to be sent more than once, and its
 * name is its digest, which is known only at its end. It is not compressed, so that its digest
 * depends on nothing but the layer's files. Immutable once it is made.
 */
final class SpooledArchive implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SpooledArchive.class);
  private static final String PREFIX = "commit-";
  private static final int BUFFER_BYTES = 64 << 10;

  private final Path file;
  private final Descriptor descriptor;
  private final boolean isEmpty;

  private SpooledArchive(Path file, Descriptor descriptor, boolean isEmpty) {
    this.file = file;
    this.descriptor = descriptor;
    this.isEmpty = isEmpty;
  }

  /** Makes the folder, and removes what a process that was killed has left. */
  static void prepare(Path folder) throws IOException {
    Files.createDirectories(
        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(folder, PREFIX + "*")) {
      for (Path leftover : leftovers) {
        Files.deleteIfExists(leftover);
      }
    }
  }

  /**
   * @param pack writes the archive
   * @throws LayersException.Exhausted if it gets too long or the disk is full
   */
  static SpooledArchive of(Path folder, long maxBytes, Consumer<OutputStream> pack) {
    Path file = null;
    Hashing hashing = null;
    try {
      file = Files.createTempFile(folder, PREFIX, ".tar");
      hashing = new Hashing(file, maxBytes);
      try (OutputStream out = new BufferedOutputStream(hashing, BUFFER_BYTES)) {
        pack.accept(out);
      }
      return new SpooledArchive(
          file,
          new Descriptor(
              MediaTypes.OCI_LAYER_PLAIN,
              Digest.ofBytes(hashing.sha256.digest()),
              hashing.sizeBytes),
          hashing.isEmpty);
    } catch (IOException e) {
      delete(file);
      throw exhausted(folder, e);
    } catch (RuntimeException e) {
      delete(file);
      // Whoever packs sees a stream that fails, and tells it as any other.
      throw hashing == null || hashing.failure == null ? e : exhausted(folder, hashing.failure);
    }
  }

  private static LayersException.Exhausted exhausted(Path folder, IOException e) {
    return new LayersException.Exhausted(
        "the layer's archive cannot be kept in " + folder + ": " + e.getMessage(), e);
  }

  /** Counts, hashes and bounds what goes into a file. */
  private static final class Hashing extends OutputStream {
    private final OutputStream out;
    private final long maxBytes;
    final MessageDigest sha256 = Digest.newSha256();
    long sizeBytes;
    boolean isEmpty = true;
    @Nullable IOException failure;

    Hashing(Path file, long maxBytes) throws IOException {
      this.out = Files.newOutputStream(file);
      this.maxBytes = maxBytes;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (sizeBytes + length > maxBytes) {
        throw failed(
            new IOException(
                "it has more than " + maxBytes + " bytes, the bound (plugin.commit.size)"));
      }
      if (sizeBytes == 0 && length > 0) {
        // An archive without entries begins with its end, which is zeros.
        isEmpty = bytes[offset] == 0;
      }
      sha256.update(bytes, offset, length);
      sizeBytes += length;
      try {
        out.write(bytes, offset, length);
      } catch (IOException e) {
        throw failed(e);
      }
    }

    private IOException failed(IOException cause) {
      failure = cause;
      return cause;
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }

  Path file() {
    return file;
  }

  Descriptor descriptor() {
    return descriptor;
  }

  /** Whether the layer changed nothing. */
  boolean isEmpty() {
    return isEmpty;
  }

  private static void delete(@Nullable Path file) {
    if (file == null) {
      return;
    }
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      LOG.atWarn().addKeyValue("file", file).setCause(e).log("archive stays until the next start");
    }
  }

  @Override
  public void close() {
    delete(file);
  }
}
