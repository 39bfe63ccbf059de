package io.lamina.cvmfs.catalog;

import java.util.Arrays;

/**
 * Assembles one record of an SQLite table or index: a header with a type for each column, then the
 * values.
 *
 * <p>Source: SQLite's "Database File Format", section 2.1. Reused for record after record; not
 * thread-safe.
 */
final class RecordWriter {
  private static final int MAX_VARINT_BYTES = 9;
  private static final int MAX_COLUMNS = 20;
  private static final int FIRST_BLOB_TYPE = 12;
  private static final int FIRST_TEXT_TYPE = 13;
  private static final int TYPE_ZERO = 8;
  private static final int TYPE_ONE = 9;
  private static final int ONE_BYTE_VARINT = 0x80;

  private final byte[] header = new byte[MAX_COLUMNS * MAX_VARINT_BYTES];
  private byte[] body = new byte[512];
  private int headerLength;
  private int bodyLength;

  RecordWriter start() {
    headerLength = 0;
    bodyLength = 0;
    return this;
  }

  RecordWriter putNull() {
    header[headerLength++] = 0;
    return this;
  }

  /** An integer in the shortest form that holds it, as SQLite itself chooses. */
  RecordWriter put(long value) {
    if (value == 0 || value == 1) {
      header[headerLength++] = (byte) (value == 0 ? TYPE_ZERO : TYPE_ONE);
      return this;
    }
    int type = integerType(value);
    int bytes = integerBytes(type);
    header[headerLength++] = (byte) type;
    reserve(bytes);
    for (int shift = (bytes - 1) * Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
      body[bodyLength++] = (byte) (value >> shift);
    }
    return this;
  }

  RecordWriter putBlob(byte[] value) {
    return putBytes(value, FIRST_BLOB_TYPE);
  }

  /** Text; the bytes must be valid UTF-8. */
  RecordWriter putText(byte[] utf8) {
    return putBytes(utf8, FIRST_TEXT_TYPE);
  }

  private RecordWriter putBytes(byte[] value, int firstType) {
    headerLength += Varint.write(header, headerLength, 2L * value.length + firstType);
    reserve(value.length);
    System.arraycopy(value, 0, body, bodyLength, value.length);
    bodyLength += value.length;
    return this;
  }

  int length() {
    return 1 + headerLength + bodyLength;
  }

  /** Copies the record to {@code target} and returns the position after it. */
  int copyTo(byte[] target, int position) {
    if (headerLength + 1 >= ONE_BYTE_VARINT) {
      throw new IllegalStateException("a record header of " + headerLength + " bytes");
    }
    target[position] = (byte) (headerLength + 1);
    System.arraycopy(header, 0, target, position + 1, headerLength);
    System.arraycopy(body, 0, target, position + 1 + headerLength, bodyLength);
    return position + length();
  }

  private void reserve(int bytes) {
    if (body.length - bodyLength < bytes) {
      body = Arrays.copyOf(body, Math.max(2 * body.length, bodyLength + bytes));
    }
  }

  private static int integerType(long value) {
    long magnitude = value < 0 ? ~value : value;
    if (magnitude < 1L << 7) {
      return 1;
    } else if (magnitude < 1L << 15) {
      return 2;
    } else if (magnitude < 1L << 23) {
      return 3;
    } else if (magnitude < 1L << 31) {
      return 4;
    }
    return magnitude < 1L << 47 ? 5 : 6;
  }

  private static int integerBytes(int type) {
    return switch (type) {
      case 5 -> 6;
      case 6 -> 8;
      default -> type;
    };
  }
}
