package io.lamina.node;

import io.lamina.node.commit.RevisionNews;
import io.lamina.node.events.RevisionFollower;
import java.time.Duration;

/**
 * What the follower of publications tells those who wait for a layer: commits and events do not
 * know each other. Thread-safe.
 */
public record FollowedNews(RevisionFollower follower) implements RevisionNews {
  @Override
  public long newsCount() {
    return follower.newsCount();
  }

  @Override
  public void awaitNews(long count, Duration patience) throws InterruptedException {
    follower.awaitNews(count, patience);
  }

  @Override
  public void published(String repository, long revision) {
    follower.published(repository, revision);
  }

  @Override
  public void wake() {
    follower.wake();
  }
}
