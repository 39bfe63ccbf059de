package io.lamina.linux;

/** A system call failed; the leaf says what the caller can do. */
public abstract sealed class LinuxException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int number;

  private LinuxException(String what, int number, String detail) {
    super(what + ": " + new Errno(number) + detail);
    this.number = number;
  }

  public Errno errno() {
    return new Errno(number);
  }

  /** There is no such entry, or a directory on the way is none. */
  public static final class NotFound extends LinuxException {
    private static final long serialVersionUID = 1L;

    private NotFound(String what, int number, String detail) {
      super(what, number, detail);
    }
  }

  /** The name is taken, or the directory not empty. */
  public static final class AlreadyExists extends LinuxException {
    private static final long serialVersionUID = 1L;

    private AlreadyExists(String what, int number, String detail) {
      super(what, number, detail);
    }
  }

  /** This kernel or file system cannot do it. */
  public static final class NotSupported extends LinuxException {
    private static final long serialVersionUID = 1L;

    private NotSupported(String what, int number, String detail) {
      super(what, number, detail);
    }
  }

  /** Disk or quota is full. */
  public static final class NoSpace extends LinuxException {
    private static final long serialVersionUID = 1L;

    private NoSpace(String what, int number, String detail) {
      super(what, number, detail);
    }
  }

  /** This process may not do it. */
  public static final class Refused extends LinuxException {
    private static final long serialVersionUID = 1L;

    private Refused(String what, int number, String detail) {
      super(what, number, detail);
    }
  }

  /** Anything else. */
  public static final class Failed extends LinuxException {
    private static final long serialVersionUID = 1L;

    private Failed(String what, int number, String detail) {
      super(what, number, detail);
    }
  }

  /**
   * @param call the system call's name
   * @param subject what it was called on, for people
   * @param number of the error, above 0
   */
  static LinuxException of(String call, String subject, int number) {
    return of(call, subject, number, "");
  }

  static LinuxException of(String call, String subject, int number, String detail) {
    String what = call + " " + subject;
    String more = detail.isEmpty() ? "" : "; the kernel says: " + detail;
    return switch (number) {
      case Errno.ENOENT, Errno.ENOTDIR -> new NotFound(what, number, more);
      case Errno.EEXIST, Errno.ENOTEMPTY -> new AlreadyExists(what, number, more);
      case Errno.ENOSYS, Errno.EOPNOTSUPP, Errno.ENOTTY -> new NotSupported(what, number, more);
      case Errno.ENOSPC, Errno.EDQUOT -> new NoSpace(what, number, more);
      case Errno.EPERM, Errno.EACCES -> new Refused(what, number, more);
      default -> new Failed(what, number, more);
    };
  }
}
