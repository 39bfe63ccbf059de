package io.lamina.node.events;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.layers.LayersException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RevisionFollowerTest {
  private static final String REPOSITORY = "images.example.org";
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Shows whatever its server has. */
  private static final class Views implements RepositoryViews {
    final Set<String> mounted = new ConcurrentSkipListSet<>(Set.of(REPOSITORY));
    final AtomicLong served = new AtomicLong(5);
    final AtomicInteger refreshes = new AtomicInteger();
    final AtomicInteger atOnce = new AtomicInteger();
    final AtomicInteger mostAtOnce = new AtomicInteger();
    final Semaphore gate = new Semaphore(1_000_000);
    volatile CountDownLatch entered = new CountDownLatch(1);

    @Override
    public Set<String> mounted() {
      return mounted;
    }

    @Override
    public long refresh(String repository) {
      mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
      try {
        entered.countDown();
        gate.acquireUninterruptibly();
        refreshes.incrementAndGet();
        if (served.get() < 0) {
          throw new LayersException.Unavailable("no server answers");
        }
        return served.get();
      } finally {
        atOnce.decrementAndGet();
      }
    }
  }

  private final Views views = new Views();
  private final RevisionFollower follower = new RevisionFollower(views);

  @AfterEach
  void close() {
    views.gate.release(1_000_000);
    follower.close();
  }

  private void awaitShown(long revision) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < deadline) {
      long count = follower.newsCount();
      if (follower.lags().stream().anyMatch(lag -> lag.shown() == revision)) {
        return;
      }
      follower.awaitNews(count, Duration.ofNanos(deadline - System.nanoTime()));
    }
    throw new AssertionError("not shown: " + revision + ", but " + follower.lags());
  }

  @Test
  void showsWhatWasPublished() throws InterruptedException {
    views.served.set(6);

    follower.published(REPOSITORY, 6);

    awaitShown(6);
    assertThat(follower.lags()).containsExactly(new RevisionFollower.Lag(REPOSITORY, 6, 6));
  }

  @Test
  void asksAgainUntilServersHaveTheRevision() throws InterruptedException {
    follower.published(REPOSITORY, 6);
    awaitShown(5);
    assertThat(follower.lags()).containsExactly(new RevisionFollower.Lag(REPOSITORY, 6, 5));

    views.served.set(6);

    awaitShown(6);
  }

  @Test
  void asksAgainWhenNoServerAnswered() throws InterruptedException {
    views.served.set(-1);
    follower.published(REPOSITORY, 6);
    assertThat(views.entered.await(60, TimeUnit.SECONDS)).isTrue();

    views.served.set(6);

    awaitShown(6);
  }

  @Test
  void doesNotAskForWhatIsShown() throws InterruptedException {
    views.served.set(7);
    follower.published(REPOSITORY, 7);
    awaitShown(7);
    int before = views.refreshes.get();

    long count = follower.newsCount();
    follower.published(REPOSITORY, 6);
    follower.published(REPOSITORY, 7);

    follower.awaitNews(count + 1, PATIENCE);
    assertThat(views.refreshes).hasValue(before);
  }

  @Test
  void refreshesOnceForManyPublicationsWhileARefreshHangs() throws InterruptedException {
    views.gate.drainPermits();
    views.served.set(1000);
    for (int revision = 6; revision <= 1000; revision++) {
      follower.published(REPOSITORY, revision);
    }
    assertThat(views.entered.await(60, TimeUnit.SECONDS)).isTrue();

    views.gate.release(1_000_000);

    awaitShown(1000);
    assertThat(views.refreshes.get()).isLessThan(5);
    assertThat(views.mostAtOnce).hasValue(1);
  }

  @Test
  void leavesRepositoriesAloneThatAreNotMounted() throws InterruptedException {
    long count = follower.newsCount();

    follower.published("other.example.org", 9);

    follower.awaitNews(count, PATIENCE);
    assertThat(follower.newsCount()).isGreaterThan(count);
    assertThat(views.refreshes).hasValue(0);
    assertThat(follower.lags()).isEmpty();
  }

  @Test
  void refreshesAllThatIsMountedWhenNewsMayHaveBeenMissed() throws InterruptedException {
    views.served.set(8);

    follower.missed();

    awaitShown(8);
  }

  @Test
  void hearsOfTheNextRevisionWhileTheLastOneIsBeingShown() throws InterruptedException {
    for (int revision = 6; revision < 200; revision++) {
      views.served.set(revision);
      follower.published(REPOSITORY, revision);
    }

    awaitShown(199);
  }
}
