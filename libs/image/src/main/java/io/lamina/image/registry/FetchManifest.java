package io.lamina.image.registry;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.manifest.FetchedManifest;
import io.lamina.image.manifest.ManifestJson;
import io.lamina.image.manifest.MediaTypes;
import java.io.IOException;
import java.net.URI;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads a manifest or index and compares it with the digests that it was asked for by and sent
 * with.
 */
record FetchManifest(String tagOrDigest, Timeouts timeouts)
    implements RegistryAction<FetchedManifest> {
  static final Map<String, String> ACCEPT =
      Map.of("Accept", String.join(", ", MediaTypes.ACCEPTED_MANIFESTS));

  @Override
  public String what() {
    return "manifest " + tagOrDigest;
  }

  @Override
  public URI uri(Endpoint endpoint, String repository) {
    return endpoint.resolve(repository, "/manifests/" + tagOrDigest);
  }

  @Override
  public Map<String, String> headers() {
    return ACCEPT;
  }

  @Override
  public Set<Integer> statuses() {
    return Set.of(200);
  }

  @Override
  public FetchedManifest handle(HttpAnswer answer) throws IOException {
    byte[] bytes = answer.readBody(ManifestJson.MAX_BYTES, timeouts.document());
    FetchedManifest fetched =
        FetchedManifest.of(answer.header("Content-Type").map(FetchManifest::mediaType), bytes);
    if (tagOrDigest.startsWith("sha256:")) {
      check("asked for", Digest.parse(tagOrDigest), fetched.digest());
    }
    statedDigest(answer).ifPresent(stated -> check("announced", stated, fetched.digest()));
    return fetched;
  }

  private void check(String how, Digest expected, Digest actual) {
    if (!expected.equals(actual)) {
      throw new ImageException.Corrupt(
          "the manifest "
              + tagOrDigest
              + " has the digest "
              + actual
              + "; "
              + how
              + " was "
              + expected);
    }
  }

  /** What the registry says the digest is; other algorithms than SHA-256 say nothing here. */
  static Optional<Digest> statedDigest(HttpAnswer answer) {
    return answer
        .header("Docker-Content-Digest")
        .map(String::strip)
        .filter(text -> text.startsWith("sha256:"))
        .map(Digest::parse);
  }

  /** Without parameters such as a charset. */
  private static String mediaType(String contentType) {
    int semicolon = contentType.indexOf(';');
    return (semicolon < 0 ? contentType : contentType.substring(0, semicolon))
        .strip()
        .toLowerCase(Locale.ROOT);
  }
}
