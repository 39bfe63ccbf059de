package io.lamina.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;

/** Mounts and unmounts by path. Thread-safe. Source: man 2 mount, umount2, open_tree. */
public final class Mounts {
  private static final long MS_RDONLY = 1;
  private static final long MS_NOSUID = 2;
  private static final long MS_NODEV = 4;
  private static final int OPEN_TREE_CLONE = 1;

  /** More than {@code struct statfs} takes. */
  private static final int STATFS_BYTES = 256;

  private static final int MOVE_MOUNT_FROM_EMPTY_PATH = 4;

  /** The most that {@code mount(2)} reads of a text of options; it cuts what is longer. */
  static final int MAX_DATA_BYTES = 4095;

  private Mounts() {}

  /** What a mount may be without. */
  public enum Restriction {
    READ_ONLY(MS_RDONLY),
    NO_SET_UID(MS_NOSUID),
    NO_DEVICES(MS_NODEV);

    private final long bit;

    Restriction(long bit) {
      this.bit = bit;
    }
  }

  /**
   * Mounts a file system by {@code mount(2)}.
   *
   * @param data options of the file system, separated by commas
   * @throws IllegalArgumentException if {@code data} is longer than the kernel reads
   */
  public static void mount(
      String source, Path target, String type, String data, Restriction... restrictions) {
    long flags = 0;
    for (Restriction restriction : restrictions) {
      flags |= restriction.bit;
    }
    byte[] raw = RawName.of(data);
    if (raw.length > MAX_DATA_BYTES) {
      throw new IllegalArgumentException(
          "mount options of " + raw.length + " bytes; the kernel reads " + MAX_DATA_BYTES);
    }
    try (Arena arena = Arena.ofConfined()) {
      long result =
          Native.call(
              Call.MOUNT,
              Native.text(arena, source),
              Native.text(arena, RawName.of(target)),
              Native.text(arena, type),
              flags,
              Native.text(arena, raw));
      if (result < 0) {
        throw LinuxException.of("mount", type + " on " + target, (int) -result);
      }
    }
  }

  /** Shows a directory, with all that is mounted below it, at a second path. */
  public static void bind(Path directory, Path target) {
    try (Arena arena = Arena.ofConfined()) {
      long tree =
          Native.call(
              Call.OPEN_TREE,
              Flags.AT_FDCWD,
              Native.text(arena, RawName.of(directory)),
              OPEN_TREE_CLONE | Flags.AT_RECURSIVE | Flags.O_CLOEXEC);
      if (tree < 0) {
        throw LinuxException.of("open_tree", directory.toString(), (int) -tree);
      }
      try (Descriptor detached = new Descriptor(tree, directory::toString)) {
        attach(detached, target);
      }
    }
  }

  /** Puts a mount that has no place yet at a path. */
  static void attach(Descriptor mount, Path target) {
    try (Arena arena = Arena.ofConfined()) {
      long result =
          Native.call(
              Call.MOVE_MOUNT,
              mount.number(),
              Native.text(arena, ""),
              Flags.AT_FDCWD,
              Native.text(arena, RawName.of(target)),
              MOVE_MOUNT_FROM_EMPTY_PATH);
      if (result < 0) {
        throw LinuxException.of("move_mount", mount.subject() + " to " + target, (int) -result);
      }
    }
  }

  /**
   * Takes away the mount that shows at a path; users of it keep it until they are done.
   *
   * @return false if nothing was mounted there
   */
  public static boolean detach(Path target) {
    return unmount(target, Flags.MNT_DETACH);
  }

  /**
   * As {@link #detach}, and ends the wait of all who ask its server: they get errors. For file
   * systems whose server is gone, or goes now.
   */
  public static boolean abandon(Path target) {
    return unmount(target, Flags.MNT_FORCE | Flags.MNT_DETACH);
  }

  /**
   * As {@link #detach}, if nobody uses it.
   *
   * @throws LinuxException with {@link Errno#EBUSY} if somebody does
   */
  public static boolean unmount(Path target) {
    return unmount(target, 0);
  }

  private static boolean unmount(Path target, int how) {
    try (Arena arena = Arena.ofConfined()) {
      long result =
          Native.call(
              Call.UMOUNT2, Native.text(arena, RawName.of(target)), how | Flags.UMOUNT_NOFOLLOW);
      if (result == -Errno.EINVAL || result == -Errno.ENOENT) {
        return false;
      }
      if (result < 0) {
        throw LinuxException.of("umount2", target.toString(), (int) -result);
      }
      return true;
    }
  }

  /**
   * Whether the server behind a mount answers, which opening proves only where the kernel asks for
   * it. Waits as long as the server does.
   */
  public static boolean answers(Path mount) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = arena.allocate(STATFS_BYTES, 8);
      return Native.call(Call.STATFS, Native.text(arena, RawName.of(mount)), status.address()) >= 0;
    }
  }

  /** Whether a file system is mounted at exactly this path; false if there is no such path. */
  public static boolean isMounted(Path path) {
    try (Arena arena = Arena.ofConfined()) {
      int[] failure = new int[1];
      FileStatus status =
          FileStatus.read(
              arena, Flags.AT_FDCWD, RawName.of(path), Flags.AT_SYMLINK_NOFOLLOW, failure);
      if (status == null) {
        if (failure[0] == Errno.ENOENT || failure[0] == Errno.ENOTDIR) {
          return false;
        }
      } else if (status.mountRoot() != null) {
        return status.mountRoot();
      }
    }
    // Kernels before 5.8, and file systems whose server is gone, do not tell by statx.
    Optional<MountPoint> mount = MountTable.read().at(path);
    return mount.isPresent();
  }
}
