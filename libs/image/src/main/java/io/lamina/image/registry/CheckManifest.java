package io.lamina.image.registry;

import io.lamina.image.Digest;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Asks for a manifest's digest alone, which costs no pull quota; nothing if the registry is silent.
 */
record CheckManifest(String tagOrDigest) implements RegistryAction<CheckManifest.Seen> {
  /**
   * @param exists whether there is such a manifest
   * @param digest as the registry states it
   */
  record Seen(boolean exists, Optional<Digest> digest) {}

  @Override
  public String what() {
    return "digest of manifest " + tagOrDigest;
  }

  @Override
  public String method() {
    return "HEAD";
  }

  @Override
  public URI uri(Endpoint endpoint, String repository) {
    return endpoint.resolve(repository, "/manifests/" + tagOrDigest);
  }

  @Override
  public Map<String, String> headers() {
    return FetchManifest.ACCEPT;
  }

  @Override
  public Set<Integer> statuses() {
    return Set.of(200, 404);
  }

  @Override
  public Seen handle(HttpAnswer answer) {
    return answer.status() == 404
        ? new Seen(false, Optional.empty())
        : new Seen(true, FetchManifest.statedDigest(answer));
  }
}
