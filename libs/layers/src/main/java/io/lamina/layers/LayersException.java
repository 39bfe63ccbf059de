package io.lamina.layers;

import org.jspecify.annotations.Nullable;

/** Root of this module's failures; the leaf says what the caller can do. */
public abstract sealed class LayersException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private LayersException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** The input can never be accepted as it is: an id, an archive, a descriptor, an option. */
  public static final class Rejected extends LayersException {
    private static final long serialVersionUID = 1L;

    public Rejected(String message) {
      super(message, null);
    }

    public Rejected(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** There is no such layer. */
  public static final class NotFound extends LayersException {
    private static final long serialVersionUID = 1L;

    public NotFound(String message) {
      super(message, null);
    }
  }

  /** The layer, or the folder, is not in a state that allows this. */
  public static final class Conflict extends LayersException {
    private static final long serialVersionUID = 1L;

    public Conflict(String message) {
      super(message, null);
    }
  }

  /** This kernel, file system or configuration cannot do it. */
  public static final class NotSupported extends LayersException {
    private static final long serialVersionUID = 1L;

    public NotSupported(String message) {
      super(message, null);
    }

    public NotSupported(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** A CVMFS repository, or a folder in it, cannot be reached now; a later attempt may succeed. */
  public static final class Unavailable extends LayersException {
    private static final long serialVersionUID = 1L;

    public Unavailable(String message) {
      super(message, null);
    }

    public Unavailable(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** Disk, quota or the kernel's limit of stacked layers is used up. */
  public static final class Exhausted extends LayersException {
    private static final long serialVersionUID = 1L;

    public Exhausted(String message) {
      super(message, null);
    }

    public Exhausted(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** The layer was removed meanwhile, or the thread was interrupted. */
  public static final class Cancelled extends LayersException {
    private static final long serialVersionUID = 1L;

    public Cancelled(String message) {
      super(message, null);
    }
  }

  /** A stream, a file or a system call failed; the message says which and why. */
  public static final class Failed extends LayersException {
    private static final long serialVersionUID = 1L;

    public Failed(String message) {
      super(message, null);
    }

    public Failed(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }
}
