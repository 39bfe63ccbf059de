package io.lamina.image.layer;

import com.github.luben.zstd.ZstdIOException;
import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import io.lamina.image.Descriptor;
import io.lamina.image.ImageException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.Arrays;

/**
 * How a layer's blob is packed. The bytes decide, as they do in container engines; the media type
 * must not name a packing that is unknown here.
 *
 * <p>Source: docs/conversion.md, "Decompression".
 */
enum Decompression {
  GZIP,
  ZSTD,
  PLAIN;

  /** 128 MiB: what decoders accept without being told otherwise; bounds native memory. */
  private static final int ZSTD_MAX_WINDOW_LOG = 27;

  private static final int MAGIC_BYTES = 6;

  /** The unpacked bytes of {@code source}; closing the stream leaves the source open. */
  static InputStream open(Descriptor blob, BlobSource source) throws IOException {
    String mediaType = blob.mediaType();
    if (mediaType.endsWith("+encrypted")) {
      throw new ImageException.Rejected(
          "layer "
              + blob.digest()
              + " is encrypted ("
              + mediaType
              + "); only plain layers convert");
    }
    byte[] head = source.readNBytes(MAGIC_BYTES);
    InputStream all =
        head.length < MAGIC_BYTES
            ? new ByteArrayInputStream(head)
            : new SequenceInputStream(new ByteArrayInputStream(head), source);
    return switch (of(head, blob)) {
      case GZIP -> new GzipDecoder(all);
      case ZSTD -> zstd(all);
      case PLAIN -> all;
    };
  }

  private static Decompression of(byte[] head, Descriptor blob) {
    if (startsWith(head, 0x1f, 0x8b)) {
      return GZIP;
    }
    boolean skippable =
        head.length >= 4
            && (head[0] & 0xf0) == 0x50
            && startsWith(Arrays.copyOfRange(head, 1, 4), 0x2a, 0x4d, 0x18);
    if (startsWith(head, 0x28, 0xb5, 0x2f, 0xfd) || skippable) {
      return ZSTD;
    }
    if (startsWith(head, 'B', 'Z', 'h') || startsWith(head, 0xfd, '7', 'z', 'X', 'Z')) {
      throw new ImageException.Rejected(
          "layer "
              + blob.digest()
              + " is packed with bzip2 or xz; gzip, zstd and plain tar convert");
    }
    return PLAIN;
  }

  private static boolean startsWith(byte[] head, int... magic) {
    if (head.length < magic.length) {
      return false;
    }
    for (int i = 0; i < magic.length; i++) {
      if ((head[i] & 0xff) != magic[i]) {
        return false;
      }
    }
    return true;
  }

  private static InputStream zstd(InputStream in) throws IOException {
    ZstdInputStreamNoFinalizer zstd = new ZstdInputStreamNoFinalizer(in);
    zstd.setLongMax(ZSTD_MAX_WINDOW_LOG);
    return new InputStream() {
      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] target, int offset, int length) {
        try {
          return zstd.read(target, offset, length);
        } catch (ZstdIOException e) {
          throw new ImageException.Rejected(
              "the layer's zstd stream is broken: " + e.getMessage(), e);
        } catch (IOException e) {
          throw new ImageException.Rejected("the layer's zstd stream ends too early", e);
        }
      }

      @Override
      public void close() throws IOException {
        zstd.close();
      }
    };
  }
}
