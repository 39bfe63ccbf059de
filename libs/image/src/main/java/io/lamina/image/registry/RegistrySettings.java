package io.lamina.image.registry;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How registries are reached. Immutable.
 *
 * @param hosts by registry name as references write it: {@code docker.io}, {@code HOST:PORT}
 * @param dockerConfig Docker's config.json, read again at each log-in; none: no credentials but
 *     those of {@code hosts}
 * @param helperFolders where {@code docker-credential-NAME} programs are looked for, in order
 * @param requestsPerRegistry how many requests and open blobs one registry gets at once; more wait
 * @param reach which addresses are asked at all
 */
public record RegistrySettings(
    Map<String, HostSettings> hosts,
    Optional<Path> dockerConfig,
    List<Path> helperFolders,
    ProxySettings proxies,
    int requestsPerRegistry,
    Timeouts timeouts,
    RetryPolicy retries,
    Reach reach) {
  /** No credentials, no proxy, every default. */
  public static final RegistrySettings DEFAULT =
      new RegistrySettings(
          Map.of(),
          Optional.empty(),
          List.of(),
          ProxySettings.NONE,
          16,
          Timeouts.DEFAULT,
          RetryPolicy.DEFAULT,
          Reach.ANYWHERE);

  public RegistrySettings {
    hosts = Map.copyOf(hosts);
    helperFolders = List.copyOf(helperFolders);
    if (requestsPerRegistry < 1 || requestsPerRegistry > 1000) {
      throw new IllegalArgumentException(
          "requests per registry lie in 1..1000, not " + requestsPerRegistry);
    }
  }

  /**
   * What Docker's client would use: {@code DOCKER_CONFIG} or {@code HOME/.docker}, credential
   * helpers on the {@code PATH}, and the proxy variables.
   */
  public static RegistrySettings fromEnvironment(Map<String, String> environment) {
    Optional<Path> folder =
        Optional.ofNullable(environment.get("DOCKER_CONFIG"))
            .filter(value -> !value.isBlank())
            .map(Path::of)
            .or(
                () ->
                    Optional.ofNullable(environment.get("HOME"))
                        .filter(value -> !value.isBlank())
                        .map(home -> Path.of(home, ".docker")));
    List<Path> helpers =
        Arrays.stream(environment.getOrDefault("PATH", "").split(":"))
            .filter(entry -> entry.startsWith("/"))
            .map(Path::of)
            .toList();
    return new RegistrySettings(
        Map.of(),
        folder.map(f -> f.resolve("config.json")),
        helpers,
        ProxySettings.fromEnvironment(environment),
        DEFAULT.requestsPerRegistry,
        Timeouts.DEFAULT,
        RetryPolicy.DEFAULT,
        Reach.ANYWHERE);
  }

  /** A copy with other settings for one host. */
  public RegistrySettings withHost(String host, HostSettings settings) {
    Map<String, HostSettings> changed = new HashMap<>(hosts);
    changed.put(host, settings);
    return new RegistrySettings(
        changed,
        dockerConfig,
        helperFolders,
        proxies,
        requestsPerRegistry,
        timeouts,
        retries,
        reach);
  }

  /** A copy with another policy for repeated requests. */
  public RegistrySettings withRetries(RetryPolicy policy) {
    return new RegistrySettings(
        hosts, dockerConfig, helperFolders, proxies, requestsPerRegistry, timeouts, policy, reach);
  }

  /** A copy with other time-outs. */
  public RegistrySettings withTimeouts(Timeouts changed) {
    return new RegistrySettings(
        hosts, dockerConfig, helperFolders, proxies, requestsPerRegistry, changed, retries, reach);
  }

  /** A copy with other credentials: Docker's config.json, and folders of helper programs. */
  public RegistrySettings withCredentials(Path configJson, List<Path> helpers) {
    return new RegistrySettings(
        hosts,
        Optional.of(configJson),
        helpers,
        proxies,
        requestsPerRegistry,
        timeouts,
        retries,
        reach);
  }

  /** A copy with another limit of concurrent requests. */
  public RegistrySettings withRequestsPerRegistry(int limit) {
    return new RegistrySettings(
        hosts, dockerConfig, helperFolders, proxies, limit, timeouts, retries, reach);
  }

  /** A copy that asks other addresses. */
  public RegistrySettings withReach(Reach other) {
    return new RegistrySettings(
        hosts, dockerConfig, helperFolders, proxies, requestsPerRegistry, timeouts, retries, other);
  }

  HostSettings host(String name) {
    return hosts.getOrDefault(name, HostSettings.DEFAULT);
  }
}
