package io.lamina.image.layer;

import io.lamina.image.ImageException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.DataFormatException;

/**
 * Decompresses gzip of one or more members (RFC 1952). Zero bytes after the last member are
 * padding; anything else there is an error. The members' CRCs are not computed: the caller compares
 * SHA-256 digests of both sides. Single-threaded.
 */
final class GzipDecoder extends InputStream {
  private static final int BUFFER_BYTES = 1 << 17;
  private static final int HISTORY_BYTES = 8;
  private static final int FLAG_HEADER_CRC = 2;
  private static final int FLAG_EXTRA = 4;
  private static final int FLAG_NAME = 8;
  private static final int FLAG_COMMENT = 16;
  private static final int RESERVED_FLAGS = 0xe0;
  private static final int MAX_HEADER_TEXT = 1 << 16;

  private final InputStream in;
  private final RawInflate inflater;

  /** The last bytes of the fill before, then those of the current one. */
  private final byte[] buffer = new byte[HISTORY_BYTES + BUFFER_BYTES];

  private int position = HISTORY_BYTES;
  private int limit = HISTORY_BYTES;
  private boolean inMember;
  private boolean atEnd;
  private long members;

  GzipDecoder(InputStream in) {
    this(in, RawInflate.fastest());
  }

  GzipDecoder(InputStream in, RawInflate inflater) {
    this.in = in;
    this.inflater = inflater;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (!atEnd) {
      if (!inMember && !nextMember()) {
        atEnd = true;
        break;
      }
      int n = inflate(target, offset, length);
      if (n > 0) {
        return n;
      }
    }
    return -1;
  }

  /** Bytes of this member, or 0 at its end. */
  private int inflate(byte[] target, int offset, int length) throws IOException {
    try {
      while (true) {
        int n = inflater.inflate(target, offset, length);
        if (n > 0) {
          return n;
        }
        if (inflater.finished()) {
          position = limit - inflater.remaining();
          inMember = false;
          for (int i = 0; i < 8; i++) {
            required();
          }
          return 0;
        }
        if (inflater.remaining() > 0) {
          throw broken("the decompressor does not get on");
        }
        if (!fill()) {
          throw broken("it ends within compressed data");
        }
        inflater.input(buffer, HISTORY_BYTES, limit - HISTORY_BYTES);
        position = limit;
      }
    } catch (DataFormatException e) {
      throw broken(e.getMessage() == null ? "invalid compressed data" : e.getMessage());
    }
  }

  private boolean nextMember() throws IOException {
    int first = next();
    while (first == 0 && members > 0) {
      first = next();
      if (first > 0) {
        throw broken("garbage after the last member");
      }
    }
    if (first < 0) {
      if (members == 0) {
        throw broken("it is empty");
      }
      return false;
    }
    if (first != 0x1f || required() != 0x8b) {
      throw broken(members == 0 ? "no gzip header" : "garbage after the last member");
    }
    if (required() != 8) {
      throw broken("unknown compression method");
    }
    int flags = required();
    if ((flags & RESERVED_FLAGS) != 0) {
      throw broken("reserved header flags are set");
    }
    for (int i = 0; i < 6; i++) {
      required();
    }
    if ((flags & FLAG_EXTRA) != 0) {
      int extra = required() | required() << 8;
      for (int i = 0; i < extra; i++) {
        required();
      }
    }
    if ((flags & FLAG_NAME) != 0) {
      skipText();
    }
    if ((flags & FLAG_COMMENT) != 0) {
      skipText();
    }
    if ((flags & FLAG_HEADER_CRC) != 0) {
      required();
      required();
    }
    inflater.reset();
    inflater.input(buffer, position, limit - position);
    members++;
    inMember = true;
    return true;
  }

  private void skipText() throws IOException {
    for (int i = 0; i < MAX_HEADER_TEXT; i++) {
      if (required() == 0) {
        return;
      }
    }
    throw broken("a header text is longer than " + MAX_HEADER_TEXT + " bytes");
  }

  private int required() throws IOException {
    int b = next();
    if (b < 0) {
      throw broken("it ends within a header or trailer");
    }
    return b;
  }

  private int next() throws IOException {
    return position < limit || fill() ? buffer[position++] & 0xff : -1;
  }

  private boolean fill() throws IOException {
    System.arraycopy(buffer, limit - HISTORY_BYTES, buffer, 0, HISTORY_BYTES);
    int n = in.read(buffer, HISTORY_BYTES, BUFFER_BYTES);
    position = HISTORY_BYTES;
    limit = HISTORY_BYTES + Math.max(n, 0);
    return n > 0;
  }

  private ImageException.Rejected broken(String reason) {
    return new ImageException.Rejected(
        "the layer's gzip stream is broken in member " + Math.max(members, 1) + ": " + reason);
  }

  @Override
  public void close() {
    inflater.close();
  }
}
