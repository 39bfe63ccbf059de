package io.lamina.gateway.webhook;

/**
 * How a registry proves that it sent a delivery. Immutable.
 *
 * <p>Source: docs/webhooks.md, "Authentication".
 */
public sealed interface Authentication {
  /** HMAC-SHA256 of the body, as {@code sha256=HEX} in the header {@link #HEADER}. */
  record Signature() implements Authentication {
    static final String HEADER = "X-Hub-Signature-256";
  }

  /**
   * The secret itself in a header; in {@code Authorization} alone, as a bearer token or as the
   * password of basic authentication.
   */
  record Header(String name) implements Authentication {
    static final String STANDARD = "Authorization";
  }

  /** The secret itself in the address, {@code ?token=…}, where proxies write it into their logs. */
  record Query() implements Authentication {}
}
