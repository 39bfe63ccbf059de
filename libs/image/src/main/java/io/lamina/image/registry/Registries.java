package io.lamina.image.registry;

import io.lamina.image.ImageReference;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * All registries that a process speaks with: connections, tokens and limits are shared. One per
 * process; thread-safe.
 */
public final class Registries implements AutoCloseable {
  private static final int MAX_LIMITS = 4096;

  private final RegistrySettings settings;
  private final HttpTransport transport;
  private final RegistryAuth auth;
  private final Backoff backoff;

  /** By host; those that are idle are dropped when there are many. */
  private final Map<String, RequestLimit> limits = new ConcurrentHashMap<>();

  public Registries(RegistrySettings settings) {
    this(settings, Timing.system());
  }

  public Registries(RegistrySettings settings, Timing timing) {
    this.settings = settings;
    this.transport = new HttpTransport(settings);
    this.backoff = new Backoff(settings.retries(), timing);
    RequestLimit tokenLimit =
        new RequestLimit(
            "token servers", settings.requestsPerRegistry(), settings.timeouts().permit());
    this.auth =
        new RegistryAuth(
            new DockerCredentials(
                settings,
                new CredentialHelper(settings.helperFolders(), settings.timeouts().document())),
            new TokenFetcher(transport, tokenLimit, timing, backoff, settings.timeouts()),
            timing);
  }

  /**
   * The repository that a reference names.
   *
   * @throws io.lamina.image.ImageException.Rejected if a mirror in the settings is malformed
   */
  public RegistryClient client(ImageReference.Registry reference) {
    List<RegistrySession> mirrors = new ArrayList<>();
    for (String mirror : settings.host(reference.host()).mirrors()) {
      URI uri = Endpoint.mirrorBase(mirror, transport);
      URI base = URI.create(uri.getScheme() + "://" + uri.getRawAuthority());
      String path = uri.getRawPath().replaceAll("^/+|/+$", "");
      mirrors.add(
          session(
              endpoint(uri.getRawAuthority(), base, path.isEmpty() ? "" : path + "/"),
              reference.repository()));
    }
    Endpoint own = endpoint(reference.host(), Endpoint.baseOf(reference.host(), settings), "");
    return new RegistryClient(
        mirrors, session(own, reference.repository()), transport, backoff, settings.timeouts());
  }

  /** How busy each registry is, by name. */
  public Map<String, RegistryLoad> load() {
    Map<String, RegistryLoad> load = new HashMap<>();
    limits.forEach((name, limit) -> load.put(name, limit.load()));
    return load;
  }

  private Endpoint endpoint(String name, URI base, String prefix) {
    if (limits.size() >= MAX_LIMITS) {
      limits.values().removeIf(limit -> limit.load().inUse() == 0);
    }
    RequestLimit limit =
        limits.computeIfAbsent(
            name,
            n -> new RequestLimit(n, settings.requestsPerRegistry(), settings.timeouts().permit()));
    return new Endpoint(name, base, prefix, limit);
  }

  private RegistrySession session(Endpoint endpoint, String repository) {
    return new RegistrySession(endpoint, repository, transport, auth, backoff, settings.timeouts());
  }

  /** Drops all connections; open streams fail. */
  @Override
  public void close() {
    transport.close();
  }
}
