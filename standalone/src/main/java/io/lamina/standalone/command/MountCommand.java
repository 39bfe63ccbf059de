package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.client.ClientSettings;
import io.lamina.client.EmbeddedClient;
import io.lamina.client.MountedRepository;
import io.lamina.client.RepositorySettings;
import io.lamina.client.RepositoryStatistics;
import io.lamina.client.cache.CacheStatistics;
import io.lamina.client.mount.MountStatistics;
import io.lamina.client.net.NetworkSettings;
import io.lamina.client.net.Proxies;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Mounts a repository with the embedded client. */
@Command(
    name = "mount",
    description = {
      "Mounts a repository on a folder, without the original client, until it is stopped (Ctrl-C)",
      "or unmounted (umount DIR). Files are fetched when they are read, verified and kept in a cache.",
      "Needs root."
    },
    mixinStandardHelpOptions = true)
final class MountCommand implements Callable<Integer> {
  @Mixin RepositorySource source = new RepositorySource();

  @Parameters(index = "1", paramLabel = "DIR", description = "An existing folder.")
  Path directory = Path.of("");

  @Option(
      names = "--server",
      paramLabel = "URL",
      description = {
        "A further server of the same repository, asked when those before fail; may be repeated.",
        "@fqrn@ and @org@ stand for the repository's name and its first part."
      })
  List<String> servers = new ArrayList<>();

  @Option(
      names = "--proxy",
      paramLabel = "PROXIES",
      defaultValue = "DIRECT",
      description = {
        "HTTP proxies, in the form of CVMFS_HTTP_PROXY: '|' between those that share the load, ';'",
        "between groups that stand in for each other, DIRECT for none (default ${DEFAULT-VALUE})."
      })
  String proxy = "DIRECT";

  @Option(
      names = "--cache",
      paramLabel = "FOLDER",
      description = "Where objects are kept (default: ~/.cache/lamina/NAME); one mount at a time.")
  @Nullable Path cache;

  @Option(
      names = "--cache-size",
      paramLabel = "SIZE",
      defaultValue = "4g",
      converter = ByteSize.class,
      description = "Room for them (default ${DEFAULT-VALUE}).")
  long cacheBytes = 4_000_000_000L;

  @Option(
      names = "--layer-marks",
      description = {
        "Show files .wh.NAME, with which other publishers' layers mark removals, as overlays",
        "understand them. For mounts that layers are run from."
      })
  boolean layerMarks;

  @Mixin Output output = new Output();

  @Override
  public Integer call() throws Exception {
    List<String> all = new ArrayList<>(List.of(source.server()));
    all.addAll(servers);
    RepositorySettings repository =
        new RepositorySettings(source.repository(), all, source.settings().keys(), layerMarks);
    ClientSettings settings =
        ClientSettings.of(cacheFolder(), cacheBytes)
            .withNetwork(NetworkSettings.DEFAULT.withProxies(Proxies.parse(proxy)))
            .withVariables(source.settings().environment());
    EmbeddedClient client = EmbeddedClient.open(settings, new SecureRandom());
    try {
      MountedRepository mounted = client.mount(repository, directory);
      AutoCloseable end = new End(client, mounted);
      tellMounted(mounted);
      int code = Foreground.run(end, mounted.ended());
      end.close();
      return code;
    } catch (RuntimeException e) {
      client.close();
      throw e;
    }
  }

  private Path cacheFolder() {
    if (cache != null) {
      return cache.toAbsolutePath().normalize();
    }
    String base = System.getenv("XDG_CACHE_HOME");
    Path folder =
        base == null || base.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(base);
    return folder.resolve("lamina").resolve(source.repository().value()).toAbsolutePath();
  }

  private void tellMounted(MountedRepository mounted) {
    ObjectNode node = Output.JSON.createObjectNode();
    node.put("mounted", mounted.mountPoint().toString());
    node.put("revision", mounted.revision()).put("stale", mounted.isStale());
    output.value(node);
    output.line(
        "%s, revision %d%s, is mounted on %s"
            .formatted(
                source.repository(),
                mounted.revision(),
                mounted.isStale() ? " (no server could tell of a newer one)" : "",
                mounted.mountPoint()));
    output.out().flush();
  }

  /** Unmounts and says what was done, once, whether a signal or an unmount ends it. */
  private final class End implements AutoCloseable {
    private final EmbeddedClient client;
    private final MountedRepository mounted;
    private final AtomicBoolean isDone = new AtomicBoolean();

    End(EmbeddedClient client, MountedRepository mounted) {
      this.client = client;
      this.mounted = mounted;
    }

    @Override
    public void close() {
      if (isDone.compareAndSet(false, true)) {
        RepositoryStatistics repository = mounted.statistics();
        MountStatistics mount = mounted.mountStatistics();
        client.close();
        tell(repository, mount, client.cacheStatistics());
      }
    }

    private void tell(
        RepositoryStatistics repository, MountStatistics mount, CacheStatistics cached) {
      ObjectNode node = Output.JSON.createObjectNode();
      node.put("revision", repository.revision()).put("stale", repository.isStale());
      node.put("reads", mount.reads()).put("readBytes", mount.readBytes());
      node.put("fetchedObjects", repository.fetchedObjects());
      node.put("fetchedBytes", repository.fetchedBytes());
      node.put("serverFailures", repository.serverFailures());
      ObjectNode kept = node.putObject("cache");
      kept.put("objects", cached.objects()).put("usedBytes", cached.usedBytes());
      kept.put("limitBytes", cached.limitBytes()).put("hits", cached.hits());
      kept.put("misses", cached.misses()).put("evictions", cached.evictions());
      kept.put("damaged", cached.damaged());
      output.value(node);
      output.line(
          "%d requests for %s, %d objects with %s fetched; the cache holds %d objects, %s"
              .formatted(
                  mount.reads(),
                  ProgressBar.bytes(mount.readBytes()),
                  repository.fetchedObjects(),
                  ProgressBar.bytes(repository.fetchedBytes()),
                  cached.objects(),
                  ProgressBar.bytes(cached.usedBytes())));
      output.out().flush();
    }
  }
}
