package io.lamina.client;

import io.lamina.client.fuse.FuseFileSystem;
import io.lamina.client.fuse.FuseServer;
import io.lamina.client.fuse.FuseSettings;
import io.lamina.client.mount.MagicAttributes;
import io.lamina.client.mount.MountStatistics;
import io.lamina.client.mount.RepositoryFileSystem;
import io.lamina.cvmfs.CvmfsException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** A repository that is mounted. Thread-safe. */
public final class MountedRepository implements AutoCloseable {
  private final OpenRepository repository;
  private final RepositoryFileSystem fileSystem;
  private final FuseServer server;
  private final OpenRepository.Follower follower;

  private MountedRepository(
      OpenRepository repository,
      RepositoryFileSystem fileSystem,
      FuseServer server,
      ScheduledExecutorService timer) {
    this.repository = repository;
    this.fileSystem = fileSystem;
    this.server = server;
    this.follower =
        () -> {
          Runnable again = fileSystem.follow(server);
          timer.schedule(
              () -> Thread.ofVirtual().name("lamina-notice").start(again), 1, TimeUnit.SECONDS);
        };
  }

  static MountedRepository mount(
      OpenRepository repository,
      Path mountPoint,
      ClientSettings settings,
      MagicAttributes magic,
      Supplier<FuseFileSystem.FileSystemSize> size,
      ScheduledExecutorService timer) {
    RepositoryFileSystem fileSystem =
        new RepositoryFileSystem(
            repository.objects(), repository::revision, magic, size, settings.kernelCache());
    FuseServer server =
        FuseServer.mount(
            mountPoint,
            new FuseSettings(
                repository.settings().name().value(), settings.maxThreads(), true, true),
            fileSystem);
    MountedRepository mounted = new MountedRepository(repository, fileSystem, server, timer);
    repository.follow(mounted.follower);
    server
        .ended()
        .whenComplete(
            (_, _) -> {
              repository.unfollow(mounted.follower);
              repository.close();
            });
    return mounted;
  }

  public Path mountPoint() {
    return server.mountPoint();
  }

  /** The revision that is shown. */
  public long revision() {
    return repository.revision().number();
  }

  /** Whether no server could tell, when last asked, if there is something newer. */
  public boolean isStale() {
    return repository.isStale();
  }

  /**
   * Asks the servers now and shows what is newer; what is open stays as it is.
   *
   * @return the revision that is shown then
   * @throws CvmfsException if no server has a valid one; what was shown is shown on
   */
  public long refresh() {
    return repository.refresh();
  }

  /**
   * As {@link #refresh()}, unless this revision is shown already.
   *
   * @return the revision that is shown then, lower if the servers do not have it yet
   */
  public long refresh(long atLeast) {
    return repository.refresh(atLeast);
  }

  public RepositoryStatistics statistics() {
    return repository.statistics();
  }

  public MountStatistics mountStatistics() {
    return fileSystem.statistics();
  }

  /** Completes when it is unmounted, by whomever. */
  public CompletableFuture<Void> ended() {
    return server.ended();
  }

  /** Unmounts, whoever still uses it: who has files open gets errors from then on. */
  @Override
  public void close() {
    server.close();
    repository.close();
  }
}
