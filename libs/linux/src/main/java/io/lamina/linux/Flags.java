package io.lamina.linux;

/** Bits of the system calls. Those with two values differ between x86_64 and aarch64. */
final class Flags {
  static final int AT_FDCWD = -100;
  static final int AT_SYMLINK_NOFOLLOW = 0x100;
  static final int AT_REMOVEDIR = 0x200;
  static final int AT_NO_AUTOMOUNT = 0x800;
  static final int AT_EMPTY_PATH = 0x1000;
  static final int AT_RECURSIVE = 0x8000;

  static final int O_RDONLY = 0;
  static final int O_WRONLY = 1;
  static final int O_RDWR = 2;
  static final int O_CREAT = 0x40;
  static final int O_EXCL = 0x80;
  static final int O_NONBLOCK = 0x800;
  static final int O_DIRECTORY = Native.Machine.here() == Native.Machine.X86_64 ? 0x10000 : 0x4000;
  static final int O_NOFOLLOW = Native.Machine.here() == Native.Machine.X86_64 ? 0x20000 : 0x8000;
  static final int O_CLOEXEC = 0x80000;
  static final int O_PATH = 0x200000;

  static final int S_IFMT = 0170000;

  static final int CLONE_FS = 0x200;
  static final int MNT_FORCE = 1;
  static final int MNT_DETACH = 2;
  static final int UMOUNT_NOFOLLOW = 8;

  private Flags() {}
}
