package io.lamina.client.failure;

import org.jspecify.annotations.Nullable;

/**
 * Root of this module's failures; the leaf says what the caller can do. What is wrong with a
 * repository or out of reach on its servers is told by {@link io.lamina.cvmfs.CvmfsException}.
 */
public abstract sealed class ClientException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private ClientException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** The caller's settings or this machine do not allow it: change them. */
  public static final class Rejected extends ClientException {
    private static final long serialVersionUID = 1L;

    public Rejected(String message) {
      super(message, null);
    }

    public Rejected(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** No room is left in the cache or on its disk; nothing is damaged. Make room and try again. */
  public static final class Exhausted extends ClientException {
    private static final long serialVersionUID = 1L;

    public Exhausted(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** The cache's disk cannot be read or written. */
  public static final class Broken extends ClientException {
    private static final long serialVersionUID = 1L;

    public Broken(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }
}
