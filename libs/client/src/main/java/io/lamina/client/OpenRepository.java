package io.lamina.client;

import io.lamina.client.failure.ClientException;
import io.lamina.client.net.Servers;
import io.lamina.client.tree.CatalogPool;
import io.lamina.client.tree.Entry;
import io.lamina.client.tree.FileContent;
import io.lamina.client.tree.ObjectSource;
import io.lamina.client.tree.Revision;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.TrustedManifest;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.Whitelist;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A repository that is followed: it shows one revision, and the next one when that is published.
 * While no server can be asked it goes on with what it has. Thread-safe.
 *
 * <p>Source: docs/client.md, "Revisions" and "Without servers".
 */
public final class OpenRepository implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OpenRepository.class);

  /** After a failure it is asked again no later than this, as by the original client. */
  private static final Duration AFTER_FAILURE = Duration.ofSeconds(180);

  private final RepositorySettings repository;
  private final ClientSettings client;
  private final ReaderSettings trust;
  private final Servers servers;
  private final ObjectSource objects;
  private final CatalogPool catalogs;
  private final StoredTrust stored;
  private final ScheduledExecutorService timer;
  private final Runnable whenClosed;
  private final List<Follower> followers = new CopyOnWriteArrayList<>();
  private final ReentrantLock refreshing = new ReentrantLock(); // one at a time
  private volatile @Nullable Shown shown;
  private volatile boolean isStale;
  private volatile Instant nextRefresh = Instant.EPOCH;
  private volatile @Nullable ScheduledFuture<?> next;
  private volatile boolean isClosed;

  /** Is told after a new revision is shown. */
  @FunctionalInterface
  interface Follower {
    void follow();
  }

  private record Shown(Revision revision, TrustedManifest trusted) {}

  OpenRepository(
      RepositorySettings repository,
      ClientSettings client,
      Servers servers,
      ObjectSource objects,
      CatalogPool catalogs,
      ReaderSettings trust,
      ScheduledExecutorService timer,
      Runnable whenClosed) {
    this.repository = repository;
    this.client = client;
    this.trust = trust;
    this.servers = servers;
    this.objects = objects;
    this.catalogs = catalogs;
    this.stored =
        new StoredTrust(
            client.cacheFolder().resolve("repositories").resolve(repository.name().value()));
    this.timer = timer;
    this.whenClosed = whenClosed;
  }

  /**
   * Finds a first revision: the published one, or else, with a warning, the one that was shown
   * last.
   *
   * @throws CvmfsException if there is neither
   */
  void start() {
    Optional<TrustedManifest> last = stored.load(trust);
    last.ifPresent(trusted -> shown = new Shown(revisionOf(trusted), trusted));
    try {
      refresh();
    } catch (CvmfsException e) {
      if (last.isEmpty()) {
        throw e;
      }
      try {
        revision().root();
      } catch (CvmfsException | ClientException incomplete) {
        e.addSuppressed(incomplete);
        throw e;
      }
    }
    schedule();
  }

  private Revision revisionOf(TrustedManifest trusted) {
    return new Revision(
        trusted.manifest(),
        objects,
        catalogs,
        client.variables(),
        repository.translatesLayerMarks());
  }

  /** What is shown now. */
  public Revision revision() {
    Shown now = shown;
    if (now == null) {
      throw new IllegalStateException("no revision of " + repository.name() + " is known yet");
    }
    return now.revision();
  }

  /** Whether no server could tell, when last asked, if there is something newer. */
  public boolean isStale() {
    return isStale;
  }

  /** When the servers are asked next. */
  Instant nextRefresh() {
    return nextRefresh;
  }

  /**
   * Asks the servers now, past caches on the way, and shows what is newer.
   *
   * @return the revision that is shown then
   * @throws CvmfsException if no server has a valid one; what was shown is shown on
   */
  public long refresh() {
    refreshing.lock();
    try {
      StoredTrust.Recorder[] seen = new StoredTrust.Recorder[1];
      TrustedManifest trusted =
          servers.attemptFresh(
              files -> {
                seen[0] = new StoredTrust.Recorder(files);
                return TrustedManifest.fetch(seen[0], trust);
              });
      consider(trusted, seen[0]);
      isStale = false;
      return revision().number();
    } catch (CvmfsException | ClientException e) {
      if (shown != null) {
        goOn(e);
      }
      throw e;
    } finally {
      refreshing.unlock();
    }
  }

  /** Says once that what is shown may be old. */
  private void goOn(RuntimeException reason) {
    if (!isStale) {
      isStale = true;
      LOG.atWarn()
          .addKeyValue("repository", repository.name())
          .addKeyValue("revision", revision().number())
          .addKeyValue("reason", reason.getMessage())
          .log("no newer revision can be had; going on with the last one");
    }
  }

  /**
   * Makes sure that at least this revision is shown, as an event announced it.
   *
   * @return the revision that is shown then, lower if the servers do not have it yet
   * @throws CvmfsException as {@link #refresh()}
   */
  public long refresh(long atLeast) {
    return revision().number() >= atLeast ? revision().number() : refresh();
  }

  /** Shows a proved manifest if it follows the one that is shown. */
  private void consider(TrustedManifest trusted, StoredTrust.Recorder seen) {
    Manifest manifest = trusted.manifest();
    Shown now = shown;
    if (now != null && !isNewer(manifest, now.trusted().manifest())) {
      if (!trusted.whitelist().equals(now.trusted().whitelist())) {
        stored.store(seen.seen());
        shown = new Shown(now.revision(), trusted);
      }
      return;
    }
    Revision revision = revisionOf(trusted);
    revision.root(); // its root catalog is here and proved before anybody sees it
    stored.store(seen.seen());
    shown = new Shown(revision, trusted);
    if (now != null) {
      LOG.atInfo()
          .addKeyValue("repository", repository.name())
          .addKeyValue("revision", revision.number())
          .log("showing a new revision");
    }
    followers.forEach(Follower::follow);
  }

  /**
   * The original client's rule: the number must grow and the time must not go back.
   *
   * @throws CvmfsException.Corrupt if this is another revision, but does not follow
   */
  private boolean isNewer(Manifest next, Manifest now) {
    if (next.rootCatalog().equals(now.rootCatalog()) && next.revision() == now.revision()) {
      return false;
    }
    if (next.revision() > now.revision() && next.publishedSeconds() >= now.publishedSeconds()) {
      return true;
    }
    throw new CvmfsException.Corrupt(
        "revision "
            + next.revision()
            + " of "
            + repository.name()
            + ", published at "
            + next.publishedSeconds()
            + ", does not follow revision "
            + now.revision()
            + ", published at "
            + now.publishedSeconds()
            + "; publish the old content under a higher number");
  }

  private void schedule() {
    if (isClosed) {
      return;
    }
    Duration wait = isStale ? AFTER_FAILURE : timeToLive();
    if (client.longestTimeToLive().compareTo(wait) < 0) {
      wait = client.longestTimeToLive();
    }
    nextRefresh = client.clock().instant().plus(wait);
    next =
        timer.schedule(
            () -> Thread.ofVirtual().name("lamina-refresh").start(this::refreshByTime),
            wait.toMillis(),
            TimeUnit.MILLISECONDS);
  }

  private Duration timeToLive() {
    try {
      Duration published = revision().timeToLive();
      return published.toSeconds() < 1 ? Duration.ofSeconds(1) : published;
    } catch (CvmfsException | ClientException e) {
      return AFTER_FAILURE;
    }
  }

  private void refreshByTime() {
    try {
      if (!isClosed) {
        refresh();
      }
    } catch (CvmfsException | ClientException e) {
      LOG.atDebug()
          .addKeyValue("repository", repository.name())
          .addKeyValue("reason", e.getMessage())
          .log("no newer revision");
    } finally {
      schedule();
    }
  }

  /** The entry at a path; a symbolic link itself. */
  public Optional<Entry> find(RepositoryPath path) {
    return revision().resolve(path);
  }

  /** The entries of a directory. */
  public List<Entry> list(Entry directory) {
    return revision().list(directory);
  }

  /** The content of a regular file, of which nothing is fetched before it is read. */
  public FileContent open(Entry file) {
    return new FileContent(objects, file);
  }

  RepositorySettings settings() {
    return repository;
  }

  ObjectSource objects() {
    return objects;
  }

  Servers servers() {
    return servers;
  }

  Whitelist whitelist() {
    Shown now = shown;
    if (now == null) {
      throw new IllegalStateException("no revision of " + repository.name() + " is known yet");
    }
    return now.trusted().whitelist();
  }

  void follow(Follower follower) {
    followers.add(follower);
  }

  void unfollow(Follower follower) {
    followers.remove(follower);
  }

  public RepositoryStatistics statistics() {
    Revision now = revision();
    return new RepositoryStatistics(
        repository.name(),
        now.number(),
        now.rootCatalog().hash(),
        isStale,
        objects.fetched(),
        objects.fetchedBytes(),
        servers.failures());
  }

  /** Stops following; what is open can still be read as far as it is cached. */
  @Override
  public void close() {
    if (!isClosed) {
      isClosed = true;
      ScheduledFuture<?> scheduled = next;
      if (scheduled != null) {
        scheduled.cancel(false);
      }
      servers.close();
      whenClosed.run();
    }
  }
}
