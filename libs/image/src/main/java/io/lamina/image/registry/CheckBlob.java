package io.lamina.image.registry;

import io.lamina.image.Digest;
import java.net.URI;
import java.util.Set;

/** Asks whether a repository has a blob. */
record CheckBlob(Digest digest) implements RegistryAction<Boolean> {
  @Override
  public String what() {
    return "existence of blob " + digest;
  }

  @Override
  public String method() {
    return "HEAD";
  }

  @Override
  public boolean isPush() {
    return true;
  }

  @Override
  public URI uri(Endpoint endpoint, String repository) {
    return endpoint.resolve(repository, "/blobs/" + digest);
  }

  @Override
  public Set<Integer> statuses() {
    return Set.of(200, 404);
  }

  @Override
  public Boolean handle(HttpAnswer answer) {
    return answer.status() == 200;
  }
}
