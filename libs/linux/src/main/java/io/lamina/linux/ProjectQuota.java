package io.lamina.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Quotas of directory trees on XFS and ext4. Everything made in a directory of a project belongs to
 * the project. Source: man 2 quotactl; linux/fs.h, struct fsxattr. Thread-safe.
 */
public final class ProjectQuota {
  private static final long GET_ATTRIBUTES = 0x801c581fL;
  private static final long SET_ATTRIBUTES = 0x401c5820L;
  private static final int ATTRIBUTES_BYTES = 28;
  private static final int FLAGS = 0;
  private static final int PROJECT = 12;
  private static final int INHERIT = 0x200;

  private static final int SET_QUOTA = 0x800008;
  private static final int GET_QUOTA = 0x800007;
  private static final int OF_PROJECTS = 2;
  private static final int QUOTA_BYTES = 72;
  private static final int HARD_BLOCKS = 0;
  private static final int SOFT_BLOCKS = 8;
  private static final int USED_BYTES = 16;
  private static final int VALID = 64;
  private static final int BLOCK_LIMITS = 1;
  private static final int QUOTA_BLOCK_BYTES = 1024;

  private ProjectQuota() {}

  /** What a project may use and uses. */
  public record Usage(long limitBytes, long usedBytes) {}

  /**
   * The project that a directory gives to what is made in it; 0 if none was ever set.
   *
   * @throws LinuxException.NotSupported if the file system knows no projects
   */
  public static int projectOf(Directory directory) {
    try (Arena arena = Arena.ofConfined();
        Descriptor open = readable(arena, directory)) {
      return attributes(arena, open).get(Native.INT, PROJECT);
    }
  }

  /**
   * Makes a directory, and what will be made in it, part of a project.
   *
   * @throws LinuxException.NotSupported if the file system knows no projects
   */
  public static void assign(Directory directory, int project) {
    try (Arena arena = Arena.ofConfined();
        Descriptor open = readable(arena, directory)) {
      MemorySegment attributes = attributes(arena, open);
      attributes.set(Native.INT, PROJECT, project);
      attributes.set(Native.INT, FLAGS, attributes.get(Native.INT, FLAGS) | INHERIT);
      long result = Native.call(Call.IOCTL, open.number(), SET_ATTRIBUTES, attributes.address());
      if (result < 0) {
        throw unsupported("ioctl FS_IOC_FSSETXATTR", directory, result);
      }
    }
  }

  private static MemorySegment attributes(Arena arena, Descriptor open) {
    MemorySegment attributes = arena.allocate(ATTRIBUTES_BYTES, 8);
    long result = Native.call(Call.IOCTL, open.number(), GET_ATTRIBUTES, attributes.address());
    if (result < 0) {
      throw LinuxException.of("ioctl FS_IOC_FSGETXATTR", open.subject(), (int) -result);
    }
    return attributes;
  }

  /**
   * Bounds what a project may use.
   *
   * @param directory any of the file system
   * @param limitBytes rounded up to KiB; 0 for no bound
   * @throws LinuxException.NotSupported if quotas of projects are not switched on there
   */
  public static void limit(Directory directory, int project, long limitBytes) {
    try (Arena arena = Arena.ofConfined();
        Descriptor open = readable(arena, directory)) {
      MemorySegment quota = arena.allocate(QUOTA_BYTES, 8);
      long blocks = limitBytes / QUOTA_BLOCK_BYTES + (limitBytes % QUOTA_BLOCK_BYTES == 0 ? 0 : 1);
      quota.set(Native.LONG, HARD_BLOCKS, blocks);
      quota.set(Native.LONG, SOFT_BLOCKS, blocks);
      quota.set(Native.INT, VALID, BLOCK_LIMITS);
      long result = quotactl(open, SET_QUOTA, project, quota);
      if (result < 0) {
        throw unsupported("quotactl_fd Q_SETQUOTA", directory, result);
      }
    }
  }

  /**
   * @throws LinuxException.NotSupported if quotas of projects are not switched on there
   */
  public static Usage usage(Directory directory, int project) {
    try (Arena arena = Arena.ofConfined();
        Descriptor open = readable(arena, directory)) {
      MemorySegment quota = arena.allocate(QUOTA_BYTES, 8);
      long result = quotactl(open, GET_QUOTA, project, quota);
      if (result < 0) {
        throw unsupported("quotactl_fd Q_GETQUOTA", directory, result);
      }
      return new Usage(
          quota.get(Native.LONG, HARD_BLOCKS) * QUOTA_BLOCK_BYTES,
          quota.get(Native.LONG, USED_BYTES));
    }
  }

  private static long quotactl(Descriptor open, int command, int project, MemorySegment quota) {
    return Native.call(
        Call.QUOTACTL_FD,
        open.number(),
        (long) command << 8 | OF_PROJECTS,
        project,
        quota.address());
  }

  /**
   * File systems without projects say so with many errors; all that is not one of those is told.
   */
  private static LinuxException unsupported(String call, Directory directory, long result) {
    int error = (int) -result;
    boolean absent = error == 3 || error == 19 || error == Errno.EINVAL;
    return LinuxException.of(call, directory.toString(), absent ? Errno.EOPNOTSUPP : error);
  }

  private static Descriptor readable(Arena arena, Directory directory) {
    long fd =
        Native.call(
            Call.OPENAT,
            directory.number(),
            Native.text(arena, "."),
            Flags.O_RDONLY | Flags.O_DIRECTORY | Flags.O_CLOEXEC,
            0);
    if (fd < 0) {
      throw LinuxException.of("openat", directory.toString(), (int) -fd);
    }
    return new Descriptor(fd, directory::toString);
  }
}
