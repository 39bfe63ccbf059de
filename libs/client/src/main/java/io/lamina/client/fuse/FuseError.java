package io.lamina.client.fuse;

/** The answer to a request that fails: an error number. Costs no stack trace. */
public final class FuseError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int number;

  /**
   * @param number positive, as in {@code errno.h}
   */
  public FuseError(int number) {
    super("error " + number, null, false, false);
    this.number = number;
  }

  public int number() {
    return number;
  }
}
