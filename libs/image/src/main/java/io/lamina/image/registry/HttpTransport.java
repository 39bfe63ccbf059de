package io.lamina.image.registry;

import io.lamina.image.ImageException;
import io.lamina.image.internal.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/**
 * Sends requests over the JDK's client: bounded waits, and redirects that take no credentials to
 * another origin and never leave TLS. Thread-safe.
 */
final class HttpTransport implements AutoCloseable {
  private static final int MAX_REDIRECTS = 5;
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
  private static final Set<Integer> REDIRECTS_WITH_BODY = Set.of(307, 308);

  /** Finds addresses. */
  @FunctionalInterface
  interface Names {
    InetAddress[] addresses(String host) throws UnknownHostException;
  }

  private final RegistrySettings settings;
  private final Names names;
  private final ProxySelector proxies;

  /** Named by the operator, so they may lie anywhere. */
  private final Set<String> mirrors = new HashSet<>();

  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

  /** By CA file; one entry per distinct setting, so bounded by the settings. */
  private final Map<Optional<Path>, HttpClient> clients = new ConcurrentHashMap<>();

  HttpTransport(RegistrySettings settings) {
    this(settings, InetAddress::getAllByName);
  }

  /**
   * @param names what a host's name means
   */
  HttpTransport(RegistrySettings settings, Names names) {
    this.settings = settings;
    this.names = names;
    this.proxies = settings.proxies().selector();
    settings.hosts().values().stream()
        .flatMap(host -> host.mirrors().stream())
        .flatMap(HttpTransport::authority)
        .forEach(mirrors::add);
  }

  /** Mirrors that are no URLs are refused where they are used. */
  private static Stream<String> authority(String mirror) {
    try {
      return Stream.ofNullable(URI.create(mirror).getRawAuthority());
    } catch (IllegalArgumentException e) {
      return Stream.empty();
    }
  }

  /**
   * @throws ImageException.Rejected if a redirect breaks the rules
   */
  HttpAnswer send(HttpCall call, RequestLimit limit) throws IOException, InterruptedException {
    RequestLimit.Permit permit = limit.acquire();
    boolean isAnswered = false;
    try {
      HttpCall current = call;
      for (int redirects = 0; ; redirects++) {
        HttpResponse<InputStream> response = sendOnce(current);
        HttpAnswer answer =
            new HttpAnswer(
                current.uri(), response.statusCode(), response.headers(), response.body(), permit);
        Optional<String> location = answer.header("Location");
        if (!REDIRECTS.contains(answer.status()) || location.isEmpty()) {
          isAnswered = true;
          return answer;
        }
        response.body().close();
        if (redirects == MAX_REDIRECTS) {
          throw new ImageException.Rejected(
              Origin.of(call.uri()) + " redirects more than " + MAX_REDIRECTS + " times");
        }
        HttpCall next = current.redirectedTo(target(current.uri(), location.get()));
        checkBody(current, answer.status(), next);
        current = next;
      }
    } finally {
      if (!isAnswered) {
        permit.close();
      }
    }
  }

  /** A body may hold a secret, so it goes to nobody else; and some redirects would drop it. */
  private static void checkBody(HttpCall from, int status, HttpCall to) {
    if (from.hasBody()
        && (!REDIRECTS_WITH_BODY.contains(status)
            || !Origin.of(from.uri()).equals(Origin.of(to.uri())))) {
      throw new ImageException.Rejected(
          Origin.of(from.uri())
              + " redirects a "
              + from.method()
              + " to "
              + Origin.of(to.uri())
              + " with status "
              + status
              + "; a request with a body is only repeated at the same place");
    }
  }

  private HttpResponse<InputStream> sendOnce(HttpCall call)
      throws IOException, InterruptedException {
    checkReach(call.uri());
    HttpRequest.Builder request =
        HttpRequest.newBuilder(call.uri())
            .timeout(call.patience())
            .header("User-Agent", "lamina")
            // Upgrading a plain connection confuses small servers; TLS negotiates by itself.
            .version(
                Origin.of(call.uri()).isSecure()
                    ? HttpClient.Version.HTTP_2
                    : HttpClient.Version.HTTP_1_1)
            .method(
                call.method(),
                call.hasBody() ? call.body().get() : HttpRequest.BodyPublishers.noBody());
    call.headers().forEach(request::header);
    call.authorization().ifPresent(value -> request.header("Authorization", value));
    return client(call.uri())
        .send(request.build(), info -> new BodyStream(settings.timeouts().stall()));
  }

  /**
   * Before every transmission, so redirects, token servers, upload addresses and names that change
   * their meaning are covered. The JVM keeps a name's addresses for half a minute, so the client
   * connects to what was looked at here; docs/security.md, "Registries", has what remains.
   */
  private void checkReach(URI uri) throws UnknownHostException {
    String host = uri.getHost();
    if (settings.reach().isExempt(host, uri.getRawAuthority())
        || mirrors.contains(uri.getRawAuthority())) {
      return;
    }
    boolean isProxied =
        proxies.select(uri).stream().anyMatch(proxy -> proxy.type() != Proxy.Type.DIRECT);
    Optional<InetAddress> literal = literal(host);
    if (isProxied && literal.isEmpty()) {
      return; // Only the proxy knows what the name means to it.
    }
    InetAddress[] addresses =
        literal.isPresent() ? new InetAddress[] {literal.get()} : names.addresses(bare(host));
    for (InetAddress address : addresses) {
      settings.reach().check(uri.getRawAuthority(), address);
    }
  }

  private static Optional<InetAddress> literal(String host) {
    try {
      return Optional.of(InetAddress.ofLiteral(bare(host)));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static String bare(String host) {
    return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
  }

  /**
   * Where a server may send us on.
   *
   * @throws ImageException.Rejected if the target is no plain URL, has no TLS without permission,
   *     or is a loopback address named by somebody else
   */
  URI target(URI from, String location) {
    URI target;
    try {
      target = from.resolve(new URI(location));
    } catch (java.net.URISyntaxException | IllegalArgumentException e) {
      // The cause would quote the text, which may hold a signature or a password.
      throw new ImageException.Rejected(
          Origin.of(from) + " names a place that is no URL: " + Quoted.place(location));
    }
    String scheme = target.getScheme();
    boolean isHttp = "https".equalsIgnoreCase(scheme) || "http".equalsIgnoreCase(scheme);
    if (!isHttp || target.getHost() == null || target.getRawUserInfo() != null) {
      throw new ImageException.Rejected(
          Origin.of(from) + " names a place that cannot be followed: " + Quoted.place(location));
    }
    Origin source = Origin.of(from);
    Origin next = Origin.of(target);
    if (source.isSecure() && !next.isSecure() && source.host().equals(next.host())) {
      // A registry behind a TLS proxy that does not know of it; its own host is meant.
      return upgraded(from, target);
    }
    if (!next.isSecure() && (source.isSecure() || !allowsPlainHttp(target))) {
      throw new ImageException.Rejected(
          source
              + " sends us to "
              + next
              + " without TLS; if that is meant, allow plain HTTP for "
              + target.getRawAuthority());
    }
    if (next.isLoopback() && !source.isLoopback()) {
      throw new ImageException.Rejected(
          source + " sends us to the loopback address " + next + "; that is refused");
    }
    return target;
  }

  private static URI upgraded(URI from, URI target) {
    String query = target.getRawQuery() == null ? "" : "?" + target.getRawQuery();
    return URI.create("https://" + from.getRawAuthority() + target.getRawPath() + query);
  }

  /** Whether a URL without TLS may be asked. */
  boolean allowsPlainHttp(URI uri) {
    return Origin.of(uri).isLoopback() || settings.host(hostName(uri)).isPlainHttp();
  }

  private static String hostName(URI uri) {
    return uri.getPort() < 0 ? uri.getHost() : uri.getHost() + ":" + uri.getPort();
  }

  private HttpClient client(URI uri) {
    String name = hostName(uri);
    HostSettings host = settings.host(name.equals(Endpoint.HUB_HOST) ? Endpoint.HUB_NAME : name);
    return clients.computeIfAbsent(host.caFile(), this::newClient);
  }

  private HttpClient newClient(Optional<Path> caFile) {
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .connectTimeout(settings.timeouts().connect())
            .followRedirects(HttpClient.Redirect.NEVER)
            .executor(executor)
            .proxy(proxies);
    caFile.ifPresent(file -> builder.sslContext(CaBundle.contextTrusting(file)));
    return builder.build();
  }

  /** Drops all connections. */
  @Override
  public void close() {
    clients.values().forEach(HttpClient::shutdownNow);
    executor.shutdownNow();
  }
}
