package io.lamina.gateway.webhook;

import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Lets in whoever knows a webhook's secret, and answers everybody else alike. Thread-safe.
 *
 * <p>Source: docs/webhooks.md, "Authentication".
 */
final class WebhookDoor {
  private static final Pattern SIGNATURE = Pattern.compile("sha256=([0-9a-f]{64})");
  private static final String BASIC = "basic ";
  private static final String BEARER = "bearer ";
  private static final String NOBODY = "unknown";

  private record Entry(Webhook hook, WebhookSecret secret) {}

  private final Map<String, Entry> entries = new TreeMap<>();
  private final MeterRegistry metrics;

  /**
   * Reads the secrets.
   *
   * @throws GatewayException.Fatal if one cannot be used
   */
  WebhookDoor(List<Webhook> hooks, MeterRegistry metrics) {
    for (Webhook hook : hooks) {
      entries.put(hook.name(), new Entry(hook, WebhookSecret.read(hook.name(), hook.secretFile())));
    }
    this.metrics = metrics;
  }

  /**
   * What can be said before the body is read: of a signature only whether there is one.
   *
   * @param headers by name
   * @param tokens of the query
   * @throws GatewayException.Refused for an unknown webhook as for a wrong secret
   */
  Webhook admit(@Nullable String name, Headers headers, List<String> tokens) {
    Entry entry = name == null ? null : entries.get(name);
    if (entry == null) {
      throw refused(NOBODY);
    }
    boolean isAdmitted =
        switch (entry.hook().authentication()) {
          case Authentication.Signature s -> signature(headers).isPresent();
          case Authentication.Header h -> isSecret(entry.secret(), h, headers.first(h.name()));
          case Authentication.Query q -> tokens.size() == 1 && entry.secret().is(tokens.getFirst());
        };
    if (!isAdmitted) {
      throw refused(entry.hook().name());
    }
    return entry.hook();
  }

  /**
   * @throws GatewayException.Refused if the body must be signed and is not
   */
  void checkSignature(Webhook hook, Headers headers, byte[] body) {
    Entry entry = entries.get(hook.name());
    boolean isSigned =
        !(hook.authentication() instanceof Authentication.Signature)
            || entry != null
                && signature(headers).map(s -> entry.secret().hasSigned(body, s)).orElse(false);
    if (!isSigned) {
      throw refused(hook.name());
    }
  }

  private static boolean isSecret(
      WebhookSecret secret, Authentication.Header header, @Nullable String value) {
    if (value == null || !header.name().equalsIgnoreCase(Authentication.Header.STANDARD)) {
      return value != null && secret.is(value);
    }
    String lower = value.toLowerCase(Locale.ROOT);
    if (lower.startsWith(BASIC)) {
      return password(value.substring(BASIC.length()).strip()).map(secret::is).orElse(false);
    }
    return secret.is(lower.startsWith(BEARER) ? value.substring(BEARER.length()).strip() : value);
  }

  private static Optional<String> password(String credentials) {
    try {
      String text = new String(Base64.getDecoder().decode(credentials), StandardCharsets.UTF_8);
      int colon = text.indexOf(':');
      return colon < 0 ? Optional.empty() : Optional.of(text.substring(colon + 1));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // not base64, so not the secret either
    }
  }

  private static Optional<byte[]> signature(Headers headers) {
    return Optional.ofNullable(headers.first(Authentication.Signature.HEADER))
        .map(SIGNATURE::matcher)
        .filter(Matcher::matches)
        .map(matcher -> HexFormat.of().parseHex(matcher.group(1)));
  }

  private GatewayException.Refused refused(String webhook) {
    metrics.counter("gateway.webhook.refused", "webhook", webhook).increment();
    return new GatewayException.Refused(
        ProblemType.UNAUTHENTICATED,
        "there is no such webhook here, or what proves it is missing or wrong; the gateway's operator"
            + " knows which header or signature it wants");
  }
}
