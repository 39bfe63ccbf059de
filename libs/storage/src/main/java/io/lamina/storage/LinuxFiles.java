package io.lamina.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The two system calls that the JDK does not offer: a rename that never overwrites, and the flush
 * of one whole file system. Stateless after it was found; thread-safe.
 */
final class LinuxFiles {
  /** How a rename without overwriting ended. */
  enum Renamed {
    DONE,
    TARGET_EXISTS,
    NO_DIRECTORY,
    /** This file system or kernel has no such rename. */
    UNSUPPORTED,
    NO_SPACE,
    FAILED
  }

  private static final int AT_FDCWD = -100;
  private static final int RENAME_NOREPLACE = 1;
  private static final int O_RDONLY_DIRECTORY_CLOEXEC = 0x10000 | 0x80000;
  private static final int ENOENT = 2;
  private static final int EEXIST = 17;
  private static final int EINVAL = 22;
  private static final int ENOSPC = 28;
  private static final int ENOSYS = 38;
  private static final int EDQUOT = 122;

  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private final MethodHandle renameat2;
  private final MethodHandle syncfs;
  private final MethodHandle open;
  private final MethodHandle close;

  private LinuxFiles(
      MethodHandle renameat2, MethodHandle syncfs, MethodHandle open, MethodHandle close) {
    this.renameat2 = renameat2;
    this.syncfs = syncfs;
    this.open = open;
    this.close = close;
  }

  /** Empty where the C library has no such functions. */
  static Optional<LinuxFiles> find() {
    Linker linker = Linker.nativeLinker();
    SymbolLookup lookup = linker.defaultLookup();
    if (!System.getProperty("os.name", "").equals("Linux")) {
      return Optional.empty();
    }
    Optional<MemorySegment> renameat2 = lookup.find("renameat2");
    Optional<MemorySegment> syncfs = lookup.find("syncfs");
    Optional<MemorySegment> open = lookup.find("open");
    Optional<MemorySegment> close = lookup.find("close");
    if (renameat2.isEmpty() || syncfs.isEmpty() || open.isEmpty() || close.isEmpty()) {
      return Optional.empty();
    }
    ValueLayout.OfInt integer = ValueLayout.JAVA_INT;
    Linker.Option errno = Linker.Option.captureCallState("errno");
    return Optional.of(
        new LinuxFiles(
            linker.downcallHandle(
                renameat2.get(),
                FunctionDescriptor.of(
                    integer, integer, ValueLayout.ADDRESS, integer, ValueLayout.ADDRESS, integer),
                errno),
            linker.downcallHandle(syncfs.get(), FunctionDescriptor.of(integer, integer), errno),
            linker.downcallHandle(
                open.get(),
                FunctionDescriptor.of(integer, ValueLayout.ADDRESS, integer),
                errno,
                Linker.Option.firstVariadicArg(2)),
            linker.downcallHandle(close.get(), FunctionDescriptor.of(integer, integer))));
  }

  Renamed renameWithoutOverwriting(Path from, Path to) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result =
          (int)
              renameat2.invokeExact(
                  state,
                  AT_FDCWD,
                  arena.allocateFrom(from.toString()),
                  AT_FDCWD,
                  arena.allocateFrom(to.toString()),
                  RENAME_NOREPLACE);
      if (result == 0) {
        return Renamed.DONE;
      }
      return switch ((int) ERRNO.get(state, 0L)) {
        case EEXIST -> Renamed.TARGET_EXISTS;
        case ENOENT -> Renamed.NO_DIRECTORY;
        case EINVAL, ENOSYS -> Renamed.UNSUPPORTED;
        case ENOSPC, EDQUOT -> Renamed.NO_SPACE;
        default -> Renamed.FAILED;
      };
    } catch (Throwable e) { // what method handles declare
      throw new IllegalStateException("renameat2 cannot be called", e);
    }
  }

  /**
   * Writes everything that is dirty on the folder's file system to the disk, whoever wrote it;
   * waits for it.
   *
   * @return 0, or the error number
   */
  int syncFileSystemOf(Path folder) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int fd =
          (int)
              open.invokeExact(
                  state, arena.allocateFrom(folder.toString()), O_RDONLY_DIRECTORY_CLOEXEC);
      if (fd < 0) {
        return (int) ERRNO.get(state, 0L);
      }
      try {
        int result = (int) syncfs.invokeExact(state, fd);
        return result == 0 ? 0 : (int) ERRNO.get(state, 0L);
      } finally {
        int ignored = (int) close.invokeExact(fd);
      }
    } catch (Throwable e) { // what method handles declare
      throw new IllegalStateException("syncfs cannot be called", e);
    }
  }
}
