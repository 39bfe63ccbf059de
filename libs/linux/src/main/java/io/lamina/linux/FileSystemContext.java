package io.lamina.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A file system that is being configured and then mounted, by the calls of Linux 5.2. Owned by one
 * thread. Source: man 2 fsopen, fsconfig, fsmount.
 */
final class FileSystemContext implements AutoCloseable {
  private static final int FSOPEN_CLOEXEC = 1;
  private static final int SET_FLAG = 0;
  private static final int SET_STRING = 1;
  private static final int SET_FD = 5;
  private static final int CREATE = 6;
  private static final int FSMOUNT_CLOEXEC = 1;
  private static final int MOUNT_ATTR_RDONLY = 1;
  private static final int MESSAGE_BYTES = 1024;
  private static final int MAX_MESSAGES = 8;

  /** Longer values are refused by the kernel without a reason. */
  static final int MAX_VALUE_BYTES = 255;

  private final Descriptor context;

  FileSystemContext(String type) {
    try (Arena arena = Arena.ofConfined()) {
      long fd = Native.call(Call.FSOPEN, Native.text(arena, type), FSOPEN_CLOEXEC);
      if (fd < 0) {
        throw LinuxException.of("fsopen", type, (int) -fd);
      }
      context = new Descriptor(fd, () -> type);
    }
  }

  void set(String key, String value) {
    if (RawName.of(value).length > MAX_VALUE_BYTES) {
      throw new IllegalArgumentException(
          "the mount option " + key + " is longer than " + MAX_VALUE_BYTES + " bytes");
    }
    try (Arena arena = Arena.ofConfined()) {
      configure(arena, SET_STRING, key, Native.text(arena, value), 0);
    }
  }

  void set(String key, Directory value) {
    try (Arena arena = Arena.ofConfined()) {
      configure(arena, SET_FD, key, 0, value.number());
    }
  }

  void flag(String key) {
    try (Arena arena = Arena.ofConfined()) {
      configure(arena, SET_FLAG, key, 0, 0);
    }
  }

  private void configure(Arena arena, int command, String key, long value, int number) {
    long keyAddress = key.isEmpty() ? 0 : Native.text(arena, key);
    long result = Native.call(Call.FSCONFIG, context.number(), command, keyAddress, value, number);
    if (result < 0) {
      String what = key.isEmpty() ? context.subject() : context.subject() + " " + key;
      throw LinuxException.of("fsconfig", what, (int) -result, messages());
    }
  }

  /** Mounts what was configured. */
  void mountAt(Path target, boolean readOnly) {
    try (Arena arena = Arena.ofConfined()) {
      configure(arena, CREATE, "", 0, 0);
      long fd =
          Native.call(
              Call.FSMOUNT, context.number(), FSMOUNT_CLOEXEC, readOnly ? MOUNT_ATTR_RDONLY : 0);
      if (fd < 0) {
        throw LinuxException.of("fsmount", context.subject(), (int) -fd, messages());
      }
      try (Descriptor mount = new Descriptor(fd, context::subject)) {
        Mounts.attach(mount, target);
      }
    }
  }

  /** What the kernel noted in the context about the failure. */
  private String messages() {
    StringBuilder all = new StringBuilder();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(MESSAGE_BYTES);
      for (int i = 0; i < MAX_MESSAGES; i++) {
        long length = Native.call(Call.READ, context.number(), buffer.address(), MESSAGE_BYTES);
        if (length <= 0) {
          break;
        }
        String text =
            new String(
                buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        all.append(all.isEmpty() ? "" : "; ").append(text.strip());
      }
    }
    return all.toString();
  }

  @Override
  public void close() {
    context.close();
  }
}
