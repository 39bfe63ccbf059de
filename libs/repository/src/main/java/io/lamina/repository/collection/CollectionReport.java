package io.lamina.repository.collection;

/**
 * What a collection found, and removed unless it was a dry run. Immutable.
 *
 * @param revisions that stay
 * @param forgottenRevisions that the reflog no longer names
 * @param catalogs that were read
 * @param kept objects that something refers to
 * @param young objects that nothing refers to and whose grace period is not over
 * @param removed objects that nothing refers to
 * @param foreignFiles below {@code data/} whose names are no objects'; they stay
 */
public record CollectionReport(
    boolean dryRun,
    int revisions,
    int forgottenRevisions,
    long catalogs,
    Amount kept,
    Amount young,
    Amount removed,
    long foreignFiles) {
  /** So many objects of so many bytes together, as they are stored. */
  public record Amount(long objects, long bytes) {
    public static final Amount NONE = new Amount(0, 0);

    Amount plus(long sizeBytes) {
      return new Amount(objects + 1, bytes + sizeBytes);
    }

    @Override
    public String toString() {
      return objects + " objects (" + bytes + " bytes)";
    }
  }

  /** In one line for people. */
  @Override
  public String toString() {
    return (dryRun ? "would remove " : "removed ")
        + removed
        + " and forget "
        + forgottenRevisions
        + " revisions; "
        + kept
        + " in "
        + revisions
        + " revisions stay, "
        + young
        + " are too young"
        + (foreignFiles == 0 ? "" : ", " + foreignFiles + " files are no objects");
  }
}
