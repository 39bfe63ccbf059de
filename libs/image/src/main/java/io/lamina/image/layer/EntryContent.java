package io.lamina.image.layer;

import io.lamina.image.ImageException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The bytes of one file, holes filled with zeros; never more than its size. Single-threaded. */
final class EntryContent extends InputStream {
  private final TarInput in;
  private final String entry;
  private final @Nullable SparseMap sparse;
  private final long size;
  private long position;
  private long storedLeft;
  private int segment;
  private boolean detached;

  EntryContent(TarInput in, String entry, long storedBytes, @Nullable SparseMap sparse) {
    this.in = in;
    this.entry = entry;
    this.sparse = sparse;
    this.storedLeft = storedBytes;
    this.size = sparse == null ? storedBytes : sparse.realSize();
  }

  long sizeBytes() {
    return size;
  }

  @Override
  public int read() {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) {
    if (detached) {
      throw new IllegalStateException("the content of " + entry + " was passed already");
    }
    if (length == 0) {
      return 0;
    }
    if (position == size) {
      return -1;
    }
    int n =
        sparse == null
            ? stored(target, offset, length, storedLeft)
            : mapped(target, offset, length, sparse);
    position += n;
    return n;
  }

  private int mapped(byte[] target, int offset, int length, SparseMap map) {
    while (segment < map.segments() && position >= map.offset(segment) + map.length(segment)) {
      segment++;
    }
    if (segment < map.segments() && position >= map.offset(segment)) {
      long left = map.offset(segment) + map.length(segment) - position;
      return stored(target, offset, length, left);
    }
    long holeEnd = segment < map.segments() ? map.offset(segment) : size;
    int n = (int) Math.min(length, holeEnd - position);
    Arrays.fill(target, offset, offset + n, (byte) 0);
    return n;
  }

  private int stored(byte[] target, int offset, int length, long left) {
    int n = in.read(target, offset, (int) Math.min(length, left));
    if (n < 0) {
      throw truncated(entry);
    }
    storedLeft -= n;
    return n;
  }

  /** Passes over what was not read, and the padding; the content cannot be read afterwards. */
  void detach(long paddingBytes) {
    detached = true;
    if (in.skip(storedLeft) < storedLeft) {
      throw truncated(entry);
    }
    // A last file without its padding is complete all the same.
    in.skip(paddingBytes);
    storedLeft = 0;
  }

  static ImageException.Rejected truncated(String entry) {
    return new ImageException.Rejected("the layer ends within the content of " + entry);
  }
}
