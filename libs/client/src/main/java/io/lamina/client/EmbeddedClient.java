package io.lamina.client;

import io.lamina.client.cache.CacheStatistics;
import io.lamina.client.cache.ObjectCache;
import io.lamina.client.failure.ClientException;
import io.lamina.client.fuse.FuseFileSystem;
import io.lamina.client.mount.MagicAttributes;
import io.lamina.client.mount.RepositoryFileSystem;
import io.lamina.client.net.Servers;
import io.lamina.client.tree.CatalogPool;
import io.lamina.client.tree.ObjectSource;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.reader.ReaderSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/**
 * A CVMFS client inside this process: one cache for all repositories, each of which can be read or
 * mounted. Every byte that it shows was proved against the repository's keys first. Thread-safe.
 *
 * <p>Source: docs/client.md.
 */
public final class EmbeddedClient implements AutoCloseable {
  private final ClientSettings settings;
  private final RandomGenerator random;
  private final ObjectCache cache;
  private final CatalogPool catalogs;
  private final ScheduledExecutorService timer;
  private final Set<OpenRepository> repositories = ConcurrentHashMap.newKeySet();
  private final Set<MountedRepository> mounts = ConcurrentHashMap.newKeySet();

  private EmbeddedClient(ClientSettings settings, RandomGenerator random, ObjectCache cache) {
    this.settings = settings;
    this.random = random;
    this.cache = cache;
    this.catalogs = new CatalogPool(settings.maxOpenCatalogs());
    this.timer =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("lamina-client-timer").factory());
  }

  /**
   * @param random spreads load over proxies and waits over time
   * @throws ClientException.Rejected if the cache folder is in use or cannot be written
   */
  public static EmbeddedClient open(ClientSettings settings, RandomGenerator random) {
    return new EmbeddedClient(
        settings,
        random,
        ObjectCache.open(settings.cacheFolder(), settings.cacheBytes(), settings.clock()));
  }

  /**
   * Opens a repository for reading in this process.
   *
   * @throws CvmfsException if there is no valid revision, neither on a server nor from the last
   *     time
   */
  public OpenRepository open(RepositorySettings repository) {
    Servers servers =
        Servers.of(
            repository.name(),
            repository.servers(),
            settings.network(),
            (Duration wait) -> Thread.sleep(wait),
            random);
    OpenRepository[] self = new OpenRepository[1];
    OpenRepository opened =
        new OpenRepository(
            repository,
            settings,
            servers,
            new ObjectSource(cache, servers),
            catalogs,
            ReaderSettings.of(repository.name(), repository.keys(), settings.clock())
                .withScratch(cache.staging()),
            timer,
            () -> repositories.remove(self[0]));
    self[0] = opened;
    try {
      opened.start();
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
    repositories.add(opened);
    return opened;
  }

  /**
   * Mounts a repository. A dead mount that a killed process left there is replaced.
   *
   * @param mountPoint an existing folder
   * @throws CvmfsException as {@link #open(RepositorySettings)}
   * @throws ClientException.Rejected if this machine or user cannot mount there
   */
  public MountedRepository mount(RepositorySettings repository, Path mountPoint) {
    OpenRepository opened = open(repository);
    try {
      MountedRepository mounted =
          MountedRepository.mount(
              opened,
              mountPoint.toAbsolutePath().normalize(),
              settings,
              new MagicAttributes(magic(opened)),
              this::size,
              timer);
      mounts.add(mounted);
      mounted.ended().whenComplete((_, _) -> mounts.remove(mounted));
      return mounted;
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  /** The cache's room stands for the size of the file system, as with the original client. */
  private FuseFileSystem.FileSystemSize size() {
    CacheStatistics now = cache.statistics();
    return new FuseFileSystem.FileSystemSize(
        RepositoryFileSystem.blocks(now.limitBytes()),
        RepositoryFileSystem.blocks(Math.max(0, now.limitBytes() - now.usedBytes())),
        now.objects());
  }

  private Map<String, Supplier<String>> magic(OpenRepository repository) {
    Map<String, Supplier<String>> values = new HashMap<>();
    values.put("user.fqrn", () -> repository.settings().name().value());
    values.put("user.revision", () -> Long.toString(repository.revision().number()));
    values.put("user.root_hash", () -> repository.revision().rootCatalog().hash().toString());
    values.put("user.tag", () -> "");
    values.put("user.nclg", () -> Integer.toString(catalogs.open()));
    values.put(
        "user.expires",
        () ->
            Long.toString(
                Math.max(
                    0,
                    Duration.between(settings.clock().instant(), repository.nextRefresh())
                        .toMinutes())));
    values.put("user.host", () -> repository.servers().inUse().getFirst());
    values.put("user.host_list", () -> String.join(";", repository.settings().servers()));
    values.put("user.proxy", () -> settings.network().proxies().toString());
    values.put("user.ndownload", () -> Long.toString(repository.objects().fetched()));
    values.put("user.rx", () -> Long.toString(repository.objects().fetchedBytes() >> 10));
    values.put("user.nioerr", () -> Long.toString(repository.servers().failures()));
    values.put("user.timeout", () -> Long.toString(settings.network().timeout().toSeconds()));
    values.put(
        "user.timeout_direct", () -> Long.toString(settings.network().directTimeout().toSeconds()));
    values.put("user.pid", () -> Long.toString(ProcessHandle.current().pid()));
    values.put(
        "user.repo_counters",
        () ->
            repository.revision().counters(repository.revision().rootCatalog()).entrySet().stream()
                .map(each -> each.getKey() + "," + each.getValue() + "\n")
                .collect(Collectors.joining()));
    return values;
  }

  public CacheStatistics cacheStatistics() {
    return cache.statistics();
  }

  /** Unmounts and closes everything, and gives the cache folder back. */
  @Override
  public void close() {
    Set.copyOf(mounts).forEach(MountedRepository::close);
    Set.copyOf(repositories).forEach(OpenRepository::close);
    timer.shutdownNow();
    catalogs.close();
    cache.close();
  }
}
