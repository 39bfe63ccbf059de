package io.lamina.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Extended attributes of entries, links themselves included. Names are ISO-8859-1, one character a
 * byte. Source: man 7 xattr.
 */
final class Xattrs {
  /** The kernel's own limit for a value and for a list of names. */
  private static final int MAX_BYTES = 1 << 16;

  private static final int FIRST_GUESS_BYTES = 256;

  private Xattrs() {}

  static long name(Arena arena, String name) {
    return Native.text(arena, name.getBytes(StandardCharsets.ISO_8859_1));
  }

  static long value(Arena arena, byte[] value) {
    MemorySegment segment = arena.allocate(Math.max(value.length, 1));
    MemorySegment.copy(value, 0, segment, ValueLayout.JAVA_BYTE, 0, value.length);
    return segment.address();
  }

  /**
   * @param get the call, by path
   */
  static Optional<byte[]> read(Call get, byte[] path, String name, String subject) {
    try (Arena arena = Arena.ofConfined()) {
      long pathAddress = Native.text(arena, path);
      long nameAddress = name(arena, name);
      MemorySegment buffer = arena.allocate(FIRST_GUESS_BYTES);
      long length = Native.call(get, pathAddress, nameAddress, buffer.address(), buffer.byteSize());
      if (length == -Errno.ERANGE) {
        buffer = arena.allocate(MAX_BYTES);
        length = Native.call(get, pathAddress, nameAddress, buffer.address(), buffer.byteSize());
      }
      if (length == -Errno.ENODATA || length == -Errno.EOPNOTSUPP) {
        return Optional.empty();
      }
      if (length < 0) {
        throw LinuxException.of(get.symbol(), name + " of " + subject, (int) -length);
      }
      return Optional.of(buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
    }
  }

  static void write(Call set, byte[] path, String name, byte[] value, String subject) {
    try (Arena arena = Arena.ofConfined()) {
      long result =
          Native.call(
              set,
              Native.text(arena, path),
              name(arena, name),
              value(arena, value),
              value.length,
              0);
      if (result < 0) {
        throw LinuxException.of(set.symbol(), name + " of " + subject, (int) -result);
      }
    }
  }

  /** In the kernel's order; none where the file system has no attributes. */
  static List<String> list(Call list, byte[] path, String subject) {
    try (Arena arena = Arena.ofConfined()) {
      long pathAddress = Native.text(arena, path);
      MemorySegment buffer = arena.allocate(FIRST_GUESS_BYTES);
      long length = Native.call(list, pathAddress, buffer.address(), buffer.byteSize());
      if (length == -Errno.ERANGE) {
        buffer = arena.allocate(MAX_BYTES);
        length = Native.call(list, pathAddress, buffer.address(), buffer.byteSize());
      }
      if (length == -Errno.EOPNOTSUPP) {
        return List.of();
      }
      if (length < 0) {
        throw LinuxException.of(list.symbol(), subject, (int) -length);
      }
      List<String> names = new ArrayList<>();
      byte[] all = buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
      int start = 0;
      for (int i = 0; i < all.length; i++) {
        if (all[i] == 0) {
          names.add(new String(all, start, i - start, StandardCharsets.ISO_8859_1));
          start = i + 1;
        }
      }
      return names;
    }
  }
}
