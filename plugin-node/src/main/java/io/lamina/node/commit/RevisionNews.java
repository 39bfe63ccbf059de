package io.lamina.node.commit;

import java.time.Duration;

/** Hears when this node shows something new. Thread-safe. */
public interface RevisionNews {
  /** How much was heard until now. */
  long newsCount();

  /** Returns when there was more than {@code count}, or the time is over. */
  void awaitNews(long count, Duration patience) throws InterruptedException;

  /** A repository is known to have a revision: it is to be shown here. Returns at once. */
  void published(String repository, long revision);

  /** Ends all waits for news once. */
  void wake();
}
