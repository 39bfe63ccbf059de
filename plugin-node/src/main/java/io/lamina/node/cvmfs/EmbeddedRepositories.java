package io.lamina.node.cvmfs;

import io.lamina.client.ClientSettings;
import io.lamina.client.EmbeddedClient;
import io.lamina.client.MountedRepository;
import io.lamina.client.RepositorySettings;
import io.lamina.client.cache.CacheStatistics;
import io.lamina.client.failure.ClientException;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.layers.LayersException;
import io.lamina.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Mounts repositories with the client inside this process, which ends with it. The client is opened
 * with the first repository: a node without thin images never needs it. Thread-safe.
 */
public final class EmbeddedRepositories implements RepositoryClient {
  private final ClientSettings settings;
  private final Path mounts;
  private final Map<String, KnownRepository> repositories;
  private final RandomGenerator random;

  /** Guarded by this. */
  private @Nullable EmbeddedClient client;

  /**
   * @param mounts folder with a mount for each repository; made if absent
   */
  public EmbeddedRepositories(
      ClientSettings settings,
      Path mounts,
      List<KnownRepository> repositories,
      RandomGenerator random) {
    this.settings = settings;
    this.mounts = mounts;
    this.repositories =
        repositories.stream()
            .collect(Collectors.toUnmodifiableMap(known -> known.name().value(), known -> known));
    this.random = random;
  }

  @Override
  public String name() {
    return "embedded";
  }

  private synchronized EmbeddedClient client() {
    EmbeddedClient open = client;
    if (open == null) {
      open = EmbeddedClient.open(settings, random);
      client = open;
    }
    return open;
  }

  @Override
  public synchronized Optional<CacheStatistics> cache() {
    return Optional.ofNullable(client).map(EmbeddedClient::cacheStatistics);
  }

  @Override
  public RepositoryMount mount(String repository) {
    KnownRepository known = repositories.get(repository);
    if (known == null) {
      throw new LayersException.Rejected(
          "this node does not know repository "
              + repository
              + "; name it with --repository, or use --client external");
    }
    Path mountPoint = mounts.resolve(repository);
    try {
      // A dead mount cannot be looked at, but it is there.
      if (!Mounts.isMounted(mountPoint)) {
        Files.createDirectories(mountPoint);
      }
      MountedRepository mounted =
          client()
              .mount(
                  new RepositorySettings(
                          known.name(), known.servers(), MasterKeys.load(known.key()))
                      .withLayerMarksTranslated(),
                  mountPoint);
      return new Mounted(repository, mounted);
    } catch (CvmfsException | ClientException e) {
      throw unavailable(repository, e);
    } catch (IOException e) {
      throw new LayersException.Unavailable(
          "the folder of repository " + repository + " cannot be used: " + e, e);
    }
  }

  private static LayersException.Unavailable unavailable(String repository, RuntimeException e) {
    return new LayersException.Unavailable(
        "repository " + repository + " cannot be mounted: " + e.getMessage(), e);
  }

  @Override
  public synchronized void close() {
    EmbeddedClient open = client;
    client = null;
    if (open != null) {
      open.close();
    }
  }

  private record Mounted(String repository, MountedRepository mounted) implements RepositoryMount {
    @Override
    public Path root() {
      return mounted.mountPoint();
    }

    @Override
    public long check() {
      if (mounted.ended().isDone()) {
        throw new LayersException.Unavailable(
            "repository " + repository + " was unmounted at " + mounted.mountPoint());
      }
      return mounted.revision();
    }

    @Override
    public long refresh() {
      try {
        return mounted.refresh();
      } catch (CvmfsException | ClientException e) {
        throw unavailable(repository, e);
      }
    }

    @Override
    public void close() {
      mounted.close();
    }
  }
}
