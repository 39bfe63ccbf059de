package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.CvmfsException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Locale;

/**
 * A repository on a web server, by plain GET and HEAD over HTTP/1.1. Redirects are errors: a
 * repository's address is where its files are. A server that stalls for longer than the time-out is
 * given up, before the answer as well as in the middle of a file. Thread-safe.
 */
public final class HttpRepositoryFiles implements RepositoryFiles {
  /** For connecting, for the answer's first byte, and for each wait inside a file. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

  private final String base;
  private final HttpTransfer transfer;
  private final HttpClient client;
  private final boolean isFresh;

  /**
   * @param address {@code http} or {@code https}, of the repository's root, without query
   * @throws CvmfsException.Rejected if it is no such address
   */
  public HttpRepositoryFiles(URI address, Duration timeout) {
    this(address, HttpTransfer.within(timeout));
  }

  /** As the other, with all that can be said about the transfer. */
  public HttpRepositoryFiles(URI address, HttpTransfer transfer) {
    String scheme = String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT);
    boolean web = scheme.equals("http") || scheme.equals("https");
    if (!web || address.getHost() == null || address.getQuery() != null) {
      throw new CvmfsException.Rejected(
          "not the address of a repository: '"
              + address
              + "'; expected http://HOST/PATH or https://HOST/PATH");
    }
    this.base = address.toString().replaceAll("/+$", "") + "/";
    this.transfer = transfer;
    this.isFresh = false;
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(transfer.timeout());
    transfer.proxies().ifPresent(builder::proxy);
    this.client = builder.build();
  }

  private HttpRepositoryFiles(HttpRepositoryFiles other, boolean isFresh) {
    this.base = other.base;
    this.transfer = other.transfer;
    this.client = other.client;
    this.isFresh = isFresh;
  }

  /**
   * The same server, with the request that no cache on the way may answer from what it has. Closes
   * with this one.
   */
  public RepositoryFiles fresh() {
    return new HttpRepositoryFiles(this, true);
  }

  @Override
  public InputStream open(String path) {
    HttpResponse<InputStream> response = send("GET", path, BodyHandlers.ofInputStream());
    if (response.statusCode() == 200) {
      return new StallGuard(
          response.body(), transfer.timeout(), transfer.minBytesPerSecond(), base + path);
    }
    discard(response);
    throw failure(path, response);
  }

  @Override
  public boolean exists(String path) {
    HttpResponse<Void> response = send("HEAD", path, BodyHandlers.discarding());
    if (response.statusCode() == 200) {
      return true;
    }
    CvmfsException failure = failure(path, response);
    if (failure instanceof CvmfsException.NotFound) {
      return false;
    }
    throw failure;
  }

  @Override
  public void close() {
    client.shutdownNow();
  }

  @Override
  public String toString() {
    return base;
  }

  private <T> HttpResponse<T> send(String method, String path, BodyHandler<T> handler) {
    HttpRequest request;
    try {
      HttpRequest.Builder builder =
          HttpRequest.newBuilder(URI.create(base + path))
              .timeout(transfer.timeout())
              .method(method, HttpRequest.BodyPublishers.noBody());
      if (isFresh) {
        builder.header("Cache-Control", "no-cache").header("Pragma", "no-cache");
      }
      request = builder.build();
    } catch (IllegalArgumentException e) {
      throw new CvmfsException.Rejected("not a file of a repository: '" + path + "'", e);
    }
    try {
      return client.send(request, handler);
    } catch (IOException e) {
      throw new CvmfsException.Retryable(
          method
              + " "
              + base
              + path
              + " failed: "
              + (e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CvmfsException.Retryable(method + " " + base + path + " was interrupted", e);
    }
  }

  private CvmfsException failure(String path, HttpResponse<?> response) {
    int status = response.statusCode();
    String what = base + path + " answered with status " + status;
    return switch (status) {
      case 404, 410 -> new CvmfsException.NotFound(what);
      case 408, 429, 500, 502, 503, 504 -> new CvmfsException.Retryable(what, null);
      case 301, 302, 303, 307, 308 ->
          new CvmfsException.Rejected(
              what
                  + " (redirect to "
                  + response.headers().firstValue("location").orElse("nowhere")
                  + "); redirects are not followed, give the address that they lead to");
      default -> new CvmfsException.Rejected(what);
    };
  }

  private static void discard(HttpResponse<InputStream> response) {
    try {
      response.body().close();
    } catch (IOException e) {
      // The answer is an error already; how its body ends changes nothing.
    }
  }
}
