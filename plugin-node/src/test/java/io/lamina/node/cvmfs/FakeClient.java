package io.lamina.node.cvmfs;

import io.lamina.layers.LayersException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Repositories that are only names, and die, hang and come back when they are told to. */
final class FakeClient implements RepositoryClient {
  /** One that was mounted. */
  static final class Mounted implements RepositoryMount {
    final Path root;
    final CountDownLatch closed = new CountDownLatch(1);
    volatile boolean dead;
    volatile long revision = 7;
    volatile CountDownLatch answers = new CountDownLatch(0);

    Mounted(Path root) {
      this.root = root;
    }

    @Override
    public Path root() {
      return root;
    }

    @Override
    public long check() {
      awaitUninterruptibly(answers);
      if (dead) {
        throw new LayersException.Unavailable("the client of " + root + " is gone");
      }
      return revision;
    }

    @Override
    public long refresh() {
      revision++;
      return check();
    }

    @Override
    public void close() {
      closed.countDown();
    }
  }

  final List<Mounted> mounts = new CopyOnWriteArrayList<>();
  final AtomicInteger attempts = new AtomicInteger();
  volatile boolean refuses;
  volatile CountDownLatch mounting = new CountDownLatch(0);

  @Override
  public String name() {
    return "fake";
  }

  @Override
  public RepositoryMount mount(String repository) {
    attempts.incrementAndGet();
    awaitUninterruptibly(mounting);
    if (refuses) {
      throw new LayersException.Unavailable("no server has " + repository);
    }
    Mounted mount = new Mounted(Path.of("/mounts", repository));
    mounts.add(mount);
    return mount;
  }

  @Override
  public void close() {}

  /** As a system call. */
  private static void awaitUninterruptibly(CountDownLatch latch) {
    while (latch.getCount() > 0) {
      try {
        latch.await();
      } catch (InterruptedException e) {
        // goes on
      }
    }
  }
}
