package io.lamina.node.events;

/** Hears of publications. Calls come on the source's thread and return at once. */
public interface PublicationListener {
  /**
   * A repository is said to have a revision. It is a hint: what is true is what the repository
   * signed.
   *
   * @param repository a valid name
   */
  void published(String repository, long revision);

  /** There may have been publications that nobody will tell of. */
  void missed();
}
