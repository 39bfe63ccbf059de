package io.lamina.image.registry;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import java.net.URI;
import java.util.Optional;
import java.util.Set;

/**
 * Starts an upload, or takes the blob over from another repository of the registry.
 *
 * @param mountFrom a repository that may have the blob
 */
record StartUpload(Digest digest, Optional<String> mountFrom, HttpTransport transport)
    implements RegistryAction<Optional<URI>> {
  @Override
  public String what() {
    return "start of the upload of blob " + digest;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public boolean isPush() {
    return true;
  }

  @Override
  public Optional<String> otherScope() {
    return mountFrom.map(from -> "repository:" + from + ":pull");
  }

  @Override
  public URI uri(Endpoint endpoint, String repository) {
    return endpoint.resolve(
        repository,
        "/blobs/uploads/" + mountFrom.map(from -> "?mount=" + digest + "&from=" + from).orElse(""));
  }

  @Override
  public Set<Integer> statuses() {
    return Set.of(201, 202);
  }

  /** Where to put the bytes; nothing if the blob is there already. */
  @Override
  public Optional<URI> handle(HttpAnswer answer) {
    if (answer.status() == 201) {
      return Optional.empty();
    }
    String location =
        answer
            .header("Location")
            .orElseThrow(
                () ->
                    new ImageException.Rejected(
                        "the registry accepts an upload without saying where (no Location)"));
    return Optional.of(transport.target(answer.uri(), location));
  }
}
