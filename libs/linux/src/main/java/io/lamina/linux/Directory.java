package io.lamina.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An open directory, and what can be done to its entries. Names are single raw components unless a
 * method says path; no last component is ever followed. The directory stays the same one when it is
 * renamed or something else takes its place.
 *
 * <p>Source: man 2 openat, openat2. Thread-safe, but for closing it while it is used.
 */
public final class Directory implements AutoCloseable {
  private static final byte[] SELF = {'.'};
  private static final int LISTING_BYTES = 1 << 15;
  private static final int ENTRY_NAME = 19;
  private static final int RENAME_NOREPLACE = 1;

  /** One name of a listing. */
  public record Entry(byte[] name, FileType type) {}

  private final Descriptor descriptor;

  private Directory(Descriptor descriptor) {
    this.descriptor = descriptor;
  }

  /**
   * Opens a directory by its path, links followed.
   *
   * @throws LinuxException.NotFound if it is not there, or no directory
   */
  public static Directory open(Path path) {
    try (Arena arena = Arena.ofConfined()) {
      long fd =
          Native.call(
              Call.OPENAT,
              Flags.AT_FDCWD,
              Native.text(arena, RawName.of(path)),
              Flags.O_PATH | Flags.O_DIRECTORY | Flags.O_CLOEXEC,
              0);
      if (fd < 0) {
        throw LinuxException.of("open", path.toString(), (int) -fd);
      }
      return new Directory(new Descriptor(fd, path::toString));
    }
  }

  /** For messages. */
  @Override
  public String toString() {
    return descriptor.subject();
  }

  /**
   * A short path that names this directory as long as it is open, in this process only: for
   * addresses of sockets, which have less room than paths.
   */
  public Path shortPath() {
    return Path.of("/proc/self/fd", Integer.toString(number()));
  }

  int number() {
    return descriptor.number();
  }

  private String subject(byte[] name) {
    return descriptor.subject() + "/" + RawName.display(name);
  }

  private void check(Call call, long result, byte[] name) {
    if (result < 0) {
      throw LinuxException.of(call.symbol(), subject(name), (int) -result);
    }
  }

  /**
   * Opens a directory below this one.
   *
   * @param path raw, of any number of components
   * @throws LinuxException.NotFound if it is not there, or no directory
   * @throws LinuxException.Failed if the path leads where it may not
   */
  public Directory openDirectory(byte[] path, Resolution resolution) {
    long fd = resolve(path, resolution);
    if (fd < 0) {
      throw LinuxException.of("openat2", subject(path), (int) -fd);
    }
    return new Directory(new Descriptor(fd, () -> subject(path)));
  }

  /** As {@link #openDirectory}, but empty if it is not there, or no directory. */
  public Optional<Directory> findDirectory(byte[] path, Resolution resolution) {
    long fd = resolve(path, resolution);
    if (fd == -Errno.ENOENT || fd == -Errno.ENOTDIR) {
      return Optional.empty();
    }
    if (fd < 0) {
      throw LinuxException.of("openat2", subject(path), (int) -fd);
    }
    return Optional.of(new Directory(new Descriptor(fd, () -> subject(path))));
  }

  private long resolve(byte[] path, Resolution resolution) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment how = arena.allocate(24, 8);
      how.set(Native.LONG, 0, Flags.O_PATH | Flags.O_DIRECTORY | Flags.O_CLOEXEC);
      how.set(Native.LONG, 16, resolution.bits());
      long result;
      int attempts = 0;
      do { // a rename elsewhere makes the kernel unsure about ".."
        result =
            Native.call(
                Call.OPENAT2,
                number(),
                Native.text(arena, path.length == 0 ? SELF : path),
                how.address(),
                how.byteSize());
      } while (result == -Errno.EAGAIN && ++attempts < 100);
      return result;
    }
  }

  /** Another descriptor of this directory. */
  public Directory reopened() {
    return openDirectory(SELF, Resolution.NO_SYMLINKS);
  }

  /**
   * Opens an existing regular file to be read.
   *
   * @throws LinuxException.Failed if it is a symbolic link
   */
  public OpenFile openFile(byte[] name) {
    return openFile(name, Flags.O_RDONLY | Flags.O_NONBLOCK, 0);
  }

  /**
   * Makes a regular file and opens it to be written; its permissions are 0600.
   *
   * @throws LinuxException.AlreadyExists if the name is taken, by whatever
   */
  public OpenFile createFile(byte[] name) {
    return openFile(name, Flags.O_RDWR | Flags.O_CREAT | Flags.O_EXCL, 0600);
  }

  private OpenFile openFile(byte[] name, int flags, int permissions) {
    try (Arena arena = Arena.ofConfined()) {
      long fd =
          Native.call(
              Call.OPENAT,
              number(),
              Native.text(arena, name),
              flags | Flags.O_NOFOLLOW | Flags.O_CLOEXEC,
              permissions);
      check(Call.OPENAT, fd, name);
      return new OpenFile(new Descriptor(fd, () -> subject(name)));
    }
  }

  /** Of this directory itself. */
  public FileStatus status() {
    return find(new byte[0], Flags.AT_EMPTY_PATH)
        .orElseThrow(() -> LinuxException.of("statx", toString(), Errno.ENOENT));
  }

  /** Of an entry; empty if there is none. */
  public Optional<FileStatus> status(byte[] name) {
    return find(name, Flags.AT_SYMLINK_NOFOLLOW);
  }

  private Optional<FileStatus> find(byte[] name, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      int[] failure = new int[1];
      FileStatus status = FileStatus.read(arena, number(), name, flags, failure);
      if (status == null && failure[0] != Errno.ENOENT && failure[0] != Errno.ENOTDIR) {
        throw LinuxException.of("statx", subject(name), failure[0]);
      }
      return Optional.ofNullable(status);
    }
  }

  /**
   * The entries, in the file system's order, {@code .} and {@code ..} left out.
   *
   * @param limit of entries; one more is a failure
   */
  public List<Entry> list(int limit) {
    List<Entry> entries = new ArrayList<>();
    forEach(
        entry -> {
          if (entries.size() == limit) {
            throw LinuxException.of(
                "getdents64", this + " with more than " + limit + " entries", Errno.ERANGE);
          }
          entries.add(entry);
        });
    return entries;
  }

  /** As {@link #list}, one by one; entries may be removed meanwhile. */
  public void forEach(Consumer<Entry> action) {
    try (Arena arena = Arena.ofConfined();
        Descriptor listing = openForListing(arena)) {
      MemorySegment buffer = arena.allocate(LISTING_BYTES, 8);
      while (true) {
        long length =
            Native.call(Call.GETDENTS64, listing.number(), buffer.address(), buffer.byteSize());
        check(Call.GETDENTS64, length, SELF);
        if (length == 0) {
          return;
        }
        for (long at = 0; at < length; ) {
          int size = buffer.get(ValueLayout.JAVA_SHORT_UNALIGNED, at + 16) & 0xffff;
          int type = buffer.get(ValueLayout.JAVA_BYTE, at + 18);
          byte[] name = name(buffer.asSlice(at + ENTRY_NAME, size - ENTRY_NAME));
          if (!isDots(name)) {
            action.accept(new Entry(name, FileType.ofListing(type)));
          }
          at += size;
        }
      }
    }
  }

  private Descriptor openForListing(Arena arena) {
    long fd =
        Native.call(
            Call.OPENAT,
            number(),
            Native.text(arena, SELF),
            Flags.O_RDONLY | Flags.O_DIRECTORY | Flags.O_CLOEXEC,
            0);
    check(Call.OPENAT, fd, SELF);
    return new Descriptor(fd, this::toString);
  }

  private static byte[] name(MemorySegment padded) {
    long length = 0;
    while (padded.get(ValueLayout.JAVA_BYTE, length) != 0) {
      length++;
    }
    return padded.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
  }

  private static boolean isDots(byte[] name) {
    return name.length <= 2 && name[0] == '.' && name[name.length - 1] == '.';
  }

  /** Makes a directory of permissions 0700. */
  public void makeDirectory(byte[] name) {
    try (Arena arena = Arena.ofConfined()) {
      check(
          Call.MKDIRAT, Native.call(Call.MKDIRAT, number(), Native.text(arena, name), 0700), name);
    }
  }

  /** Makes a device node, FIFO or socket of permissions 0600; the numbers are those of devices. */
  public void makeNode(byte[] name, FileType type, int major, int minor) {
    // Source: the kernel's new_encode_dev.
    long device = (minor & 0xffL) | (long) major << 8 | (minor & ~0xffL) << 12;
    try (Arena arena = Arena.ofConfined()) {
      check(
          Call.MKNODAT,
          Native.call(
              Call.MKNODAT,
              number(),
              Native.text(arena, name),
              type.modeBits() | 0600,
              device & 0xffff_ffffL),
          name);
    }
  }

  public void makeSymlink(byte[] name, byte[] target) {
    try (Arena arena = Arena.ofConfined()) {
      check(
          Call.SYMLINKAT,
          Native.call(
              Call.SYMLINKAT, Native.text(arena, target), number(), Native.text(arena, name)),
          name);
    }
  }

  /** The target of a symbolic link. */
  public byte[] readLink(byte[] name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(4096);
      long length =
          Native.call(
              Call.READLINKAT,
              number(),
              Native.text(arena, name),
              buffer.address(),
              buffer.byteSize());
      check(Call.READLINKAT, length, name);
      return buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** Gives an entry of {@code from} one more name; a symbolic link itself, not what it names. */
  public void makeHardLink(byte[] name, Directory from, byte[] existing) {
    try (Arena arena = Arena.ofConfined()) {
      check(
          Call.LINKAT,
          Native.call(
              Call.LINKAT,
              from.number(),
              Native.text(arena, existing),
              number(),
              Native.text(arena, name),
              0),
          name);
    }
  }

  /** Removes an entry that is not a directory. */
  public void unlink(byte[] name) {
    try (Arena arena = Arena.ofConfined()) {
      check(Call.UNLINKAT, Native.call(Call.UNLINKAT, number(), Native.text(arena, name), 0), name);
    }
  }

  /**
   * @throws LinuxException.AlreadyExists if it is not empty
   */
  public void removeDirectory(byte[] name) {
    try (Arena arena = Arena.ofConfined()) {
      check(
          Call.UNLINKAT,
          Native.call(Call.UNLINKAT, number(), Native.text(arena, name), Flags.AT_REMOVEDIR),
          name);
    }
  }

  /** Moves an entry; what has the new name already is replaced as far as rename(2) does. */
  public void rename(byte[] name, Directory to, byte[] newName) {
    rename(name, to, newName, 0);
  }

  /**
   * Moves an entry to a name that is free.
   *
   * @throws LinuxException.AlreadyExists if the name is taken
   */
  public void renameToFree(byte[] name, Directory to, byte[] newName) {
    rename(name, to, newName, RENAME_NOREPLACE);
  }

  private void rename(byte[] name, Directory to, byte[] newName, int flags) {
    check(Call.RENAMEAT2, rename(number(), name, to.number(), newName, flags), name);
  }

  private static long rename(int from, byte[] name, int to, byte[] newName, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      return Native.call(
          Call.RENAMEAT2, from, Native.text(arena, name), to, Native.text(arena, newName), flags);
    }
  }

  /**
   * Moves by absolute paths, whose directories may be links, to a name that is free.
   *
   * @throws LinuxException.AlreadyExists if the name is taken
   */
  public static void renameToFree(Path from, Path to) {
    long result =
        rename(Flags.AT_FDCWD, RawName.of(from), Flags.AT_FDCWD, RawName.of(to), RENAME_NOREPLACE);
    if (result < 0) {
      throw LinuxException.of(Call.RENAMEAT2.symbol(), from + " to " + to, (int) -result);
    }
  }

  /** Takes set-user-id bits and capabilities away; set them afterwards. */
  public void changeOwner(byte[] name, int uid, int gid) {
    try (Arena arena = Arena.ofConfined()) {
      check(
          Call.FCHOWNAT,
          Native.call(
              Call.FCHOWNAT,
              number(),
              Native.text(arena, name),
              uid,
              gid,
              Flags.AT_SYMLINK_NOFOLLOW),
          name);
    }
  }

  /** Of an entry that is no symbolic link: one would be followed, as Linux has no other way. */
  public void changePermissions(byte[] name, int permissions) {
    try (Arena arena = Arena.ofConfined()) {
      check(
          Call.FCHMODAT,
          Native.call(Call.FCHMODAT, number(), Native.text(arena, name), permissions),
          name);
    }
  }

  /** Sets the times of modification and of access. */
  public void changeTime(byte[] name, long seconds, int nanos) {
    try (Arena arena = Arena.ofConfined()) {
      check(
          Call.UTIMENSAT,
          Native.call(
              Call.UTIMENSAT,
              number(),
              Native.text(arena, name),
              timeSpecs(arena, seconds, nanos).address(),
              Flags.AT_SYMLINK_NOFOLLOW),
          name);
    }
  }

  static MemorySegment timeSpecs(Arena arena, long seconds, int nanos) {
    MemorySegment times = arena.allocate(32, 8);
    for (int i = 0; i < 2; i++) {
      times.set(Native.LONG, i * 16L, seconds);
      times.set(Native.LONG, i * 16L + 8, nanos);
    }
    return times;
  }

  /** A path that names this directory as long as it is open, in this process only. */
  private byte[] procPath(byte @Nullable [] name) {
    byte[] self = RawName.of("/proc/self/fd/" + number());
    if (name == null) {
      return self;
    }
    byte[] path = Arrays.copyOf(self, self.length + 1 + name.length);
    path[self.length] = '/';
    System.arraycopy(name, 0, path, self.length + 1, name.length);
    return path;
  }

  /** An extended attribute of this directory; empty if it has none of this name. */
  public Optional<byte[]> xattr(String attribute) {
    return Xattrs.read(Call.GETXATTR, procPath(null), attribute, toString());
  }

  /** An extended attribute of an entry; empty if it has none of this name. */
  public Optional<byte[]> xattr(byte[] name, String attribute) {
    return Xattrs.read(Call.LGETXATTR, procPath(name), attribute, subject(name));
  }

  /** The names of an entry's extended attributes. */
  public List<String> xattrs(byte[] name) {
    return Xattrs.list(Call.LLISTXATTR, procPath(name), subject(name));
  }

  /** Sets one of this directory. */
  public void setXattr(String attribute, byte[] value) {
    Xattrs.write(Call.SETXATTR, procPath(null), attribute, value, toString());
  }

  /** Sets one of an entry. */
  public void setXattr(byte[] name, String attribute, byte[] value) {
    Xattrs.write(Call.LSETXATTR, procPath(name), attribute, value, subject(name));
  }

  /** Writes all that is dirty on this file system to the disk, and waits. */
  public void syncFileSystem() {
    try (Arena arena = Arena.ofConfined();
        Descriptor readable = openForListing(arena)) {
      check(Call.SYNCFS, Native.call(Call.SYNCFS, readable.number()), SELF);
    }
  }

  @Override
  public void close() {
    descriptor.close();
  }
}
