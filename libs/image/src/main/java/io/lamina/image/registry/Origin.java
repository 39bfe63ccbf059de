package io.lamina.image.registry;

import java.net.URI;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Who answers a URL: credentials for one origin are for no other. Immutable.
 *
 * @param port never the implied one
 */
record Origin(String scheme, String host, int port) {
  private static final Pattern LOOPBACK =
      Pattern.compile("localhost|127(?:\\.[0-9]{1,3}){3}|\\[?(?:0{0,4}:){2,7}0{0,3}1]?");

  static Origin of(URI uri) {
    String scheme = uri.getScheme().toLowerCase(Locale.ROOT);
    int port = uri.getPort() >= 0 ? uri.getPort() : scheme.equals("https") ? 443 : 80;
    return new Origin(scheme, uri.getHost().toLowerCase(Locale.ROOT), port);
  }

  /** By the name alone; a name that merely resolves to a loopback address is not trusted. */
  static boolean isLoopback(String host) {
    return LOOPBACK.matcher(host).matches();
  }

  boolean isLoopback() {
    return isLoopback(host);
  }

  boolean isSecure() {
    return scheme.equals("https");
  }

  @Override
  public String toString() {
    return scheme + "://" + host + ":" + port;
  }
}
