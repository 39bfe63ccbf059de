package io.lamina.node;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.node.cvmfs.KnownRepository;
import io.lamina.node.cvmfs.OriginalSettings;
import io.lamina.node.cvmfs.SharedRoots;
import io.lamina.node.graphdriver.DriverDeadlines;
import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import io.lamina.status.ListenAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * What an operator sets on a host of Docker or containerd. Immutable.
 *
 * <p>Source: docs/plugin-node.md, "Settings".
 *
 * @param name of the driver, as the engine's {@code --storage-driver}
 * @param state folder for layers, cache and all that has to survive
 * @param runtime folder for what is forgotten when the machine starts
 * @param socket that engines connect to
 * @param client empty: the original client if it is installed, else the embedded one
 * @param maxCalls of engines, and of containerd, under way at once
 * @param docker whether Docker's storage driver is served
 * @param snapshots what containerd is served; empty for nothing
 * @param links to Kafka and a gateway
 * @param status where it is told
 */
public record NodeSettings(
    String name,
    Path state,
    Path runtime,
    Path socket,
    Optional<Client> client,
    List<KnownRepository> repositories,
    Cvmfs cvmfs,
    DriverDeadlines deadlines,
    int maxCalls,
    boolean docker,
    Optional<Snapshots> snapshots,
    NodeLinks links,
    Status status) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");
  private static final Path SOCKETS = Path.of("/run/docker/plugins");
  private static final Path RUNTIME = Path.of("/run/lamina");
  private static final String STATUS_SOCKET = "status.sock";
  private static final ListenAddress NOBODY = new ListenAddress("localhost", 1);

  /**
   * Where status, health and metrics are told.
   *
   * @param socket for this host's root
   * @param listen for others; empty for nobody
   */
  public record Status(Path socket, Optional<ListenAddress> listen) {
    public Status {
      socket = socket.toAbsolutePath().normalize();
    }

    private static Status from(Settings text, Path runtime) {
      return new Status(
          text.path("plugin.status.socket").orElseGet(() -> runtime.resolve(STATUS_SOCKET)),
          text.text("plugin.status.listen").isEmpty()
              ? Optional.empty()
              : Optional.of(text.parsed("plugin.status.listen", NOBODY, ListenAddress::parse)));
    }
  }

  /**
   * Containerd's snapshot service.
   *
   * @param socket that containerd connects to
   * @param repositories that are asked for layers, the first one first
   * @param unverified whether layers count that a repository has without their diff ids
   */
  public record Snapshots(Path socket, List<String> repositories, boolean unverified) {
    private static final int MAX_REPOSITORIES = 64;

    public Snapshots {
      socket = socket.toAbsolutePath().normalize();
      repositories = List.copyOf(repositories);
      if (repositories.size() > MAX_REPOSITORIES) {
        throw new SettingsException(
            repositories.size() + " repositories for snapshots; the limit is " + MAX_REPOSITORIES);
      }
      for (String repository : repositories) {
        try {
          new RepositoryName(repository);
        } catch (CvmfsException.Rejected e) {
          throw new SettingsException("plugin.snapshotter.repositories: " + e.getMessage());
        }
      }
    }

    private static Optional<Snapshots> from(Settings text, Collection<String> known) {
      Optional<String> named = text.text("plugin.snapshotter.repositories");
      boolean unverified = text.flag("plugin.snapshotter.unverified", true);
      return text.path("plugin.snapshotter.socket")
          .map(
              socket ->
                  new Snapshots(
                      socket,
                      named
                          .map(
                              names ->
                                  Arrays.stream(names.split(",", -1)).map(String::strip).toList())
                          .orElseGet(() -> List.copyOf(known)),
                      unverified));
    }
  }

  /** Who mounts repositories. */
  public enum Client {
    EMBEDDED,
    CVMFS2,
    EXTERNAL;

    private static Client parse(String text) {
      for (Client client : values()) {
        if (client.name().toLowerCase(Locale.ROOT).equals(text)) {
          return client;
        }
      }
      throw new IllegalArgumentException(
          "'" + text + "' must be one of embedded, cvmfs2, external");
    }
  }

  /**
   * How repositories are mounted.
   *
   * @param hostFolder with the host's own mounts
   * @param binary of the original client, by path or by name
   * @param cacheBytes of the embedded client for all repositories; of the original one for each
   * @param proxy as {@code CVMFS_HTTP_PROXY}
   */
  public record Cvmfs(
      Path hostFolder, String binary, long cacheBytes, String proxy, SharedRoots.Times times) {}

  public NodeSettings {
    repositories = List.copyOf(repositories);
    if (!NAME.matcher(name).matches()) {
      throw new SettingsException(
          "the driver's name '"
              + name
              + "' must be 1 to 64 letters, digits, '_', '.' and '-', starting with a letter or"
              + " digit");
    }
    long distinct = repositories.stream().map(KnownRepository::name).distinct().count();
    if (distinct < repositories.size()) {
      throw new SettingsException("a repository is named twice");
    }
    if (!docker && snapshots.isEmpty()) {
      throw new SettingsException(
          "plugin.docker = false needs plugin.snapshotter.socket, or nobody is served");
    }
    state = state.toAbsolutePath().normalize();
    runtime = runtime.toAbsolutePath().normalize();
    socket = socket.toAbsolutePath().normalize();
  }

  /** The same in another place. */
  NodeSettings at(Path newState, Path newRuntime, Path newSocket) {
    return new NodeSettings(
        name,
        newState,
        newRuntime,
        newSocket,
        client,
        repositories,
        cvmfs,
        deadlines,
        maxCalls,
        true,
        Optional.empty(),
        NodeLinks.NONE,
        new Status(newSocket.resolveSibling(STATUS_SOCKET), Optional.empty()));
  }

  /** Where a driver of this name tells its status unless its settings say otherwise. */
  public static Path statusSocket(String name) {
    return RUNTIME.resolve(name).resolve(STATUS_SOCKET);
  }

  /**
   * Reads the keys that start with {@code plugin.}; what is not set has its default. Whoever gave
   * the settings refuses keys that nobody knows.
   *
   * @throws SettingsException on a bad or missing value
   */
  public static NodeSettings from(Settings text) {
    String name = text.required("plugin.name", "the driver's name, as of dockerd --storage-driver");
    Path state = Path.of(text.required("plugin.state", "folder for layers and cache"));
    Map<String, KnownRepository> repositories = new LinkedHashMap<>();
    text.group("plugin.repository.")
        .forEach(
            (repository, value) ->
                repositories.put(repository, KnownRepository.parse(repository, value)));
    // Last, as settings of this program go before.
    Optional<OriginalSettings> original =
        text.path("plugin.cvmfs.config").map(OriginalSettings::new);
    original
        .map(OriginalSettings::repositories)
        .orElse(List.of())
        .forEach(known -> repositories.putIfAbsent(known.name().value(), known));
    Duration second = Duration.ofSeconds(1);
    Duration hour = Duration.ofHours(1);
    SharedRoots.Times times = SharedRoots.Times.DEFAULT;
    DriverDeadlines deadlines =
        new DriverDeadlines(
            text.duration("plugin.deadline.mount", Duration.ofMinutes(2), second, hour),
            text.duration("plugin.deadline.other", Duration.ofMinutes(10), second, hour));
    Path runtime = text.path("plugin.runtime").orElseGet(() -> RUNTIME.resolve(name));
    return new NodeSettings(
        name,
        state,
        runtime,
        text.path("plugin.socket").orElseGet(() -> SOCKETS.resolve(name + ".sock")),
        text.text("plugin.client").isEmpty()
            ? Optional.empty()
            : Optional.of(text.parsed("plugin.client", Client.EMBEDDED, Client::parse)),
        List.copyOf(repositories.values()),
        new Cvmfs(
            text.path("plugin.cvmfs.host-folder").orElse(Path.of("/cvmfs")),
            text.text("plugin.cvmfs.binary").orElse("cvmfs2"),
            text.bytes("plugin.cvmfs.cache", 4L << 30, 64 << 20, 1L << 50),
            text.text("plugin.cvmfs.proxy")
                .or(() -> original.flatMap(OriginalSettings::proxy))
                .orElse("DIRECT"),
            new SharedRoots.Times(
                text.duration("plugin.cvmfs.answer", times.answer(), second, hour),
                text.duration("plugin.cvmfs.linger", times.linger(), Duration.ZERO, hour),
                text.duration("plugin.cvmfs.look", times.look(), second, hour))),
        deadlines,
        text.count("plugin.limits.calls", 4096, 16, 65_536),
        text.flag("plugin.docker", true),
        Snapshots.from(text, repositories.keySet()),
        NodeLinks.from(text, "lamina-node-" + name, deadlines.other()),
        Status.from(text, runtime));
  }

  /**
   * Who mounts repositories here.
   *
   * @param isInstalled whether a program is there, by path or by name
   */
  Client chosenClient(Predicate<String> isInstalled) {
    return client.orElseGet(
        () -> isInstalled.test(cvmfs.binary()) ? Client.CVMFS2 : Client.EMBEDDED);
  }

  /** Whether a program is there, by path or by name in {@code PATH}. */
  static boolean isInstalled(String program) {
    if (program.contains("/")) {
      return Files.isExecutable(Path.of(program));
    }
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Arrays.stream(path.split(":"))
        .filter(folder -> !folder.isEmpty())
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }
}
