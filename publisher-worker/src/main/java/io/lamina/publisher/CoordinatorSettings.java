package io.lamina.publisher;

/**
 * Rules of one repository.
 *
 * @param flat whether images get a merged tree and a public link
 * @param maxUnfinished requests that may wait at once; more are refused with the reason
 */
public record CoordinatorSettings(boolean flat, int maxUnfinished) {
  public static final CoordinatorSettings DEFAULT = new CoordinatorSettings(true, 20_000);

  public CoordinatorSettings {
    if (maxUnfinished < 1) {
      throw new IllegalArgumentException("maxUnfinished must be at least 1: " + maxUnfinished);
    }
  }
}
