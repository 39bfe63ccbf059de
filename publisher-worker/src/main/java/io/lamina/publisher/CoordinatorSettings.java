package io.lamina.publisher;

/**
 * Rules of one repository.
 *
 * @param flat whether images get a merged tree and a public link
 * @param maxUnfinished requests that may wait at once; more are refused with the reason
 * @param maxTrees different layers and merged trees that these may need together, about 1.5 kB of
 *     memory each while they are held back; requests that would need more are refused
 * @param interactiveWindow pieces of work that may be in the converters' queue at once for
 *     interactive requests
 * @param bulkWindow the same for bulk requests: what an interactive request may have to wait behind
 */
public record CoordinatorSettings(
    boolean flat, int maxUnfinished, int maxTrees, int interactiveWindow, int bulkWindow) {
  public static final CoordinatorSettings DEFAULT =
      new CoordinatorSettings(true, 20_000, 100_000, 256, 64);

  public CoordinatorSettings(boolean flat, int maxUnfinished, int maxTrees) {
    this(flat, maxUnfinished, maxTrees, 256, 64);
  }

  public CoordinatorSettings {
    if (maxUnfinished < 1) {
      throw new IllegalArgumentException("maxUnfinished must be at least 1: " + maxUnfinished);
    }
    if (interactiveWindow < 1 || bulkWindow < 1) {
      throw new IllegalArgumentException(
          "the windows must be at least 1: " + interactiveWindow + ", " + bulkWindow);
    }
    if (maxTrees < 1) {
      throw new IllegalArgumentException("maxTrees must be at least 1: " + maxTrees);
    }
  }
}
