package io.lamina.client.fuse;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/** Takes the entries of a directory that answer one request. Not thread-safe. */
public final class DirectoryBuffer {
  private static final int ALIGNMENT = 8;
  private static final int TYPE_SHIFT = 12;
  private static final int TYPE_BITS = 15;

  private final MemorySegment target;
  private final boolean withAttributes;
  private long filled;

  DirectoryBuffer(MemorySegment target, boolean withAttributes) {
    this.target = target;
    this.withAttributes = withAttributes;
  }

  /**
   * Adds an entry, if there is room.
   *
   * @param next the number from which to read on after this entry
   * @param mode for the type
   * @param attributes asked for only if they are wanted and there is room; this counts a reference
   * @return false if there is no room
   */
  public boolean add(
      byte[] name, long next, long inode, int mode, Supplier<Attributes> attributes) {
    return add(name, next, inode, mode, attributes, true);
  }

  /** As {@link #add}, for {@code .} and {@code ..}, of which the kernel takes no attributes. */
  public boolean addDots(String name, long next, long inode, int mode) {
    return add(
        name.getBytes(StandardCharsets.US_ASCII),
        next,
        inode,
        mode,
        () -> {
          throw new IllegalStateException("nobody asks for them");
        },
        false);
  }

  private boolean add(
      byte[] name,
      long next,
      long inode,
      int mode,
      Supplier<Attributes> attributes,
      boolean isNode) {
    long head = withAttributes ? Wire.ENTRY_OUT_BYTES : 0;
    long length = padded(head + Wire.DIRENT_BYTES + name.length);
    if (filled + length > target.byteSize()) {
      return false;
    }
    MemorySegment entry = target.asSlice(filled, length).fill((byte) 0);
    if (withAttributes && isNode) {
      Replies.putEntry(entry, attributes.get());
    }
    entry.set(ValueLayout.JAVA_LONG_UNALIGNED, head, inode);
    entry.set(ValueLayout.JAVA_LONG_UNALIGNED, head + 8, next);
    entry.set(ValueLayout.JAVA_INT_UNALIGNED, head + 16, name.length);
    entry.set(ValueLayout.JAVA_INT_UNALIGNED, head + 20, mode >>> TYPE_SHIFT & TYPE_BITS);
    MemorySegment.copy(
        name, 0, entry, ValueLayout.JAVA_BYTE, head + Wire.DIRENT_BYTES, name.length);
    filled += length;
    return true;
  }

  private static long padded(long length) {
    return Math.ceilDiv(length, ALIGNMENT) * ALIGNMENT;
  }

  long filled() {
    return filled;
  }
}
