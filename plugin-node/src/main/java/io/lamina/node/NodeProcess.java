package io.lamina.node;

import io.lamina.client.ClientSettings;
import io.lamina.client.net.NetworkSettings;
import io.lamina.client.net.Proxies;
import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.IdMaps;
import io.lamina.layers.LayerInfo;
import io.lamina.layers.LayerStorage;
import io.lamina.layers.LayersException;
import io.lamina.layers.StorageSettings;
import io.lamina.layers.overlay.OverlayStorage;
import io.lamina.node.cvmfs.Cvmfs2Client;
import io.lamina.node.cvmfs.EmbeddedRepositories;
import io.lamina.node.cvmfs.ExternalClient;
import io.lamina.node.cvmfs.RepositoryClient;
import io.lamina.node.cvmfs.SharedRoots;
import io.lamina.node.events.RepositoryViews;
import io.lamina.node.graphdriver.CallObserver;
import io.lamina.node.graphdriver.DriverEndpoint;
import io.lamina.node.graphdriver.DriverException;
import io.lamina.node.graphdriver.EngineOptions;
import io.lamina.node.graphdriver.GraphDriver.StatusLine;
import io.lamina.node.graphdriver.LayerDriver;
import io.lamina.node.graphdriver.MountUsers;
import io.lamina.node.graphdriver.SessionFile;
import io.lamina.node.snapshot.SnapshotObserver;
import io.lamina.node.status.NodeMetrics;
import io.lamina.node.status.NodePages;
import io.lamina.node.status.NodeStatus;
import io.lamina.status.LeanVertx;
import io.lamina.status.StatusServer;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running driver of a Docker host, or snapshotter of containerd, or both. Closing it unmounts no
 * layer: containers go on, and the next process finds what this one left. Thread-safe.
 */
public final class NodeProcess implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NodeProcess.class);
  private static final Duration STOP = Duration.ofSeconds(3);

  /** Of engines, to ask for what was mounted before; far longer than they repeat calls. */
  private static final Duration UNCLAIMED = Duration.ofMinutes(5);

  private final Vertx vertx;
  private final Optional<DriverEndpoint> endpoint;
  private final Optional<Snapshotter> snapshotter;
  private final LayerDriver driver;
  private final Repositories repositories;
  private final FileChannel lock;
  private final Publications publications;
  private final StatusServer status;

  private NodeProcess(
      Vertx vertx,
      Optional<DriverEndpoint> endpoint,
      Optional<Snapshotter> snapshotter,
      LayerDriver driver,
      Repositories repositories,
      FileChannel lock,
      Publications publications,
      StatusServer status) {
    this.status = status;
    this.vertx = vertx;
    this.endpoint = endpoint;
    this.snapshotter = snapshotter;
    this.driver = driver;
    this.repositories = repositories;
    this.lock = lock;
    this.publications = publications;
  }

  /**
   * Starts; returns when engines can connect.
   *
   * @throws DriverException.Fatal if folders or the socket cannot be used
   */
  public static NodeProcess start(NodeSettings settings, RandomGenerator random) {
    FileChannel lock = lock(settings.state());
    Repositories repositories = new Repositories(settings, random);
    Publications publications = new Publications(settings, repositories, Clock.systemUTC(), random);
    LayerDriver driver =
        new LayerDriver(
            (home, ids, options) -> open(settings, repositories, publications, home, ids, options),
            new SessionFile(settings.state().resolve("session.json")),
            () -> {
              List<StatusLine> lines = repositories.status();
              lines.addAll(publications.status());
              return lines;
            });
    Vertx vertx = LeanVertx.create();
    NodeMetrics metrics = new NodeMetrics();
    Optional<DriverEndpoint> endpoint = Optional.empty();
    Optional<Snapshotter> snapshotter = Optional.empty();
    try {
      if (settings.docker()) {
        // Before the socket is there: an engine that connects finds its layers.
        driver.resume();
        endpoint =
            Optional.of(
                DriverEndpoint.start(
                    vertx,
                    driver,
                    settings.deadlines(),
                    settings.maxCalls(),
                    settings.socket(),
                    observer(metrics)));
      }
      snapshotter =
          settings
              .snapshots()
              .map(
                  wanted ->
                      Snapshotter.start(
                          settings,
                          wanted,
                          repositories.of(Optional.empty()),
                          observerOfSnapshots(metrics)));
      Optional<DriverEndpoint> served = endpoint;
      Optional<Snapshotter> snapshots = snapshotter;
      StatusServer status =
          new StatusServer(
              vertx,
              NodePages.of(
                  () -> status(settings, served, snapshots, driver, repositories, publications),
                  metrics));
      // A driver works without it.
      status.listen(settings.status().socket());
      settings.status().listen().ifPresent(status::listen);
      vertx.setPeriodic(
          UNCLAIMED.toMillis(),
          _ ->
              vertx
                  .executeBlocking(
                      () -> driver.releaseUnclaimed(UNCLAIMED, MountUsers::hasOthers), false)
                  .onFailure(
                      e -> LOG.atWarn().setCause(e).log("mounts without users were not ended")));
      // Afterwards: engines wait for the socket, and not for news.
      publications.start();
      return new NodeProcess(
          vertx, endpoint, snapshotter, driver, repositories, lock, publications, status);
    } catch (RuntimeException e) {
      snapshotter.ifPresent(Snapshotter::close);
      endpoint.ifPresent(DriverEndpoint::close);
      driver.close();
      publications.close();
      repositories.close();
      closeVertx(vertx);
      unlock(lock);
      throw e;
    }
  }

  private static CallObserver observer(NodeMetrics metrics) {
    return new CallObserver() {
      @Override
      public void ended(String call, Duration duration) {
        metrics.callEnded(call, duration);
      }

      @Override
      public void failed(String call) {
        metrics.callFailed(call);
      }
    };
  }

  private static SnapshotObserver observerOfSnapshots(NodeMetrics metrics) {
    return (call, duration, succeeded) -> {
      metrics.callEnded("Snapshots." + call, duration);
      if (!succeeded) {
        metrics.callFailed("Snapshots." + call);
      }
    };
  }

  private static NodeStatus status(
      NodeSettings settings,
      Optional<DriverEndpoint> endpoint,
      Optional<Snapshotter> snapshotter,
      LayerDriver driver,
      Repositories repositories,
      Publications publications) {
    LayerDriver.View view = driver.view();
    List<LayerInfo> used = view.layers().stream().filter(layer -> layer.uses() > 0).toList();
    return new NodeStatus(
        settings.name(),
        endpoint.map(served -> served.socket().toString()),
        view.session().map(session -> new NodeStatus.Engine(session.home(), session.options())),
        settings.docker() ? view.problem() : Optional.empty(),
        new NodeStatus.Calls(
            endpoint.map(DriverEndpoint::callsInUse).orElse(0), settings.maxCalls()),
        new NodeStatus.Layers(
            view.layers().size(),
            (int)
                view.layers().stream().filter(layer -> layer.kind() == LayerInfo.Kind.THIN).count(),
            used.size(),
            used.stream().mapToLong(LayerInfo::uses).sum()),
        used.stream()
            .map(
                layer ->
                    new NodeStatus.Mount(
                        layer.id().text(), layer.uses(), List.copyOf(layer.repositories())))
            .toList(),
        snapshotter.map(Snapshotter::status),
        repositories.clients(),
        publications.following());
  }

  private static LayerStorage open(
      NodeSettings settings,
      Repositories repositories,
      Publications publications,
      String home,
      IdMaps ids,
      EngineOptions options) {
    String key = key(home);
    CvmfsRoots roots = repositories.of(options.mountMethod());
    return publications.publishing(
        OverlayStorage.open(
            StorageSettings.of(
                    settings.state().resolve("engines").resolve(key),
                    settings.runtime().resolve(key))
                .withIds(ids),
            roots),
        roots);
  }

  /** A short name for an engine's set of layers; long ones make mount options too long. */
  private static String key(String home) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(home.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash, 0, 6);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static FileChannel lock(Path state) {
    try {
      Files.createDirectories(
          state,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x--x")));
      FileChannel channel =
          FileChannel.open(
              state.resolve("plugin.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock;
      try {
        lock = channel.tryLock();
      } catch (OverlappingFileLockException e) {
        lock = null;
      }
      if (lock == null) {
        channel.close();
        throw new DriverException.Fatal("another process uses the state folder " + state);
      }
      return channel;
    } catch (IOException e) {
      throw new DriverException.Fatal("cannot use the state folder " + state + ": " + e, e);
    }
  }

  private static void unlock(FileChannel lock) {
    try {
      lock.close();
    } catch (IOException e) {
      LOG.atWarn().setCause(e).log("lock of the state folder was not given back");
    }
  }

  /** Where engines connect, or else containerd. */
  public Path socket() {
    return sockets().getFirst();
  }

  /** Where engines and containerd connect. */
  public List<Path> sockets() {
    return Stream.concat(
            endpoint.map(DriverEndpoint::socket).stream(),
            snapshotter.map(Snapshotter::socket).stream())
        .toList();
  }

  @Override
  public void close() {
    status.close();
    endpoint.ifPresent(DriverEndpoint::close);
    snapshotter.ifPresent(Snapshotter::close);
    driver.close();
    publications.close();
    repositories.close();
    closeVertx(vertx);
    unlock(lock);
    LOG.atInfo().addKeyValue("sockets", sockets()).log("plugin stopped");
  }

  private static void closeVertx(Vertx vertx) {
    try {
      vertx
          .close()
          .toCompletionStage()
          .toCompletableFuture()
          .get(STOP.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.atWarn().setCause(e).log("event loop did not stop in time");
    }
  }

  /** The clients of CVMFS that this node uses; each is made when it is first asked for. */
  private static final class Repositories implements RepositoryViews, AutoCloseable {
    private final NodeSettings settings;
    private final RandomGenerator random;
    private final Map<NodeSettings.Client, SharedRoots> clients = new ConcurrentHashMap<>();

    Repositories(NodeSettings settings, RandomGenerator random) {
      this.settings = settings;
      this.random = random;
    }

    CvmfsRoots of(Optional<EngineOptions.MountMethod> method) {
      NodeSettings.Client own = settings.chosenClient(NodeSettings::isInstalled);
      NodeSettings.Client chosen =
          method
              .map(
                  wanted ->
                      switch (wanted) {
                        case EXTERNAL -> NodeSettings.Client.EXTERNAL;
                        case INTERNAL ->
                            own == NodeSettings.Client.EXTERNAL
                                ? NodeSettings.Client.EMBEDDED
                                : own;
                      })
              .orElse(own);
      return clients.computeIfAbsent(chosen, this::create);
    }

    private SharedRoots create(NodeSettings.Client kind) {
      NodeSettings.Cvmfs cvmfs = settings.cvmfs();
      RepositoryClient client =
          switch (kind) {
            case EXTERNAL -> new ExternalClient(cvmfs.hostFolder());
            case CVMFS2 ->
                new Cvmfs2Client(
                    new Cvmfs2Client.Settings(
                        cvmfs.binary(),
                        settings.state().resolve("cvmfs2"),
                        cvmfs.cacheBytes() >> 20,
                        cvmfs.proxy()),
                    settings.repositories());
            case EMBEDDED ->
                new EmbeddedRepositories(
                    ClientSettings.of(
                            settings.state().resolve("cvmfs").resolve("cache"), cvmfs.cacheBytes())
                        .withNetwork(
                            NetworkSettings.DEFAULT.withProxies(Proxies.parse(cvmfs.proxy()))),
                    settings.state().resolve("cvmfs").resolve("mounts"),
                    settings.repositories(),
                    random);
          };
      return new SharedRoots(client, cvmfs.times());
    }

    @Override
    public Set<String> mounted() {
      return clients.values().stream()
          .flatMap(roots -> roots.states().stream())
          .map(SharedRoots.State::repository)
          .collect(Collectors.toUnmodifiableSet());
    }

    /** Of a repository that two clients show, the older revision counts. */
    @Override
    public long refresh(String repository) {
      return clients.values().stream()
          .filter(roots -> roots.isMounted(repository))
          .mapToLong(roots -> roots.refresh(repository))
          .min()
          .orElseThrow(
              () ->
                  new LayersException.NotFound(
                      "repository " + repository + " is not mounted here"));
    }

    List<NodeStatus.Client> clients() {
      return clients.values().stream()
          .map(
              roots ->
                  new NodeStatus.Client(
                      roots.client(),
                      roots
                          .cache()
                          .map(
                              cache ->
                                  new NodeStatus.Cache(
                                      cache.objects(),
                                      cache.usedBytes(),
                                      cache.limitBytes(),
                                      cache.hits(),
                                      cache.misses())),
                      roots.states().stream()
                          .map(
                              state ->
                                  new NodeStatus.Repository(
                                      state.repository(),
                                      state.revision(),
                                      state.uses(),
                                      state.isAlive()))
                          .toList()))
          .toList();
    }

    List<StatusLine> status() {
      List<StatusLine> lines = new ArrayList<>();
      clients
          .values()
          .forEach(
              roots -> {
                lines.add(new StatusLine("CVMFS client", roots.client()));
                for (SharedRoots.State state : roots.states()) {
                  lines.add(
                      new StatusLine(
                          " " + state.repository(),
                          "revision "
                              + state.revision()
                              + ", used by "
                              + state.uses()
                              + (state.isAlive() ? "" : ", does not answer")));
                }
              });
      return lines;
    }

    @Override
    public void close() {
      clients.values().forEach(SharedRoots::close);
    }
  }
}
