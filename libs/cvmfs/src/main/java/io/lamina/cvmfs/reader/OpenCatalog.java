package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.catalog.CatalogReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A catalog that is open, and the scratch file in which a large one lies. Not thread-safe. */
public final class OpenCatalog implements AutoCloseable {
  private final CatalogReader reader;
  private final long sizeBytes;
  private final Optional<Path> file;

  private OpenCatalog(CatalogReader reader, long sizeBytes, Optional<Path> file) {
    this.reader = reader;
    this.sizeBytes = sizeBytes;
    this.file = file;
  }

  /** Takes the content over. */
  static OpenCatalog of(Spool content, long expectedBytes) throws IOException {
    try {
      long size = content.sizeBytes();
      if (expectedBytes > 0 && size != expectedBytes) {
        throw new CvmfsException.Corrupt(
            "catalog file size mismatch, expected " + expectedBytes + ", got " + size);
      }
      Optional<Path> file = content.file();
      CatalogReader reader =
          file.isPresent() ? CatalogReader.open(file.get()) : CatalogReader.open(content.memory());
      return new OpenCatalog(reader, size, file);
    } catch (IOException | RuntimeException e) {
      content.close();
      throw e;
    }
  }

  public CatalogReader reader() {
    return reader;
  }

  /** Uncompressed size of the database. */
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public void close() {
    try {
      reader.close();
    } finally {
      if (file.isPresent()) {
        remove(file.get());
      }
    }
  }

  private static void remove(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new CvmfsException.Retryable("cannot remove the scratch file " + file, e);
    }
  }
}
