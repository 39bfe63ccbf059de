package io.lamina.publisher;

/**
 * Rules of one repository.
 *
 * @param flat whether images get a merged tree and a public link
 * @param maxUnfinished requests that may wait at once; more are refused with the reason
 * @param maxTrees different layers and merged trees that these may need together, about 1.5 kB of
 *     memory each while they are held back; requests that would need more are refused
 */
public record CoordinatorSettings(boolean flat, int maxUnfinished, int maxTrees) {
  public static final CoordinatorSettings DEFAULT = new CoordinatorSettings(true, 20_000, 100_000);

  public CoordinatorSettings {
    if (maxUnfinished < 1) {
      throw new IllegalArgumentException("maxUnfinished must be at least 1: " + maxUnfinished);
    }
    if (maxTrees < 1) {
      throw new IllegalArgumentException("maxTrees must be at least 1: " + maxTrees);
    }
  }
}
