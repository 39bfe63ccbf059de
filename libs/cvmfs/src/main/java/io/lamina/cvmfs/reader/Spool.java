package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.CvmfsException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Bytes that are held until they are needed: short ones in memory, long ones in a file. */
final class Spool implements AutoCloseable {
  private final byte[] memory;
  private final @Nullable Path file;

  private Spool(byte[] memory, @Nullable Path file) {
    this.memory = memory;
    this.file = file;
  }

  /** Reads the stream to its end. */
  static Spool of(InputStream in, Path scratch) throws IOException {
    byte[] start = in.readNBytes(VerifiedObjects.MAX_IN_MEMORY_BYTES);
    int next = start.length < VerifiedObjects.MAX_IN_MEMORY_BYTES ? -1 : in.read();
    if (next < 0) {
      return new Spool(start, null);
    }
    Path file = Files.createTempFile(scratch, "lamina-object-", ".tmp");
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(start);
      out.write(next);
      in.transferTo(out);
      return new Spool(new byte[0], file);
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(file);
      throw e;
    }
  }

  InputStream open() throws IOException {
    return file == null ? new ByteArrayInputStream(memory) : Files.newInputStream(file);
  }

  Optional<Path> file() {
    return Optional.ofNullable(file);
  }

  byte[] memory() {
    return memory;
  }

  long sizeBytes() throws IOException {
    return file == null ? memory.length : Files.size(file);
  }

  @Override
  public void close() {
    if (file != null) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        throw new CvmfsException.Retryable("cannot remove the scratch file " + file, e);
      }
    }
  }
}
