package io.lamina.client.net;

import io.lamina.client.failure.ClientException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * HTTP proxies in groups: those of a group share the load, and a group is used while one of its
 * members works. Immutable.
 *
 * <p>Source: {@code CVMFS_HTTP_PROXY} of the original client.
 *
 * @param groups 1 to 20, of 1 to 100 routes each
 */
public record Proxies(List<List<Route>> groups) {
  private static final int MAX_GROUPS = 20;
  private static final int MAX_IN_GROUP = 100;
  private static final int DEFAULT_PORT = 3128;
  private static final int MAX_PORT = 65_535;

  /** No proxy. */
  public static final Proxies DIRECT = new Proxies(List.of(List.of(Route.WITHOUT_PROXY)));

  /**
   * One way to the servers.
   *
   * @param proxy host name and port, which is resolved when it is used; empty for none
   */
  public record Route(Optional<InetSocketAddress> proxy) {
    static final Route WITHOUT_PROXY = new Route(Optional.empty());

    @Override
    public String toString() {
      return proxy
          .map(address -> "http://" + address.getHostString() + ":" + address.getPort())
          .orElse("DIRECT");
    }
  }

  public Proxies {
    groups = groups.stream().map(List::copyOf).toList();
    if (groups.isEmpty() || groups.size() > MAX_GROUPS) {
      throw new ClientException.Rejected(
          "1 to " + MAX_GROUPS + " groups of proxies, not " + groups.size());
    }
    for (List<Route> group : groups) {
      if (group.isEmpty() || group.size() > MAX_IN_GROUP) {
        throw new ClientException.Rejected(
            "1 to " + MAX_IN_GROUP + " proxies in a group, not " + group.size());
      }
    }
  }

  /**
   * Reads groups separated by {@code ;}, of proxies separated by {@code |}: {@code
   * http://HOST[:PORT]}, {@code HOST[:PORT]} or {@code DIRECT}.
   *
   * @throws ClientException.Rejected if it is anything else
   */
  public static Proxies parse(String text) {
    List<List<Route>> groups = new ArrayList<>();
    for (String group : text.split(";", -1)) {
      List<Route> routes = new ArrayList<>();
      for (String proxy : group.split("\\|", -1)) {
        routes.add(route(proxy.strip()));
      }
      groups.add(routes);
    }
    return new Proxies(groups);
  }

  private static Route route(String text) {
    if (text.equalsIgnoreCase("DIRECT")) {
      return Route.WITHOUT_PROXY;
    }
    try {
      URI address = URI.create(text.contains("://") ? text : "http://" + text);
      int port = address.getPort() < 0 ? DEFAULT_PORT : address.getPort();
      if ("http".equalsIgnoreCase(address.getScheme())
          && address.getHost() != null
          && address.getUserInfo() == null
          && port > 0
          && port <= MAX_PORT) {
        return new Route(Optional.of(InetSocketAddress.createUnresolved(address.getHost(), port)));
      }
    } catch (IllegalArgumentException e) {
      throw notAProxy(text, e);
    }
    throw notAProxy(text, null);
  }

  private static ClientException notAProxy(String text, @Nullable Throwable cause) {
    return new ClientException.Rejected(
        "not a proxy: '"
            + text
            + "'; give http://HOST:PORT or DIRECT, '|' between proxies that share the load and ';'"
            + " between groups that stand in for each other",
        cause);
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return String.join(
        ";",
        groups.stream()
            .map(group -> String.join("|", group.stream().map(Route::toString).toList()))
            .toList());
  }
}
