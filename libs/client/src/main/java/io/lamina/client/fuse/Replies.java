package io.lamina.client.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** Writes the parts of answers. */
final class Replies {
  private static final long NANOS = 1_000_000_000L;
  private static final int BLOCK = 512;
  private static final int IO_BLOCK = 4096;

  private Replies() {}

  /** {@code struct fuse_entry_out}. */
  static void putEntry(MemorySegment out, Attributes attributes) {
    out.set(JAVA_LONG_UNALIGNED, 0, attributes.node());
    out.set(JAVA_LONG_UNALIGNED, 8, 0);
    putValidity(out, attributes.validNanos());
    putAttributes(out.asSlice(40), attributes);
  }

  private static void putValidity(MemorySegment out, long nanos) {
    out.set(JAVA_LONG_UNALIGNED, 16, nanos / NANOS);
    out.set(JAVA_LONG_UNALIGNED, 24, nanos / NANOS);
    out.set(JAVA_INT_UNALIGNED, 32, (int) (nanos % NANOS));
    out.set(JAVA_INT_UNALIGNED, 36, (int) (nanos % NANOS));
  }

  /** {@code struct fuse_attr_out}. */
  static void putAttributeReply(MemorySegment out, Attributes attributes) {
    out.set(JAVA_LONG_UNALIGNED, 0, attributes.validNanos() / NANOS);
    out.set(JAVA_INT_UNALIGNED, 8, (int) (attributes.validNanos() % NANOS));
    out.set(JAVA_INT_UNALIGNED, 12, 0);
    putAttributes(out.asSlice(16), attributes);
  }

  /** {@code struct fuse_attr}; the original client shows one block more than the content needs. */
  private static void putAttributes(MemorySegment out, Attributes attributes) {
    out.set(JAVA_LONG_UNALIGNED, 0, attributes.inode());
    out.set(JAVA_LONG_UNALIGNED, 8, attributes.sizeBytes());
    out.set(JAVA_LONG_UNALIGNED, 16, 1 + attributes.sizeBytes() / BLOCK);
    for (int time = 24; time < 48; time += 8) {
      out.set(JAVA_LONG_UNALIGNED, time, attributes.mtimeSeconds());
    }
    for (int time = 48; time < 60; time += 4) {
      out.set(JAVA_INT_UNALIGNED, time, attributes.mtimeNanos());
    }
    out.set(JAVA_INT_UNALIGNED, 60, attributes.mode());
    out.set(JAVA_INT_UNALIGNED, 64, attributes.links());
    out.set(JAVA_INT_UNALIGNED, 68, attributes.uid());
    out.set(JAVA_INT_UNALIGNED, 72, attributes.gid());
    out.set(JAVA_INT_UNALIGNED, 76, attributes.device());
    out.set(JAVA_INT_UNALIGNED, 80, IO_BLOCK);
    out.set(JAVA_INT_UNALIGNED, 84, 0);
  }
}
