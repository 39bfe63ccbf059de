package io.lamina.standalone.bench;

/** What was measured did not do its work, so that its figures would mean nothing. */
public final class BenchmarkException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public BenchmarkException(String message) {
    super(message);
  }
}
