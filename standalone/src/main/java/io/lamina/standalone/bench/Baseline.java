package io.lamina.standalone.bench;

import com.github.luben.zstd.ZstdInputStream;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.zip.Deflater;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * What is compared with: layers read by the JDK's own means (and zstd's library, for layers that
 * are packed so), in one thread each, without anything of Lamina. Thread-safe.
 */
final class Baseline {
  private static final int BUFFER_BYTES = 1 << 18;
  private static final int ORIGINAL_LEVEL = 6;

  private Baseline() {}

  /**
   * Reads, unpacks, and compares both digests.
   *
   * @return the archive's length
   */
  static long plain(BenchInput.Layer layer) throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    try (Opened opened = new Opened(layer)) {
      return opened.finish(buffer);
    }
  }

  /** The same; and each file's content is compressed and hashed, and dropped. */
  static long perFile(BenchInput.Layer layer) throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    byte[] packed = new byte[BUFFER_BYTES];
    try (Opened opened = new Opened(layer);
        TarArchiveInputStream tar = new TarArchiveInputStream(opened.archive);
        Deflater deflater = new Deflater(ORIGINAL_LEVEL)) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        if (entry.isFile() && tar.canReadEntryData(entry)) {
          MessageDigest sha1 = digest("SHA-1");
          deflater.reset();
          for (int n = tar.read(buffer); n >= 0; n = tar.read(buffer)) {
            deflater.setInput(buffer, 0, n);
            while (!deflater.needsInput()) {
              sha1.update(packed, 0, deflater.deflate(packed));
            }
          }
          deflater.finish();
          while (!deflater.finished()) {
            sha1.update(packed, 0, deflater.deflate(packed));
          }
          sha1.digest();
        }
      }
      return opened.finish(buffer);
    }
  }

  /** A layer under way. */
  private static final class Opened implements AutoCloseable {
    private final LayerDescriptor descriptor;
    private final MessageDigest blobDigest = digest("SHA-256");
    private final MessageDigest archiveDigest = digest("SHA-256");
    private final InputStream blob;
    private final Counted unpacked;

    /** Unpacked bytes; all that is read from here is counted and hashed. */
    final InputStream archive;

    Opened(BenchInput.Layer layer) throws IOException {
      this.descriptor = layer.descriptor();
      this.blob =
          new BufferedInputStream(
              new DigestInputStream(layer.blob().open(), blobDigest), BUFFER_BYTES);
      this.unpacked = new Counted(new DigestInputStream(unpack(blob), archiveDigest));
      this.archive = new BufferedInputStream(unpacked, BUFFER_BYTES);
    }

    /** Reads what is left and compares; the archive's length. */
    long finish(byte[] buffer) throws IOException {
      drain(archive, buffer);
      drain(blob, buffer);
      compare(descriptor.blob().digest(), blobDigest);
      compare(descriptor.diffId(), archiveDigest);
      return unpacked.bytes;
    }

    private static void compare(Digest expected, MessageDigest actual) {
      Digest found = Digest.ofBytes(actual.digest());
      if (!found.equals(expected)) {
        throw new BenchmarkException("a layer's digest is " + found + ", not " + expected);
      }
    }

    @Override
    public void close() throws IOException {
      try (blob) {
        archive.close();
      }
    }
  }

  private static void drain(InputStream in, byte[] buffer) throws IOException {
    while (in.read(buffer) >= 0) {
      // Counted and hashed on the way.
    }
  }

  private static InputStream unpack(InputStream blob) throws IOException {
    blob.mark(4);
    int magic = blob.read() << 8 | blob.read();
    blob.reset();
    return switch (magic) {
      case 0x1f8b -> new GZIPInputStream(blob, BUFFER_BYTES);
      case 0x28b5 -> new ZstdInputStream(blob);
      default -> blob;
    };
  }

  private static MessageDigest digest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has " + algorithm, e);
    }
  }

  /** Counts bytes in bulk reads, the only ones that a buffer above it makes. */
  private static final class Counted extends FilterInputStream {
    private long bytes;

    Counted(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      int n = super.read(target, offset, length);
      bytes += Math.max(n, 0);
      return n;
    }
  }
}
