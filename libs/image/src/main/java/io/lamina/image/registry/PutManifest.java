package io.lamina.image.registry;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.util.Map;
import java.util.Set;

/** Stores a manifest under a tag or its digest. */
record PutManifest(String tagOrDigest, String mediaType, byte[] bytes)
    implements RegistryAction<Digest> {
  @Override
  public String what() {
    return "push of manifest " + tagOrDigest;
  }

  @Override
  public String method() {
    return "PUT";
  }

  @Override
  public boolean isPush() {
    return true;
  }

  @Override
  public URI uri(Endpoint endpoint, String repository) {
    return endpoint.resolve(repository, "/manifests/" + tagOrDigest);
  }

  @Override
  public Map<String, String> headers() {
    return Map.of("Content-Type", mediaType);
  }

  @Override
  public HttpRequest.BodyPublisher body() {
    return HttpRequest.BodyPublishers.ofByteArray(bytes);
  }

  @Override
  public Set<Integer> statuses() {
    return Set.of(200, 201, 202);
  }

  @Override
  public Digest handle(HttpAnswer answer) {
    Digest own = Digest.sha256(bytes);
    FetchManifest.statedDigest(answer)
        .filter(stated -> !stated.equals(own))
        .ifPresent(
            stated -> {
              throw new ImageException.Corrupt(
                  "the registry stored the manifest as " + stated + " instead of " + own);
            });
    return own;
  }
}
