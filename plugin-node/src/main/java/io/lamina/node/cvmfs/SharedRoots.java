package io.lamina.node.cvmfs;

import io.lamina.client.cache.CacheStatistics;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayersException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Repositories of one client, each mounted once for all who use it: counts the uses, looks
 * regularly whether the mounts answer, replaces dead ones, and unmounts what nobody has used for a
 * while. Thread-safe.
 *
 * <p>At most one call into each repository is under way, so a file system that hangs holds one
 * thread and not one for each who asks.
 */
public final class SharedRoots implements CvmfsRoots, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SharedRoots.class);

  /** Names come from images, so their number is bounded. */
  private static final int MAX_REPOSITORIES = 1024;

  /**
   * Patience.
   *
   * @param answer with a mount, and with a repository that is asked whether it is alive
   * @param linger of a repository that nobody uses
   * @param look between two looks at each repository
   */
  public record Times(Duration answer, Duration linger, Duration look) {
    public static final Times DEFAULT =
        new Times(Duration.ofSeconds(30), Duration.ofMinutes(5), Duration.ofSeconds(10));
  }

  /** What is known of one repository, for people. */
  public record State(String repository, long revision, int uses, boolean isAlive) {}

  private final RepositoryClient client;
  private final Times times;
  private final Map<String, Slot> slots = new ConcurrentSkipListMap<>();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("repositories").factory());

  public SharedRoots(RepositoryClient client, Times times) {
    this.client = client;
    this.times = times;
    timer.scheduleWithFixedDelay(
        this::look, times.look().toNanos(), times.look().toNanos(), TimeUnit.NANOSECONDS);
  }

  /** The client's name, for people. */
  public String client() {
    return client.name();
  }

  /** The client's cache, if it is one of this process. */
  public Optional<CacheStatistics> cache() {
    return client.cache();
  }

  @Override
  public Lease acquire(String repository) {
    try {
      RepositoryName name = new RepositoryName(repository);
      return slot(name.value()).acquire();
    } catch (CvmfsException.Rejected e) {
      throw new LayersException.Rejected(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    }
  }

  private Slot slot(String repository) {
    Slot slot = slots.get(repository);
    if (slot == null) {
      if (slots.size() >= MAX_REPOSITORIES) {
        throw new LayersException.Exhausted(
            MAX_REPOSITORIES + " repositories were asked for, which is the bound of this node");
      }
      slot = slots.computeIfAbsent(repository, Slot::new);
    }
    return slot;
  }

  /**
   * Shows the newest revision of a repository that is mounted.
   *
   * @return the revision that is shown then
   * @throws LayersException.NotFound if it is not mounted
   * @throws LayersException.Unavailable if the client could not
   */
  public long refresh(String repository) {
    Slot slot = slots.get(repository);
    if (slot == null) {
      throw new LayersException.NotFound("repository " + repository + " is not mounted here");
    }
    return slot.refresh();
  }

  /** Whether it is mounted now, in use or not. */
  public boolean isMounted(String repository) {
    Slot slot = slots.get(repository);
    return slot != null && slot.state().isPresent();
  }

  /** All repositories that are mounted, by name. */
  public List<State> states() {
    List<State> states = new ArrayList<>();
    slots.values().forEach(slot -> slot.state().ifPresent(states::add));
    return states;
  }

  private void look() {
    for (Slot slot : slots.values()) {
      try {
        slot.look();
      } catch (LayersException e) {
        LOG.atDebug().addKeyValue("repository", slot.name).setCause(e).log("look failed");
      } catch (RuntimeException e) { // the top of the timer's task: a throw would end it
        LOG.atError().addKeyValue("repository", slot.name).setCause(e).log("look failed");
      }
    }
  }

  /** What is in use stays as far as the client can leave it. */
  @Override
  public void close() {
    timer.shutdownNow();
    slots.values().forEach(Slot::closeUnused);
    client.close();
  }

  /** A mount and who uses it. */
  private static final class Held {
    final RepositoryMount mount;

    /** Guarded by the slot's lock. */
    int uses;

    long unusedSinceNanos = System.nanoTime();
    volatile long revision;
    volatile boolean alive = true;

    Held(RepositoryMount mount, long revision) {
      this.mount = mount;
      this.revision = revision;
    }
  }

  /** One repository. */
  private final class Slot {
    private final String name;
    private final ReentrantLock lock = new ReentrantLock();

    // All guarded by the lock, and never held while a call into the repository is waited for.
    private @Nullable Held current;
    private @Nullable CompletableFuture<Held> mounting;
    private @Nullable CompletableFuture<Long> checking;
    private long checkingSinceNanos;

    Slot(String name) {
      this.name = name;
    }

    Lease acquire() {
      long deadline = System.nanoTime() + times.answer().toNanos();
      checkCurrent(deadline);
      while (true) {
        CompletableFuture<Held> pending;
        lock.lock();
        try {
          // Checked above, or mounted while this thread waited.
          if (current != null && current.alive) {
            return lease(current);
          }
          pending = mounting();
        } finally {
          lock.unlock();
        }
        HungCalls.await(
            pending, "mounting repository " + name + " (" + client.name() + ")", left(deadline));
      }
    }

    private Duration left(long deadline) {
      return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
    }

    /** Afterwards a mount whose client is gone is no longer the current one. */
    private void checkCurrent(long deadline) {
      Held held;
      CompletableFuture<Long> answer;
      lock.lock();
      try {
        held = current;
        if (held == null) {
          return;
        }
        answer = checking(held);
        if (!answer.isDone() && hangsSince().compareTo(times.answer()) > 0) {
          throw new LayersException.Unavailable(
              "repository " + name + " has not answered for " + hangsSince().toSeconds() + " s");
        }
      } finally {
        lock.unlock();
      }
      try {
        HungCalls.await(answer, "repository " + name, left(deadline));
      } catch (LayersException.Unavailable e) {
        if (!answer.isDone()) {
          held.alive = false;
          throw e;
        }
        LOG.atDebug().addKeyValue("repository", name).setCause(e).log("mounting it again");
      }
    }

    private Duration hangsSince() {
      return Duration.ofNanos(System.nanoTime() - checkingSinceNanos);
    }

    /** One at a time; to be called with the lock held. */
    private CompletableFuture<Long> checking(Held held) {
      CompletableFuture<Long> running = checking;
      if (running != null && !running.isDone()) {
        return running;
      }
      CompletableFuture<Long> fresh = HungCalls.start("check-" + name, held.mount::check);
      checking = fresh;
      checkingSinceNanos = System.nanoTime();
      // Not HungCalls' result itself: who waits for it must find the state changed.
      return checking =
          fresh.whenComplete(
              (revision, failure) -> {
                if (failure == null) {
                  held.revision = revision;
                  held.alive = true;
                } else {
                  died(held, failure);
                }
              });
    }

    private void died(Held held, Throwable failure) {
      lock.lock();
      try {
        held.alive = false;
        if (current == held) {
          current = null;
          LOG.atWarn()
              .addKeyValue("repository", name)
              .addKeyValue("uses", held.uses)
              .addKeyValue("cause", failure.getMessage())
              .log("repository's client is gone; the next use mounts it again");
        }
      } finally {
        lock.unlock();
      }
      held.mount.close();
    }

    /** One at a time, and kept when it ends too late for who asked; with the lock held. */
    private CompletableFuture<Held> mounting() {
      if (mounting != null && !mounting.isDone()) {
        return mounting;
      }
      CompletableFuture<Held> fresh =
          HungCalls.start(
              "mount-" + name,
              () -> {
                RepositoryMount mount = client.mount(name);
                try {
                  return new Held(mount, mount.check());
                } catch (RuntimeException e) {
                  mount.close();
                  throw e;
                }
              });
      return mounting =
          fresh.whenComplete(
              (held, _) -> {
                if (held == null) {
                  return;
                }
                lock.lock();
                try {
                  current = held;
                  LOG.atInfo()
                      .addKeyValue("repository", name)
                      .addKeyValue("revision", held.revision)
                      .addKeyValue("client", client.name())
                      .log("repository mounted");
                } finally {
                  lock.unlock();
                }
              });
    }

    private Lease lease(Held held) {
      held.uses++;
      AtomicBoolean open = new AtomicBoolean(true);
      return new Lease() {
        @Override
        public Path root() {
          return held.mount.root();
        }

        @Override
        public long revision() {
          return held.revision;
        }

        @Override
        public boolean isAlive() {
          return held.alive;
        }

        @Override
        public void close() {
          if (open.compareAndSet(true, false)) {
            lock.lock();
            try {
              held.uses--;
              held.unusedSinceNanos = System.nanoTime();
            } finally {
              lock.unlock();
            }
          }
        }
      };
    }

    long refresh() {
      Held held;
      lock.lock();
      try {
        held = current;
      } finally {
        lock.unlock();
      }
      if (held == null) {
        throw new LayersException.NotFound("repository " + name + " is not mounted here");
      }
      long revision =
          HungCalls.await(
              HungCalls.start("refresh-" + name, held.mount::refresh),
              "refreshing repository " + name,
              times.answer());
      held.revision = revision;
      return revision;
    }

    void look() {
      Held unused = null;
      lock.lock();
      try {
        Held held = current;
        if (held == null) {
          return;
        }
        if (held.uses == 0
            && System.nanoTime() - held.unusedSinceNanos > times.linger().toNanos()) {
          current = null;
          unused = held;
        } else {
          CompletableFuture<Long> running = checking;
          if (running != null && !running.isDone() && hangsSince().compareTo(times.answer()) > 0) {
            held.alive = false;
          }
          checking(held);
        }
      } finally {
        lock.unlock();
      }
      if (unused != null) {
        unmount(unused);
      }
    }

    private void unmount(Held unused) {
      unused.alive = false;
      HungCalls.start(
          "unmount-" + name,
          () -> {
            unused.mount.close();
            LOG.atInfo().addKeyValue("repository", name).log("unused repository unmounted");
            return true;
          });
    }

    void closeUnused() {
      Held unused = null;
      lock.lock();
      try {
        if (current != null && current.uses == 0) {
          unused = current;
          current = null;
        }
      } finally {
        lock.unlock();
      }
      if (unused != null) {
        RepositoryMount mount = unused.mount;
        try {
          HungCalls.await(
              HungCalls.start(
                  "unmount-" + name,
                  () -> {
                    mount.close();
                    return true;
                  }),
              "unmounting repository " + name,
              Duration.ofSeconds(2));
        } catch (LayersException e) {
          LOG.atWarn().addKeyValue("repository", name).log("repository stays mounted");
        }
      }
    }

    Optional<State> state() {
      lock.lock();
      try {
        return Optional.ofNullable(current)
            .map(held -> new State(name, held.revision, held.uses, held.alive));
      } finally {
        lock.unlock();
      }
    }
  }
}
