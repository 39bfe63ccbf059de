package io.lamina.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel says of one entry. Immutable.
 *
 * @param permissions the lower twelve mode bits
 * @param uid unsigned
 * @param gid unsigned
 * @param inode with {@code device}, what makes it one file
 * @param device of the file system, major and minor number in one
 * @param deviceMajor of a device node
 * @param deviceMinor of a device node
 * @param mtimeSeconds since 1970, may be negative
 * @param mtimeNanos 0 to 999,999,999
 * @param mountRoot whether a file system is mounted here; null if this kernel does not tell
 */
public record FileStatus(
    FileType type,
    int permissions,
    long links,
    long uid,
    long gid,
    long sizeBytes,
    long inode,
    long device,
    int deviceMajor,
    int deviceMinor,
    long mtimeSeconds,
    int mtimeNanos,
    @Nullable Boolean mountRoot) {
  private static final int STRUCT_BYTES = 256;
  private static final int BASIC_STATS = 0x7ff;
  private static final long MOUNT_ROOT = 0x2000;

  public boolean isDirectory() {
    return type == FileType.DIRECTORY;
  }

  public boolean isRegular() {
    return type == FileType.REGULAR;
  }

  /** A character device 0:0, which hides an entry of the layers below an overlay's layer. */
  public boolean isWhiteout() {
    return type == FileType.CHARACTER_DEVICE && deviceMajor == 0 && deviceMinor == 0;
  }

  /** Source: man 2 statx, struct statx. Null, with the error in {@code failure[0]}, if it fails. */
  static @Nullable FileStatus read(Arena arena, int fd, byte[] name, int flags, int[] failure) {
    MemorySegment buffer = arena.allocate(STRUCT_BYTES, 8);
    long result =
        Native.call(
            Call.STATX,
            fd,
            Native.text(arena, name),
            flags | Flags.AT_NO_AUTOMOUNT,
            BASIC_STATS,
            buffer.address());
    if (result < 0) {
      failure[0] = (int) -result;
      return null;
    }
    int mode = buffer.get(ValueLayout.JAVA_SHORT, 0x1c) & 0xffff;
    long attributes = buffer.get(Native.LONG, 0x08);
    boolean tellsMounts = (buffer.get(Native.LONG, 0x38) & MOUNT_ROOT) != 0;
    return new FileStatus(
        FileType.ofMode(mode),
        mode & 07777,
        buffer.get(Native.INT, 0x10) & 0xffff_ffffL,
        buffer.get(Native.INT, 0x14) & 0xffff_ffffL,
        buffer.get(Native.INT, 0x18) & 0xffff_ffffL,
        buffer.get(Native.LONG, 0x28),
        buffer.get(Native.LONG, 0x20),
        (buffer.get(Native.INT, 0x88) & 0xffff_ffffL) << 32
            | (buffer.get(Native.INT, 0x8c) & 0xffff_ffffL),
        buffer.get(Native.INT, 0x80),
        buffer.get(Native.INT, 0x84),
        buffer.get(Native.LONG, 0x70),
        buffer.get(Native.INT, 0x78),
        tellsMounts ? (attributes & MOUNT_ROOT) != 0 : null);
  }
}
