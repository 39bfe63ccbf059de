package io.lamina.image.registry;

import io.lamina.image.Descriptor;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** Sends a blob's bytes in one request. */
record PutBlob(URI location, Descriptor blob, Supplier<InputStream> content)
    implements RegistryAction<Boolean> {
  /** Slower uploads than this are given up. */
  private static final long SLOWEST_BYTES_PER_SECOND = 64 << 10;

  @Override
  public String what() {
    return "upload of blob " + blob.digest();
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
    String separator = location.getRawQuery() == null ? "?" : "&";
    return URI.create(location + separator + "digest=sha256%3A" + blob.digest().hex());
  }

  @Override
  public Map<String, String> headers() {
    return Map.of("Content-Type", "application/octet-stream");
  }

  @Override
  public HttpRequest.BodyPublisher body() {
    return blob.sizeBytes() == 0
        ? HttpRequest.BodyPublishers.noBody()
        : HttpRequest.BodyPublishers.fromPublisher(
            HttpRequest.BodyPublishers.ofInputStream(content), blob.sizeBytes());
  }

  @Override
  public Duration sendingTime() {
    return Duration.ofSeconds(blob.sizeBytes() / SLOWEST_BYTES_PER_SECOND);
  }

  @Override
  public Set<Integer> statuses() {
    return Set.of(201, 202, 204);
  }

  @Override
  public Boolean handle(HttpAnswer answer) {
    return true;
  }
}
