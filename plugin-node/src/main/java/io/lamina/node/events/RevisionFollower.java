package io.lamina.node.events;

import io.lamina.layers.LayersException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows revisions on this node when they are published, and wakes those who wait for one. Each
 * repository is refreshed by a thread of its own, one call at a time, so one that hangs holds up no
 * other. A revision that servers do not have yet is asked for again with growing pauses, for about
 * a minute; then the client's own time counts. Thread-safe.
 */
public final class RevisionFollower implements PublicationListener, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RevisionFollower.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
  private static final int MAX_ATTEMPTS = 9;

  /**
   * One repository's news, for people.
   *
   * @param announced the newest revision that was heard of
   * @param shown as of the last refresh; less than announced while it lags
   */
  public record Lag(String repository, long announced, long shown) {}

  private static final class Followed {
    long announced;
    long shown;
    boolean isAskedFor;
    boolean isWorking;
  }

  private final RepositoryViews views;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Guarded by the lock.
  private final Map<String, Followed> followed = new TreeMap<>();
  private long newsCount;
  private boolean isClosed;

  public RevisionFollower(RepositoryViews views) {
    this.views = views;
  }

  /** Of the repositories that are mounted and were heard of, by name. */
  public List<Lag> lags() {
    lock.lock();
    try {
      List<Lag> lags = new ArrayList<>();
      followed.forEach(
          (repository, state) -> lags.add(new Lag(repository, state.announced, state.shown)));
      return lags;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void published(String repository, long revision) {
    ask(repository, revision);
  }

  @Override
  public void missed() {
    views.mounted().forEach(repository -> ask(repository, 0));
    wake();
  }

  /** A repository that is not mounted shows its newest revision when it will be. */
  private void ask(String repository, long revision) {
    boolean isMounted = views.mounted().contains(repository);
    lock.lock();
    try {
      if (!isMounted || isClosed) {
        followed.remove(repository);
        newsCount++;
        changed.signalAll();
        return;
      }
      Followed state = followed.computeIfAbsent(repository, _ -> new Followed());
      state.announced = Math.max(state.announced, revision);
      state.isAskedFor |= revision == 0 || state.shown < revision;
      if (state.isAskedFor && !state.isWorking) {
        state.isWorking = true;
        Thread.ofPlatform()
            .daemon()
            .name("refresh-" + repository)
            .start(() -> refresh(repository, state));
      } else if (!state.isAskedFor) {
        newsCount++;
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  private void refresh(String repository, Followed state) {
    int attempt = 0;
    long shownBefore = -1;
    try {
      while (goesOn(state)) {
        String cause = "servers have only an older one";
        try {
          shown(state, views.refresh(repository));
        } catch (LayersException.NotFound e) {
          break; // unmounted meanwhile
        } catch (LayersException e) {
          cause = String.valueOf(e.getMessage());
        }
        attempt = waitsForMore(repository, state, state.shown > shownBefore ? 0 : attempt, cause);
        shownBefore = state.shown;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) { // the thread's top
      LOG.atError().addKeyValue("repository", repository).setCause(e).log("refresh failed");
    } finally {
      ended(state);
    }
  }

  /** Whether there is something to do; if not, who asks next starts another thread. */
  private boolean goesOn(Followed state) {
    lock.lock();
    try {
      state.isWorking = state.isAskedFor && !isClosed;
      return state.isWorking;
    } finally {
      lock.unlock();
    }
  }

  /** After the loop, however it ended. */
  private void ended(Followed state) {
    lock.lock();
    try {
      if (state.isWorking) {
        state.isWorking = false;
        state.isAskedFor = false;
      }
    } finally {
      lock.unlock();
    }
    wake();
  }

  private void shown(Followed state, long revision) {
    lock.lock();
    try {
      state.shown = revision;
      if (revision >= state.announced) {
        state.announced = revision;
        state.isAskedFor = false;
      }
      newsCount++;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Pauses after an attempt that was not enough; returns the number of such attempts. */
  private int waitsForMore(String repository, Followed state, int attempt, String cause)
      throws InterruptedException {
    lock.lock();
    try {
      if (!state.isAskedFor || isClosed) {
        return 0;
      }
      if (attempt + 1 >= MAX_ATTEMPTS) {
        LOG.atWarn()
            .addKeyValue("repository", repository)
            .addKeyValue("announced", state.announced)
            .addKeyValue("shown", state.shown)
            .addKeyValue("cause", cause)
            .log("announced revision cannot be shown now; the client will look for itself");
        // What was announced need not be true.
        state.announced = state.shown;
        state.isAskedFor = false;
        return 0;
      }
      long left = FIRST_PAUSE.multipliedBy(1L << attempt).toNanos();
      while (left > 0 && !isClosed) {
        left = changed.awaitNanos(left);
      }
      return attempt + 1;
    } finally {
      lock.unlock();
    }
  }

  /** Ends all waits for news once. */
  public void wake() {
    lock.lock();
    try {
      newsCount++;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** How much has been heard and shown; for {@link #awaitNews}. */
  public long newsCount() {
    lock.lock();
    try {
      return newsCount;
    } finally {
      lock.unlock();
    }
  }

  /** Returns when there was more news than {@code count}, or the time is over. */
  public void awaitNews(long count, Duration patience) throws InterruptedException {
    long left = patience.toNanos();
    lock.lockInterruptibly();
    try {
      while (newsCount <= count && left > 0 && !isClosed) {
        left = changed.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      isClosed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
