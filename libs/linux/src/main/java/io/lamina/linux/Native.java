package io.lamina.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Optional;

/**
 * The C library's {@code syscall}, through which all calls go: it is there in each C library, and
 * so are calls that are younger than the library. Results are those of the kernel: the number of
 * the error, negated, on failure.
 *
 * <p>Source: man 2 syscall; the kernel's syscall_64.tbl and asm-generic/unistd.h. Thread-safe.
 */
final class Native {
  static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  /** Where a call leaves its error; each thread has one, freed with it. */
  private static final ThreadLocal<MemorySegment> STATES =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));

  private static final int MAX_CALL_ARGUMENTS = 6;
  private static final int MAX_INTERRUPTIONS = 1000;
  private static final MethodHandle SYSCALL = link();

  private Native() {}

  /** The machine's call numbers, which differ for all calls older than 2019. */
  enum Machine {
    X86_64,
    AARCH64;

    private static final class Here {
      static final Machine MACHINE =
          find()
              .orElseThrow(
                  () ->
                      new UnsupportedOperationException(
                          "system calls are known for x86_64 and aarch64, not for '"
                              + architecture()
                              + "'"));
    }

    static Machine here() {
      return Here.MACHINE;
    }

    static Optional<Machine> find() {
      return switch (architecture()) {
        case "amd64", "x86_64" -> Optional.of(X86_64);
        case "aarch64", "arm64" -> Optional.of(AARCH64);
        default -> Optional.empty();
      };
    }

    private static String architecture() {
      return System.getProperty("os.arch", "");
    }
  }

  private static MethodHandle link() {
    if (!System.getProperty("os.name", "").equals("Linux")) {
      throw new UnsupportedOperationException("these are Linux system calls");
    }
    Linker linker = Linker.nativeLinker();
    MemoryLayout[] arguments = new MemoryLayout[1 + MAX_CALL_ARGUMENTS];
    Arrays.fill(arguments, LONG);
    return linker.downcallHandle(
        linker
            .defaultLookup()
            .find("syscall")
            .orElseThrow(() -> new UnsupportedOperationException("no C library with syscall()")),
        FunctionDescriptor.of(LONG, arguments),
        Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(1));
  }

  /** Segments that an address was taken of must live until this returns. */
  static long call(Call call, long a, long b, long c, long d, long e, long f) {
    MemorySegment state = STATES.get();
    long number = call.number();
    for (int attempt = 0; ; attempt++) {
      long result;
      try {
        result = (long) SYSCALL.invokeExact(state, number, a, b, c, d, e, f);
      } catch (Throwable failure) { // what method handles declare
        throw new IllegalStateException(call + " cannot be called", failure);
      }
      if (result != -1) {
        return result;
      }
      int error = (int) ERRNO.get(state, 0L);
      // The JVM's own signals interrupt slow calls; a close that was interrupted has closed.
      if (error != Errno.EINTR || call == Call.CLOSE || attempt == MAX_INTERRUPTIONS) {
        return -error;
      }
    }
  }

  static long call(Call call, long a, long b, long c, long d, long e) {
    return call(call, a, b, c, d, e, 0);
  }

  static long call(Call call, long a, long b, long c, long d) {
    return call(call, a, b, c, d, 0, 0);
  }

  static long call(Call call, long a, long b, long c) {
    return call(call, a, b, c, 0, 0, 0);
  }

  static long call(Call call, long a, long b) {
    return call(call, a, b, 0, 0, 0, 0);
  }

  static long call(Call call, long a) {
    return call(call, a, 0, 0, 0, 0, 0);
  }

  static long call(Call call) {
    return call(call, 0, 0, 0, 0, 0, 0);
  }

  /** The address of a copy that ends with NUL. */
  static long text(Arena arena, byte[] raw) {
    MemorySegment segment = arena.allocate(raw.length + 1L);
    MemorySegment.copy(raw, 0, segment, ValueLayout.JAVA_BYTE, 0, raw.length);
    for (byte b : raw) {
      if (b == 0) {
        throw new IllegalArgumentException("NUL in '" + RawName.display(raw) + "'");
      }
    }
    return segment.address();
  }

  static long text(Arena arena, String text) {
    return text(arena, RawName.of(text));
  }
}
