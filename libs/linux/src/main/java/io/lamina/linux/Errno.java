package io.lamina.linux;

/**
 * Why a system call failed. The numbers are those of x86_64 and aarch64, which are the same.
 *
 * @param number above 0
 */
public record Errno(int number) {
  public static final int EPERM = 1;
  public static final int ENOENT = 2;
  public static final int EINTR = 4;
  public static final int EIO = 5;
  public static final int ENXIO = 6;
  public static final int EBADF = 9;
  public static final int EAGAIN = 11;
  public static final int EACCES = 13;
  public static final int EBUSY = 16;
  public static final int EEXIST = 17;
  public static final int ENODEV = 19;
  public static final int ENOTDIR = 20;
  public static final int EISDIR = 21;
  public static final int EINVAL = 22;
  public static final int ENOTTY = 25;
  public static final int ENOSPC = 28;
  public static final int EROFS = 30;
  public static final int ERANGE = 34;
  public static final int ENAMETOOLONG = 36;
  public static final int ENOSYS = 38;
  public static final int ENOTEMPTY = 39;
  public static final int ENODATA = 61;
  public static final int EPROTO = 71;
  public static final int EOPNOTSUPP = 95;
  public static final int ENOTCONN = 107;
  public static final int ESTALE = 116;
  public static final int EDQUOT = 122;

  /** The symbol of the C headers, or the number where it is a rare one. */
  public String symbol() {
    return switch (number) {
      case EPERM -> "EPERM";
      case ENOENT -> "ENOENT";
      case 3 -> "ESRCH";
      case EINTR -> "EINTR";
      case EIO -> "EIO";
      case ENXIO -> "ENXIO";
      case EBADF -> "EBADF";
      case EAGAIN -> "EAGAIN";
      case 12 -> "ENOMEM";
      case EACCES -> "EACCES";
      case 15 -> "ENOTBLK";
      case EBUSY -> "EBUSY";
      case EEXIST -> "EEXIST";
      case 18 -> "EXDEV";
      case ENODEV -> "ENODEV";
      case ENOTDIR -> "ENOTDIR";
      case EISDIR -> "EISDIR";
      case EINVAL -> "EINVAL";
      case 23 -> "ENFILE";
      case 24 -> "EMFILE";
      case ENOTTY -> "ENOTTY";
      case 26 -> "ETXTBSY";
      case 27 -> "EFBIG";
      case ENOSPC -> "ENOSPC";
      case EROFS -> "EROFS";
      case 31 -> "EMLINK";
      case ERANGE -> "ERANGE";
      case ENAMETOOLONG -> "ENAMETOOLONG";
      case ENOSYS -> "ENOSYS";
      case ENOTEMPTY -> "ENOTEMPTY";
      case 40 -> "ELOOP";
      case ENODATA -> "ENODATA";
      case EPROTO -> "EPROTO";
      case 75 -> "EOVERFLOW";
      case EOPNOTSUPP -> "EOPNOTSUPP";
      case ENOTCONN -> "ENOTCONN";
      case 110 -> "ETIMEDOUT";
      case ESTALE -> "ESTALE";
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
      case EIO -> "input/output error";
      case EACCES -> "permission denied";
      case EBUSY -> "busy";
      case ENODEV -> "no such device";
      case EEXIST -> "exists already";
      case 18 -> "leads to another file system, or out of its root";
      case ENOTDIR -> "not a directory";
      case EISDIR -> "is a directory";
      case EINVAL -> "invalid argument";
      case 23, 24 -> "too many open files";
      case ENOSPC -> "no space left";
      case EROFS -> "read-only file system";
      case 31 -> "too many links";
      case ENAMETOOLONG -> "name too long";
      case ENOSYS -> "not known to this kernel";
      case ENOTEMPTY -> "directory not empty";
      case 40 -> "too many symbolic links";
      case ENODATA -> "no such attribute";
      case ENOTTY, EOPNOTSUPP -> "not supported here";
      case ENOTCONN -> "its server is gone";
      case ESTALE -> "stale file handle";
      case EDQUOT -> "quota exceeded";
      default -> "failed";
    };
  }

  @Override
  public String toString() {
    return text() + " (" + symbol() + ")";
  }
}
