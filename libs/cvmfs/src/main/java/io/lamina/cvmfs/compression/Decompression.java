package io.lamina.cvmfs.compression;

import io.lamina.cvmfs.CvmfsException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Reads objects: exactly one zlib stream, nothing after it, and never more content than the caller
 * allows.
 *
 * <p>Source: docs/format/objects.md, "Compression". Thread-safe; the streams it gives are not.
 */
public final class Decompression {
  private static final int SMALLEST_GUESS_BYTES = 256;
  private static final int USUAL_RATIO = 4;

  private Decompression() {}

  /**
   * The content of a whole object.
   *
   * @throws CvmfsException.Corrupt if it is not one complete zlib stream or holds more than {@code
   *     maxBytes}
   */
  public static byte[] inflate(byte[] stored, int maxBytes) {
    int guess =
        (int)
            Math.min(maxBytes, Math.max(SMALLEST_GUESS_BYTES, (long) stored.length * USUAL_RATIO));
    return inflate(stored, guess, maxBytes);
  }

  /**
   * The content of a whole object whose length is known.
   *
   * @throws CvmfsException.Corrupt also if it has another length
   */
  public static byte[] inflateExactly(byte[] stored, int sizeBytes) {
    byte[] content = inflate(stored, sizeBytes, sizeBytes);
    if (content.length != sizeBytes) {
      throw new CvmfsException.Corrupt(
          "the object holds " + content.length + " bytes of content, not " + sizeBytes);
    }
    return content;
  }

  /**
   * Streams an object's content. The end is only reported after {@code stored} has been read to its
   * own end, so a digest of what was read from it is complete then; closing closes it.
   *
   * <p>Reading throws {@link CvmfsException.Corrupt} where {@link #inflate} does, and passes on
   * what {@code stored} throws.
   */
  public static InputStream stream(InputStream stored, long maxBytes) {
    return new InflatingStream(stored, maxBytes);
  }

  private static byte[] inflate(byte[] stored, int firstRoom, int maxBytes) {
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(stored);
      byte[] content = new byte[firstRoom];
      int filled = 0;
      while (true) {
        filled += inflater.inflate(content, filled, content.length - filled);
        if (inflater.finished()) {
          break;
        }
        if (filled < content.length) {
          throw unfinished(inflater, filled);
        }
        content = grown(inflater, content, maxBytes);
      }
      if (inflater.getRemaining() > 0) {
        throw trailing(inflater.getRemaining());
      }
      return filled == content.length ? content : Arrays.copyOf(content, filled);
    } catch (DataFormatException e) {
      throw new CvmfsException.Corrupt("not a zlib stream: " + e.getMessage(), e);
    } finally {
      inflater.end();
    }
  }

  /** A longer array; at the bound, one byte shows whether the stream has ended there. */
  private static byte[] grown(Inflater inflater, byte[] content, int maxBytes)
      throws DataFormatException {
    if (content.length < maxBytes) {
      return Arrays.copyOf(
          content, (int) Math.min(maxBytes, Math.max(SMALLEST_GUESS_BYTES, 2L * content.length)));
    }
    if (inflater.inflate(new byte[1]) > 0) {
      throw tooLong(maxBytes);
    }
    if (!inflater.finished()) {
      throw unfinished(inflater, content.length);
    }
    return content;
  }

  static CvmfsException.Corrupt unfinished(Inflater inflater, long filled) {
    return new CvmfsException.Corrupt(
        inflater.needsDictionary()
            ? "the zlib stream wants a preset dictionary"
            : "the zlib stream breaks off after " + filled + " bytes of content");
  }

  static CvmfsException.Corrupt trailing(int bytes) {
    return new CvmfsException.Corrupt(
        "at least " + bytes + " bytes follow the end of the zlib stream");
  }

  static CvmfsException.Corrupt tooLong(long maxBytes) {
    return new CvmfsException.Corrupt(
        "the zlib stream holds more than the allowed " + maxBytes + " bytes of content");
  }
}
