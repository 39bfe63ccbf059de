package io.lamina.client.fuse;

/**
 * Numbers and layouts of the kernel's FUSE protocol, version 7.
 *
 * <p>Source: Linux, {@code include/uapi/linux/fuse.h}.
 */
final class Wire {
  static final int MAJOR = 7;

  /** 4.2 and later: readdirplus flags, entry timeouts and all that is relied on. */
  static final int OLDEST_MINOR = 23;

  static final int MINOR = 40;

  static final int LOOKUP = 1;
  static final int FORGET = 2;
  static final int GETATTR = 3;
  static final int READLINK = 5;
  static final int OPEN = 14;
  static final int READ = 15;
  static final int STATFS = 17;
  static final int RELEASE = 18;
  static final int GETXATTR = 22;
  static final int LISTXATTR = 23;
  static final int FLUSH = 25;
  static final int INIT = 26;
  static final int OPENDIR = 27;
  static final int READDIR = 28;
  static final int RELEASEDIR = 29;
  static final int ACCESS = 34;
  static final int INTERRUPT = 36;
  static final int DESTROY = 38;
  static final int BATCH_FORGET = 42;
  static final int READDIRPLUS = 44;
  static final int LSEEK = 46;
  static final int STATX = 52;

  /** Those that would change something: SETATTR, SYMLINK to LINK, WRITE, and so on. */
  static boolean isWriting(int opcode) {
    return switch (opcode) {
      case 4, 6, 8, 9, 10, 11, 12, 13, 16, 21, 24, 35, 43, 45, 47, 51 -> true;
      default -> false;
    };
  }

  static final int IN_HEADER_BYTES = 40;
  static final int OUT_HEADER_BYTES = 16;
  static final int ATTRIBUTE_BYTES = 88;
  static final int ENTRY_OUT_BYTES = 40 + ATTRIBUTE_BYTES;
  static final int ATTR_OUT_BYTES = 16 + ATTRIBUTE_BYTES;
  static final int DIRENT_BYTES = 24;
  static final int OPEN_OUT_BYTES = 16;
  static final int INIT_OUT_BYTES = 64;

  static final long ASYNC_READ = 1;
  static final long DO_READDIRPLUS = 1 << 13;
  static final long READDIRPLUS_AUTO = 1 << 14;
  static final long ASYNC_DIO = 1 << 15;
  static final long PARALLEL_DIROPS = 1 << 18;
  static final long MAX_PAGES = 1 << 22;
  static final long CACHE_SYMLINKS = 1 << 23;
  static final long NO_OPENDIR_SUPPORT = 1 << 24;
  static final long EXPLICIT_INVAL_DATA = 1 << 25;
  static final long INIT_EXT = 1 << 30;
  static final long HAS_EXPIRE_ONLY = 1L << 35;

  static final int FOPEN_KEEP_CACHE = 1 << 1;
  static final int FOPEN_CACHE_DIR = 1 << 3;

  static final int NOTIFY_INVAL_INODE = 2;
  static final int NOTIFY_INVAL_ENTRY = 3;
  static final int EXPIRE_ONLY = 1;

  private Wire() {}
}
