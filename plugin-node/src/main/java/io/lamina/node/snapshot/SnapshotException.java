package io.lamina.node.snapshot;

import org.jspecify.annotations.Nullable;

/** Why a call on snapshots was not done; the kinds are those that containerd tells apart. */
public abstract sealed class SnapshotException extends RuntimeException {
  private SnapshotException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** There is no such snapshot. */
  public static final class NotFound extends SnapshotException {
    public NotFound(String message) {
      super(message, null);
    }
  }

  /** The name is taken, or what was asked for is there already. */
  public static final class AlreadyExists extends SnapshotException {
    public AlreadyExists(String message) {
      super(message, null);
    }
  }

  /** Not in the snapshot's present state. */
  public static final class FailedPrecondition extends SnapshotException {
    public FailedPrecondition(String message) {
      super(message, null);
    }
  }

  /** The call itself is wrong. */
  public static final class Invalid extends SnapshotException {
    public Invalid(String message) {
      super(message, null);
    }
  }

  /** Something is away or takes too long; calling again may help. */
  public static final class Unavailable extends SnapshotException {
    public Unavailable(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** A bound was reached, or the disk is full. */
  public static final class Exhausted extends SnapshotException {
    public Exhausted(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** It could not be done here. */
  public static final class Failed extends SnapshotException {
    public Failed(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }
}
