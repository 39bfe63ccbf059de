package io.lamina.linux;

/**
 * Why a system call failed. The numbers are those of x86_64 and aarch64, which are the same.
 *
 * @param number above 0
 */
public record Errno(int number) {
  static final int EPERM = 1;
  static final int ENOENT = 2;
  static final int EINTR = 4;
  static final int ENXIO = 6;
  static final int EBADF = 9;
  static final int EAGAIN = 11;
  static final int EACCES = 13;
  static final int EEXIST = 17;
  static final int ENOTDIR = 20;
  static final int EINVAL = 22;
  static final int ENOTTY = 25;
  static final int ENOSPC = 28;
  static final int ERANGE = 34;
  static final int ENOSYS = 38;
  static final int ENOTEMPTY = 39;
  static final int ENODATA = 61;
  static final int EOPNOTSUPP = 95;
  static final int EDQUOT = 122;

  /** The symbol of the C headers, or the number where it is a rare one. */
  public String symbol() {
    return switch (number) {
      case EPERM -> "EPERM";
      case ENOENT -> "ENOENT";
      case 3 -> "ESRCH";
      case EINTR -> "EINTR";
      case 5 -> "EIO";
      case ENXIO -> "ENXIO";
      case EBADF -> "EBADF";
      case EAGAIN -> "EAGAIN";
      case 12 -> "ENOMEM";
      case EACCES -> "EACCES";
      case 15 -> "ENOTBLK";
      case 16 -> "EBUSY";
      case EEXIST -> "EEXIST";
      case 18 -> "EXDEV";
      case 19 -> "ENODEV";
      case ENOTDIR -> "ENOTDIR";
      case 21 -> "EISDIR";
      case EINVAL -> "EINVAL";
      case 23 -> "ENFILE";
      case 24 -> "EMFILE";
      case ENOTTY -> "ENOTTY";
      case 26 -> "ETXTBSY";
      case 27 -> "EFBIG";
      case ENOSPC -> "ENOSPC";
      case 30 -> "EROFS";
      case 31 -> "EMLINK";
      case ERANGE -> "ERANGE";
      case 36 -> "ENAMETOOLONG";
      case ENOSYS -> "ENOSYS";
      case ENOTEMPTY -> "ENOTEMPTY";
      case 40 -> "ELOOP";
      case ENODATA -> "ENODATA";
      case 75 -> "EOVERFLOW";
      case EOPNOTSUPP -> "EOPNOTSUPP";
      case 107 -> "ENOTCONN";
      case 110 -> "ETIMEDOUT";
      case 116 -> "ESTALE";
      case EDQUOT -> "EDQUOT";
      default -> "errno " + number;
    };
  }

  /** The meaning, in words. */
  public String text() {
    return switch (number) {
      case EPERM -> "not permitted";
      case ENOENT -> "no such file or directory";
      case EINTR -> "interrupted";
      case 5 -> "input/output error";
      case EACCES -> "permission denied";
      case 16 -> "busy";
      case EEXIST -> "exists already";
      case 18 -> "leads to another file system, or out of its root";
      case ENOTDIR -> "not a directory";
      case 21 -> "is a directory";
      case EINVAL -> "invalid argument";
      case 23, 24 -> "too many open files";
      case ENOSPC -> "no space left";
      case 30 -> "read-only file system";
      case 31 -> "too many links";
      case 36 -> "name too long";
      case ENOSYS -> "not known to this kernel";
      case ENOTEMPTY -> "directory not empty";
      case 40 -> "too many symbolic links";
      case ENODATA -> "no such attribute";
      case ENOTTY, EOPNOTSUPP -> "not supported here";
      case 107 -> "its server is gone";
      case 116 -> "stale file handle";
      case EDQUOT -> "quota exceeded";
      default -> "failed";
    };
  }

  @Override
  public String toString() {
    return text() + " (" + symbol() + ")";
  }
}
