package io.lamina.node.gateway;

import org.jspecify.annotations.Nullable;

/** Root of a gateway's failures; the message is for the engine's user. */
public abstract sealed class GatewayFailure extends Exception {
  private static final long serialVersionUID = 1L;

  private GatewayFailure(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** There was no answer, or the gateway cannot now: the same call may succeed later. */
  public static final class Away extends GatewayFailure {
    private static final long serialVersionUID = 1L;

    public Away(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** The gateway said no, in these words. */
  public static final class Refused extends GatewayFailure {
    private static final long serialVersionUID = 1L;

    private final int status;

    public Refused(int status, String message) {
      super(message, null);
      this.status = status;
    }

    /** HTTP status. */
    public int status() {
      return status;
    }
  }
}
