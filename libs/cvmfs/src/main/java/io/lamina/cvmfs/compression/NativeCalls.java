package io.lamina.cvmfs.compression;

/** Calls through method handles, which declare to throw anything. */
final class NativeCalls {
  private NativeCalls() {}

  /** A call with a result. */
  @FunctionalInterface
  interface Function<T> {
    T invoke() throws Throwable;
  }

  /**
   * A call without a result. Write it in braces: as a bare expression it would be compiled to one
   * that returns an object.
   */
  @FunctionalInterface
  interface Procedure {
    void invoke() throws Throwable;
  }

  static <T> T call(Function<T> call) {
    try {
      return call.invoke();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void run(Procedure call) {
    try {
      call.invoke();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private static RuntimeException unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return new IllegalStateException("a call into a C library failed", e);
  }
}
