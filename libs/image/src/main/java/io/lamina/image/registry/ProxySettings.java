package io.lamina.image.registry;

import io.lamina.image.ImageException;
import io.lamina.image.internal.Quoted;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Forward proxies, as the usual environment variables name them. Immutable.
 *
 * @param forHttp for requests without TLS
 * @param forHttps for requests with TLS
 * @param direct hosts and domain suffixes that are reached without a proxy; {@code *} is all
 */
public record ProxySettings(Optional<URI> forHttp, Optional<URI> forHttps, List<String> direct) {
  public static final ProxySettings NONE =
      new ProxySettings(Optional.empty(), Optional.empty(), List.of());

  public ProxySettings {
    direct = List.copyOf(direct);
  }

  /**
   * Reads {@code HTTP_PROXY}, {@code HTTPS_PROXY} and {@code NO_PROXY}, in either case.
   *
   * @throws ImageException.Rejected if a proxy is no http URL
   */
  public static ProxySettings fromEnvironment(Map<String, String> environment) {
    String direct = variable(environment, "NO_PROXY").orElse("");
    return new ProxySettings(
        variable(environment, "HTTP_PROXY").map(ProxySettings::address),
        variable(environment, "HTTPS_PROXY").map(ProxySettings::address),
        List.of(direct.split(",")).stream().map(String::strip).filter(s -> !s.isEmpty()).toList());
  }

  private static Optional<String> variable(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get(name))
        .or(() -> Optional.ofNullable(environment.get(name.toLowerCase(Locale.ROOT))))
        .filter(value -> !value.isBlank());
  }

  private static URI address(String text) {
    try {
      URI uri = URI.create(text.contains("://") ? text : "http://" + text);
      if ("http".equals(uri.getScheme()) && uri.getHost() != null && uri.getUserInfo() == null) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      // Reported below, together with URLs that are of another kind.
    }
    // The text may hold a password, so it is not repeated.
    throw new ImageException.Rejected(
        "a proxy is given as http://HOST:PORT without user; the value for '"
            + Quoted.plain(text.replaceAll(".*@", "…@"), 60)
            + "' is not");
  }

  /** For the HTTP client; loopback hosts are always reached directly. */
  ProxySelector selector() {
    return new ProxySelector() {
      @Override
      public List<Proxy> select(URI uri) {
        Optional<URI> proxy = "https".equals(uri.getScheme()) ? forHttps : forHttp;
        if (proxy.isEmpty() || uri.getHost() == null || isDirect(uri.getHost())) {
          return List.of(Proxy.NO_PROXY);
        }
        int port = proxy.get().getPort() < 0 ? 80 : proxy.get().getPort();
        return List.of(
            new Proxy(
                Proxy.Type.HTTP, InetSocketAddress.createUnresolved(proxy.get().getHost(), port)));
      }

      @Override
      public void connectFailed(URI uri, SocketAddress address, IOException failure) {
        // The request fails with this very failure; there is no second proxy to turn to.
      }
    };
  }

  private boolean isDirect(String host) {
    String name = host.toLowerCase(Locale.ROOT);
    if (Origin.isLoopback(name)) {
      return true;
    }
    for (String rule : direct) {
      String suffix = rule.toLowerCase(Locale.ROOT).replaceFirst("^\\*?\\.", "");
      if (rule.equals("*") || name.equals(suffix) || name.endsWith("." + suffix)) {
        return true;
      }
    }
    return false;
  }
}
