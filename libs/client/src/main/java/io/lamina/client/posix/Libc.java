package io.lamina.client.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * System calls through the foreign-function API, Linux on 64 bits. Each returns what the C function
 * returns, or the negative error number. Thread-safe.
 */
public final class Libc {
  public static final int ENOENT = 2;
  public static final int EINTR = 4;
  public static final int EIO = 5;
  public static final int EAGAIN = 11;
  public static final int EBUSY = 16;
  public static final int ENODEV = 19;
  public static final int ENOTDIR = 20;
  public static final int EISDIR = 21;
  public static final int EINVAL = 22;
  public static final int ENOSPC = 28;
  public static final int EROFS = 30;
  public static final int ERANGE = 34;
  public static final int ENAMETOOLONG = 36;
  public static final int ENOSYS = 38;
  public static final int ENODATA = 61;
  public static final int ENOTCONN = 107;
  public static final int ESTALE = 116;
  public static final int EPERM = 1;

  public static final int O_RDONLY = 0;
  public static final int O_RDWR = 2;
  public static final int O_CLOEXEC = 0x80000;

  public static final long MS_RDONLY = 1;
  public static final int MNT_FORCE = 1;
  public static final int MNT_DETACH = 2;

  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();

  private static final MethodHandle OPEN =
      handle("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT), 2);
  private static final MethodHandle CLOSE =
      handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle READ =
      handle("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
  private static final MethodHandle WRITE =
      handle("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
  private static final MethodHandle PREAD =
      handle("pread", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle MOUNT =
      handle(
          "mount", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
  private static final MethodHandle UMOUNT2 =
      handle("umount2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle IOCTL =
      handle("ioctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS), 2);
  private static final MethodHandle GETEUID = plain("geteuid");
  private static final MethodHandle GETEGID = plain("getegid");

  /** Each thread's place for errno; off-heap, freed with the thread's locals. */
  private static final ThreadLocal<MemorySegment> CAPTURE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));

  private Libc() {}

  private static MethodHandle handle(String name, FunctionDescriptor type) {
    return LINKER.downcallHandle(
        SYMBOLS.findOrThrow(name), type, Linker.Option.captureCallState("errno"));
  }

  private static MethodHandle handle(String name, FunctionDescriptor type, int firstVariadic) {
    return LINKER.downcallHandle(
        SYMBOLS.findOrThrow(name),
        type,
        Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(firstVariadic));
  }

  private static MethodHandle plain(String name) {
    return LINKER.downcallHandle(SYMBOLS.findOrThrow(name), FunctionDescriptor.of(JAVA_INT));
  }

  public static int open(byte[] path, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = CAPTURE.get();
      return (int) checked((int) OPEN.invokeExact(state, text(arena, path), flags), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public static int open(String path, int flags) {
    return open(path.getBytes(StandardCharsets.UTF_8), flags);
  }

  public static int close(int fd) {
    try {
      MemorySegment state = CAPTURE.get();
      return (int) checked((int) CLOSE.invokeExact(state, fd), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public static long read(int fd, MemorySegment target, long count) {
    try {
      MemorySegment state = CAPTURE.get();
      return checked((long) READ.invokeExact(state, fd, target, count), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public static long write(int fd, MemorySegment source, long count) {
    try {
      MemorySegment state = CAPTURE.get();
      return checked((long) WRITE.invokeExact(state, fd, source, count), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public static long pread(int fd, MemorySegment target, long count, long offset) {
    try {
      MemorySegment state = CAPTURE.get();
      return checked((long) PREAD.invokeExact(state, fd, target, count, offset), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public static int mount(String source, byte[] target, String type, long flags, String options) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = CAPTURE.get();
      return (int)
          checked(
              (int)
                  MOUNT.invokeExact(
                      state,
                      arena.allocateFrom(source),
                      text(arena, target),
                      arena.allocateFrom(type),
                      flags,
                      arena.allocateFrom(options)),
              state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public static int umount(byte[] target, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = CAPTURE.get();
      return (int) checked((int) UMOUNT2.invokeExact(state, text(arena, target), flags), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public static int ioctl(int fd, long request, MemorySegment argument) {
    try {
      MemorySegment state = CAPTURE.get();
      return (int) checked((int) IOCTL.invokeExact(state, fd, request, argument), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public static int effectiveUser() {
    try {
      return (int) GETEUID.invokeExact();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public static int effectiveGroup() {
    try {
      return (int) GETEGID.invokeExact();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** What an error number means, for messages. */
  public static String meaning(long negativeError) {
    int number = (int) -negativeError;
    String text =
        switch (number) {
          case EPERM -> "operation not permitted";
          case ENOENT -> "no such file or folder";
          case EIO -> "input/output error";
          case EBUSY -> "busy";
          case ENODEV -> "no such device";
          case ENOTDIR -> "not a folder";
          case EINVAL -> "not accepted by the kernel";
          case ENOSPC -> "no space left";
          case ENOTCONN -> "the file system behind it has died";
          default -> "";
        };
    return text.isEmpty() ? "error " + number : text + " (" + number + ")";
  }

  private static long checked(long result, MemorySegment state) {
    return result >= 0 ? result : -(int) ERRNO.get(state, 0L);
  }

  private static MemorySegment text(Arena arena, byte[] bytes) {
    MemorySegment segment = arena.allocate(bytes.length + 1L);
    MemorySegment.copy(bytes, 0, segment, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, bytes.length);
    return segment;
  }

  private static RuntimeException unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return new IllegalStateException("a call into the C library failed", e);
  }
}
