package io.lamina.image.registry;

import io.lamina.image.ImageException;
import io.lamina.image.internal.Quoted;
import java.net.URI;

/**
 * A registry, or a mirror of one. Immutable.
 *
 * @param name what its settings and credentials are filed under
 * @param base scheme, host and port, without a path
 * @param prefix what goes before repository names; empty, or ends with a slash
 */
record Endpoint(String name, URI base, String prefix, RequestLimit limit) {
  static final String HUB_NAME = "docker.io";
  static final String HUB_HOST = "registry-1.docker.io";

  /** The scheme, host and port of a registry that a reference names. */
  static URI baseOf(String name, RegistrySettings settings) {
    if (name.equals(HUB_NAME)) {
      return URI.create("https://" + HUB_HOST);
    }
    HostSettings host = settings.host(name);
    URI plain = URI.create("http://" + name);
    boolean isPlain =
        host.isPlainHttp() || (Origin.of(plain).isLoopback() && host.caFile().isEmpty());
    return isPlain ? plain : URI.create("https://" + name);
  }

  /**
   * @param text {@code http[s]://HOST[:PORT][/PREFIX]}
   * @throws ImageException.Rejected if it has another form, or no TLS without permission
   */
  static URI mirrorBase(String text, HttpTransport transport) {
    URI uri;
    try {
      uri = URI.create(text);
    } catch (IllegalArgumentException e) {
      throw notAMirror(text);
    }
    boolean isHttp = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
    if (!isHttp
        || uri.getHost() == null
        || uri.getRawUserInfo() != null
        || uri.getRawQuery() != null
        || !uri.getRawPath().matches("(?:/[a-z0-9._/-]*)?")
        || uri.getRawPath().contains("..")) {
      throw notAMirror(text);
    }
    if (uri.getScheme().equals("http") && !transport.allowsPlainHttp(uri)) {
      throw new ImageException.Rejected(
          "the mirror " + text + " has no TLS; allow plain HTTP for " + uri.getRawAuthority());
    }
    return uri;
  }

  private static ImageException.Rejected notAMirror(String text) {
    return new ImageException.Rejected(
        "a mirror is given as http[s]://HOST[:PORT][/PREFIX], not " + Quoted.of(text));
  }

  Origin origin() {
    return Origin.of(base);
  }

  URI resolve(String repository, String rest) {
    return URI.create(base + "/v2/" + prefix + repository + rest);
  }
}
