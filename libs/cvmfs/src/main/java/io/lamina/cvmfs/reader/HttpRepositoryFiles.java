package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.CvmfsException;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URL;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A repository on a web server, by plain GET and HEAD over HTTP/1.1. Redirects are errors: a
 * repository's address is where its files are. A server that stalls for longer than the time-out is
 * given up, before the answer as well as in the middle of a file. Thread-safe.
 *
 * <p>Uses the JDK's older client: an object costs a fifth of the processor time that it costs with
 * the newer one, which hands each answer from thread to thread.
 */
public final class HttpRepositoryFiles implements RepositoryFiles {
  /** For connecting, for the answer's first byte, and for each wait inside a file. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

  private static final long MAX_DISCARDED_BYTES = 64 << 10;

  private final String base;
  private final HttpTransfer transfer;
  private final Requests requests;
  private final boolean isFresh;

  /** Those that are under way, and the clock that ends those without an answer. */
  private static final class Requests {
    final Set<HttpURLConnection> open = ConcurrentHashMap.newKeySet();
    final ScheduledThreadPoolExecutor clock =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("lamina-http-clock").factory());

    Requests() {
      clock.setRemoveOnCancelPolicy(true);
    }
  }

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
    this.requests = new Requests();
  }

  private HttpRepositoryFiles(HttpRepositoryFiles other, boolean isFresh) {
    this.base = other.base;
    this.transfer = other.transfer;
    this.requests = other.requests;
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
    HttpURLConnection answer = send("GET", path);
    try {
      if (status(answer) == HttpURLConnection.HTTP_OK) {
        return new HttpBody(answer, transfer, base + path, () -> requests.open.remove(answer));
      }
      throw failure(path, answer);
    } catch (IOException e) {
      throw unanswered("GET", path, e);
    } catch (RuntimeException e) {
      discard(answer);
      throw e;
    }
  }

  @Override
  public boolean exists(String path) {
    HttpURLConnection answer = send("HEAD", path);
    try {
      if (status(answer) == HttpURLConnection.HTTP_OK) {
        return true;
      }
      CvmfsException failure = failure(path, answer);
      if (failure instanceof CvmfsException.NotFound) {
        return false;
      }
      throw failure;
    } catch (IOException e) {
      throw unanswered("HEAD", path, e);
    } finally {
      discard(answer);
    }
  }

  /** Ends requests that are under way; there can be no others. */
  @Override
  public void close() {
    requests.clock.shutdownNow();
    requests.open.forEach(HttpURLConnection::disconnect);
  }

  @Override
  public String toString() {
    return base;
  }

  /** Asks, and waits for the answer's head. */
  private HttpURLConnection send(String method, String path) {
    if (requests.clock.isShutdown()) {
      throw new CvmfsException.Retryable(method + " " + base + path + ": already closed", null);
    }
    HttpURLConnection connection = connection(path);
    requests.open.add(connection);
    try {
      connection.setRequestMethod(method);
      connection.setConnectTimeout(timeoutMillis());
      connection.setReadTimeout(timeoutMillis());
      connection.setInstanceFollowRedirects(false);
      connection.setRequestProperty("Accept", "*/*");
      connection.setRequestProperty("User-Agent", "lamina");
      if (isFresh) {
        connection.setRequestProperty("Cache-Control", "no-cache");
        connection.setRequestProperty("Pragma", "no-cache");
      }
      // The time-out of a read begins anew with each byte of the head.
      ScheduledFuture<?> late =
          requests.clock.schedule(connection::disconnect, timeoutMillis(), TimeUnit.MILLISECONDS);
      try {
        connection.getResponseCode();
        return connection;
      } finally {
        late.cancel(false);
      }
    } catch (IOException e) {
      requests.open.remove(connection);
      connection.disconnect();
      throw unanswered(method, path, e);
    } catch (RuntimeException e) {
      requests.open.remove(connection);
      throw e;
    }
  }

  private HttpURLConnection connection(String path) {
    try {
      URI address = URI.create(base + path);
      URL url = address.toURL();
      return (HttpURLConnection)
          (transfer.proxies().isPresent()
              ? url.openConnection(proxy(address))
              : url.openConnection());
    } catch (IllegalArgumentException e) {
      throw new CvmfsException.Rejected("not a file of a repository: '" + path + "'", e);
    } catch (IOException e) {
      throw unanswered("GET", path, e);
    }
  }

  private Proxy proxy(URI address) {
    return transfer.proxies().orElseThrow().select(address).getFirst();
  }

  private int timeoutMillis() {
    return (int) Math.min(transfer.timeout().toMillis(), Integer.MAX_VALUE);
  }

  private CvmfsException.Retryable unanswered(String method, String path, IOException e) {
    String reason =
        e instanceof SocketTimeoutException
            ? "no answer within " + timeoutMillis() + " ms"
            : String.valueOf(
                e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage());
    return new CvmfsException.Retryable(method + " " + base + path + " failed: " + reason, e);
  }

  /** Known since the head came; -1 if that was none of HTTP. */
  private static int status(HttpURLConnection answer) throws IOException {
    return answer.getResponseCode();
  }

  private CvmfsException failure(String path, HttpURLConnection answer) throws IOException {
    int status = status(answer);
    String what = base + path + " answered with status " + status;
    return switch (status) {
      case 404, 410 -> new CvmfsException.NotFound(what);
      case 408, 429, 500, 502, 503, 504 -> new CvmfsException.Retryable(what, null);
      case -1 -> new CvmfsException.Retryable(base + path + " did not answer by HTTP", null);
      case 301, 302, 303, 307, 308 -> {
        String target = answer.getHeaderField("Location");
        yield new CvmfsException.Rejected(
            what
                + " (redirect to "
                + (target == null ? "nowhere" : target)
                + "); redirects are not followed, give the address that they lead to");
      }
      default -> new CvmfsException.Rejected(what);
    };
  }

  /** So that the connection can be used again, if the rest of the answer is short. */
  private void discard(HttpURLConnection answer) {
    requests.open.remove(answer);
    try (InputStream rest = answer.getErrorStream()) {
      if (rest != null) {
        rest.skipNBytes(Math.min(MAX_DISCARDED_BYTES, Math.max(answer.getContentLengthLong(), 0)));
      }
    } catch (IOException e) {
      // The answer is an error already; how its body ends changes nothing.
    }
  }
}
