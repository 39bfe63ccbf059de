package io.lamina.client;

import io.lamina.client.failure.ClientException;
import io.lamina.client.net.NetworkSettings;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;

/**
 * What all repositories of a client share. Immutable.
 *
 * @param cacheFolder for objects and what is known of repositories; one client at a time uses it
 * @param cacheBytes room for objects, at least 1 MiB
 * @param network patience with servers, and proxies
 * @param variables for symbolic links that name variables
 * @param longestTimeToLive a repository is asked for a new revision at least this often
 * @param kernelCache how long the kernel may keep names and attributes unless it is told otherwise
 * @param maxThreads requests of the kernel that are answered at once, for each mount
 * @param maxOpenCatalogs how many catalogs are kept open, at up to 2 MB each
 * @param clock decides about expiry and the order of uses
 */
public record ClientSettings(
    Path cacheFolder,
    long cacheBytes,
    NetworkSettings network,
    Map<String, String> variables,
    Duration longestTimeToLive,
    Duration kernelCache,
    int maxThreads,
    int maxOpenCatalogs,
    Clock clock) {
  private static final int MOST_OPEN_CATALOGS = 10_000;

  public ClientSettings {
    variables = Map.copyOf(variables);
    if (longestTimeToLive.compareTo(Duration.ofSeconds(1)) < 0
        || kernelCache.isNegative()
        || maxOpenCatalogs < 1
        || maxOpenCatalogs > MOST_OPEN_CATALOGS) {
      throw new ClientException.Rejected(
          "the longest time to live must be 1 s or more, the kernel's cache not negative, and 1 to "
              + MOST_OPEN_CATALOGS
              + " catalogs open, not "
              + longestTimeToLive
              + ", "
              + kernelCache
              + " and "
              + maxOpenCatalogs);
    }
  }

  /** Defaults for everything but the cache. */
  public static ClientSettings of(Path cacheFolder, long cacheBytes) {
    return new ClientSettings(
        cacheFolder,
        cacheBytes,
        NetworkSettings.DEFAULT,
        Map.of(),
        Duration.ofHours(1),
        Duration.ofHours(1),
        64,
        100,
        Clock.systemUTC());
  }

  public ClientSettings withNetwork(NetworkSettings settings) {
    return new ClientSettings(
        cacheFolder,
        cacheBytes,
        settings,
        variables,
        longestTimeToLive,
        kernelCache,
        maxThreads,
        maxOpenCatalogs,
        clock);
  }

  public ClientSettings withVariables(Map<String, String> values) {
    return new ClientSettings(
        cacheFolder,
        cacheBytes,
        network,
        values,
        longestTimeToLive,
        kernelCache,
        maxThreads,
        maxOpenCatalogs,
        clock);
  }

  public ClientSettings withLongestTimeToLive(Duration longest) {
    return new ClientSettings(
        cacheFolder,
        cacheBytes,
        network,
        variables,
        longest,
        kernelCache,
        maxThreads,
        maxOpenCatalogs,
        clock);
  }

  public ClientSettings withClock(Clock other) {
    return new ClientSettings(
        cacheFolder,
        cacheBytes,
        network,
        variables,
        longestTimeToLive,
        kernelCache,
        maxThreads,
        maxOpenCatalogs,
        other);
  }
}
