package io.lamina.image.layer;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;

/** Layers in memory, and what is read from them. */
final class Blobs {
  static final String TAR = "application/vnd.oci.image.layer.v1.tar";
  static final String GZIP = TAR + "+gzip";
  static final String ZSTD = TAR + "+zstd";

  private Blobs() {}

  static Digest sha256(byte[] bytes) {
    try {
      return Digest.ofBytes(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  static LayerDescriptor layer(String mediaType, byte[] blob, byte[] tar) {
    return new LayerDescriptor(new Descriptor(mediaType, sha256(blob), blob.length), sha256(tar));
  }

  static LayerReader open(String mediaType, byte[] blob, byte[] tar, LayerLimits limits) {
    return LayerReader.open(layer(mediaType, blob, tar), new Source(blob), limits);
  }

  /** Refuses to be read once it is closed, as files and connections do. */
  private static final class Source extends FilterInputStream {
    private volatile boolean closed;

    Source(byte[] blob) {
      super(new ByteArrayInputStream(blob));
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (closed) {
        throw new IOException("closed");
      }
      return super.read(target, offset, length);
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  static LayerReader open(byte[] tar) {
    return open(TAR, tar, tar, LayerLimits.DEFAULT);
  }

  static byte[] gzip(byte[] bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /** An entry and, of a file, all of its content. */
  record Read(LayerEntry entry, byte[] content) {
    @Override
    public String toString() {
      return entry.getClass().getSimpleName() + " " + entry.path();
    }
  }

  static List<Read> readAll(LayerReader reader) {
    List<Read> all = new ArrayList<>();
    Optional<LayerEntry> next = reader.next();
    while (next.isPresent()) {
      byte[] content = new byte[0];
      if (next.get() instanceof LayerEntry.RegularFile file) {
        try {
          content = file.content().readAllBytes();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
      all.add(new Read(next.get(), content));
      next = reader.next();
    }
    reader.finish();
    return all;
  }

  static List<Read> readAll(byte[] tar) {
    try (LayerReader reader = open(tar)) {
      return readAll(reader);
    }
  }
}
