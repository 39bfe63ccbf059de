package io.lamina.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.file.Path;

/**
 * An open file. Owned by one thread at a time, but for {@link #readAt}, {@link
 * #read(MemorySegment)} and {@link #write(MemorySegment)}, which any number of threads may call
 * until it is closed.
 */
public final class OpenFile implements AutoCloseable {
  private static final int SEEK_SET = 0;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;

  private final Descriptor descriptor;

  OpenFile(Descriptor descriptor) {
    this.descriptor = descriptor;
  }

  /** Opens what is at a path, links followed. */
  public static OpenFile reading(Path path) {
    return open(path, Flags.O_RDONLY);
  }

  /** As {@link #reading}, for reading and writing. */
  public static OpenFile updating(Path path) {
    return open(path, Flags.O_RDWR);
  }

  private static OpenFile open(Path path, int access) {
    try (Arena arena = Arena.ofConfined()) {
      long result =
          Native.call(
              Call.OPENAT,
              Flags.AT_FDCWD,
              Native.text(arena, RawName.of(path)),
              access | Flags.O_CLOEXEC);
      if (result < 0) {
        throw LinuxException.of("open", path.toString(), (int) -result);
      }
      return new OpenFile(new Descriptor(result, path::toString));
    }
  }

  /** By which this process and the kernel know the open file; valid until it is closed. */
  public int number() {
    return descriptor.number();
  }

  /**
   * Reads from where the file stands, or the next message of a device.
   *
   * @param target off-heap
   * @return how many bytes, up to the target's size; 0 at the end
   */
  public int read(MemorySegment target) {
    try {
      return (int)
          checked(
              Call.READ,
              Native.call(Call.READ, descriptor.number(), target.address(), target.byteSize()));
    } finally {
      Reference.reachabilityFence(target);
    }
  }

  /** As {@link #read(MemorySegment)}, from an offset; where the file stands plays no part. */
  public int readAt(MemorySegment target, long offset) {
    try {
      return (int)
          checked(
              Call.PREAD64,
              Native.call(
                  Call.PREAD64, descriptor.number(), target.address(), target.byteSize(), offset));
    } finally {
      Reference.reachabilityFence(target);
    }
  }

  /**
   * Writes once, as devices take messages.
   *
   * @param source off-heap
   * @return how many bytes of it
   */
  public int write(MemorySegment source) {
    try {
      return (int)
          checked(
              Call.WRITE,
              Native.call(Call.WRITE, descriptor.number(), source.address(), source.byteSize()));
    } finally {
      Reference.reachabilityFence(source);
    }
  }

  private LinuxException failed(Call call, long result) {
    return LinuxException.of(call.symbol(), descriptor.subject(), (int) -result);
  }

  private long checked(Call call, long result) {
    if (result < 0) {
      throw failed(call, result);
    }
    return result;
  }

  /** Reads up to the buffer's size from where the file stands; 0 at the end. */
  public int read(CopyBuffer buffer, int atMost) {
    int wanted = Math.min(atMost, buffer.sizeBytes());
    int read =
        (int)
            checked(
                Call.READ, Native.call(Call.READ, descriptor.number(), buffer.address(), wanted));
    buffer.store(read);
    return read;
  }

  /** Writes these bytes of the buffer where the file stands. */
  public void write(CopyBuffer buffer, int from, int length) {
    buffer.load(from, length);
    int written = 0;
    while (written < length) {
      long step =
          checked(
              Call.WRITE,
              Native.call(
                  Call.WRITE, descriptor.number(), buffer.address() + written, length - written));
      if (step == 0) {
        throw LinuxException.of("write", descriptor.subject(), Errno.ENOSPC);
      }
      written += (int) step;
    }
  }

  /** Goes to this offset; may lie behind the end. */
  public void seek(long offset) {
    lseek(offset, SEEK_SET);
  }

  /** Goes to the first data at or behind the offset; -1 if there is none up to the end. */
  public long seekData(long offset) {
    return lseek(offset, SEEK_DATA);
  }

  /** Goes to the first hole at or behind the offset, which the end of the file is too. */
  public long seekHole(long offset) {
    return lseek(offset, SEEK_HOLE);
  }

  private long lseek(long offset, int whence) {
    long result = Native.call(Call.LSEEK, descriptor.number(), offset, whence);
    return result == -Errno.ENXIO && whence != SEEK_SET ? -1 : checked(Call.LSEEK, result);
  }

  public void truncate(long sizeBytes) {
    checked(Call.FTRUNCATE, Native.call(Call.FTRUNCATE, descriptor.number(), sizeBytes));
  }

  /** Takes set-user-id bits and capabilities away; set them afterwards. */
  public void changeOwner(int uid, int gid) {
    checked(Call.FCHOWN, Native.call(Call.FCHOWN, descriptor.number(), uid, gid));
  }

  public void changePermissions(int permissions) {
    checked(Call.FCHMOD, Native.call(Call.FCHMOD, descriptor.number(), permissions));
  }

  public void changeTime(long seconds, int nanos) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment times = Directory.timeSpecs(arena, seconds, nanos);
      checked(
          Call.UTIMENSAT, Native.call(Call.UTIMENSAT, descriptor.number(), 0, times.address(), 0));
    }
  }

  /**
   * @throws LinuxException.NotSupported if the file system has no such attributes
   */
  public void setXattr(String name, byte[] value) {
    try (Arena arena = Arena.ofConfined()) {
      checked(
          Call.FSETXATTR,
          Native.call(
              Call.FSETXATTR,
              descriptor.number(),
              Xattrs.name(arena, name),
              Xattrs.value(arena, value),
              value.length,
              0));
    }
  }

  public FileStatus status() {
    try (Arena arena = Arena.ofConfined()) {
      int[] failure = new int[1];
      FileStatus status =
          FileStatus.read(arena, descriptor.number(), new byte[0], Flags.AT_EMPTY_PATH, failure);
      if (status == null) {
        throw LinuxException.of("statx", descriptor.subject(), failure[0]);
      }
      return status;
    }
  }

  /** Waits until content and size are on the disk. */
  public void sync() {
    checked(Call.FSYNC, Native.call(Call.FSYNC, descriptor.number()));
  }

  @Override
  public void close() {
    descriptor.close();
  }
}
