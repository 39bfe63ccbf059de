package io.lamina.gateway.webhook;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.Platform;
import io.lamina.image.policy.NamePattern;
import io.lamina.messaging.event.Precedence.Priority;
import io.lamina.settings.ClosestName;
import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * All webhooks of a gateway, and their bounds. Immutable.
 *
 * <p>Source: docs/webhooks.md, "Settings".
 *
 * @param hooks by name
 * @param bodyBytes of one delivery
 * @param maxEvents of one delivery
 * @param maxDeliveries being answered at once
 */
public record WebhookSettings(
    List<Webhook> hooks, int bodyBytes, int maxEvents, int maxDeliveries) {
  private static final String PREFIX = "gateway.webhook.";
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");
  private static final Pattern HEADER = Pattern.compile("[A-Za-z0-9-]{1,64}");
  private static final Pattern TENANT = Pattern.compile("[A-Za-z0-9._:-]{1,64}");
  private static final int MAX_HOOKS = 200;

  private static final List<String> KEYS =
      List.of(
          "format",
          "registry",
          "registry-names",
          "images",
          "authentication",
          "header",
          "secret-file",
          "repository",
          "platforms",
          "thin",
          "priority",
          "tenant",
          "max-age",
          "pin-age");

  public WebhookSettings {
    hooks = List.copyOf(hooks);
  }

  /**
   * Reads the keys that start with {@code gateway.webhook.}, and the bounds.
   *
   * @throws SettingsException naming the key that is wrong or missing
   */
  public static WebhookSettings from(Settings text) {
    Set<String> names = new TreeSet<>();
    for (String key : text.group(PREFIX).keySet()) {
      int dot = key.indexOf('.');
      String name = dot < 0 ? key : key.substring(0, dot);
      String rest = dot < 0 ? "" : key.substring(dot + 1);
      if (!NAME.matcher(name).matches()) {
        throw new SettingsException(
            "'"
                + PREFIX
                + key
                + "': the name of a webhook has 1 to 63 lower-case letters, digits and dashes");
      }
      if (!KEYS.contains(rest)) {
        throw new SettingsException(
            "unknown key '" + PREFIX + key + "'" + ClosestName.hint(rest, KEYS));
      }
      names.add(name);
    }
    if (names.size() > MAX_HOOKS) {
      throw new SettingsException("more than " + MAX_HOOKS + " webhooks");
    }
    return new WebhookSettings(
        names.stream().map(name -> new Keys(text, name).hook()).toList(),
        (int) text.bytes("gateway.limits.webhook-body", 256 << 10, 1 << 10, 16 << 20),
        text.count("gateway.limits.webhook-events", 100, 1, 10_000),
        text.count("gateway.limits.webhooks", 32, 1, 10_000));
  }

  /** The keys of one webhook. */
  private record Keys(Settings text, String name) {
    String key(String rest) {
      return PREFIX + name + "." + rest;
    }

    Webhook hook() {
      text.required(key("format"), "the kind of registry that sends this webhook");
      WebhookFormat format =
          text.parsed(key("format"), WebhookFormat.DISTRIBUTION, WebhookFormat::named);
      Webhook.Source source = source(format);
      return new Webhook(
          name,
          format,
          authentication(format),
          Path.of(
              text.required(
                  key("secret-file"), "a file with the secret that the registry shares with us")),
          source,
          target(source),
          new Webhook.Ages(
              text.duration(key("max-age"), Duration.ofDays(1), minute(), Duration.ofDays(30)),
              text.duration(
                  key("pin-age"), Duration.ofMinutes(15), Duration.ZERO, Duration.ofDays(30))));
    }

    private static Duration minute() {
      return Duration.ofMinutes(1);
    }

    private Webhook.Source source(WebhookFormat format) {
      String registry =
          text.text(key("registry"))
              .or(format::usualRegistry)
              .orElseThrow(
                  () ->
                      new SettingsException(
                          "the key '"
                              + key("registry")
                              + "' is missing: HOST[:PORT] of the registry, which images are taken"
                              + " from whatever a delivery says"));
      String host = host(key("registry"), registry);
      return new Webhook.Source(
          host,
          list("registry-names").stream()
              .map(name -> host(key("registry-names"), name))
              .collect(Collectors.toSet()),
          text.parsed(key("images"), List.of(new NamePattern(host)), list -> patterns(list, host)));
    }

    /** As references have it: Docker Hub has several names. */
    private static String host(String key, String name) {
      try {
        ImageReference.Registry image = image(name.toLowerCase(Locale.ROOT), "team/app");
        return ImageReference.parse(image.canonical()) instanceof ImageReference.Registry usual
            ? usual.host()
            : image.host();
      } catch (ImageException.Rejected e) {
        throw new SettingsException("'" + key + "': " + e.getMessage());
      }
    }

    /** A pattern that can match nothing was meant to be something else. */
    private static List<NamePattern> patterns(String list, String registry) {
      List<NamePattern> patterns = NamePattern.parse(list);
      for (NamePattern pattern : patterns) {
        String host = pattern.text().split("/", 2)[0];
        if (!new NamePattern(host).matches(image(registry, "team/app"))) {
          throw new IllegalArgumentException(
              "the pattern '"
                  + pattern
                  + "' begins with '"
                  + host
                  + "', but this webhook is about images of "
                  + registry);
        }
      }
      return patterns;
    }

    private static ImageReference.Registry image(String host, String repository) {
      return new ImageReference.Registry(host, repository, Optional.of("latest"), Optional.empty());
    }

    private Authentication authentication(WebhookFormat format) {
      Optional<String> header = text.text(key("header"));
      header.ifPresent(
          h -> check("header", h, HEADER.matcher(h).matches(), "the name of an HTTP header"));
      Optional<Authentication> chosen =
          text.parsed(
              key("authentication"),
              format.usualAuthentication(),
              word -> Optional.of(Keys.authentication(word)));
      if (chosen.isEmpty()) {
        throw new SettingsException(
            "the key '"
                + key("authentication")
                + "' is missing: "
                + format.text()
                + " can neither sign nor send a header, so its secret has to be in the address, where"
                + " proxies log it. Set it to 'query' if that will do: docs/webhooks.md says what"
                + " follows from it");
      }
      if (chosen.get() instanceof Authentication.Header) {
        return new Authentication.Header(header.orElse(Authentication.Header.STANDARD));
      }
      header.ifPresent(h -> check("header", h, false, "left out where the secret is in no header"));
      return chosen.get();
    }

    private static Authentication authentication(String word) {
      return switch (word) {
        case "signature" -> new Authentication.Signature();
        case "header" -> new Authentication.Header(Authentication.Header.STANDARD);
        case "query" -> new Authentication.Query();
        default ->
            throw new IllegalArgumentException(
                "'" + word + "' is no authentication; known are signature, header, query");
      };
    }

    private Webhook.Target target(Webhook.Source source) {
      Optional<ThinTemplate> thin =
          text.parsed(
              key("thin"), Optional.empty(), template -> Optional.of(new ThinTemplate(template)));
      thin.ifPresent(
          t ->
              check(
                  "thin",
                  t.text(),
                  source.names().stream().noneMatch(t::replacesImagesOf),
                  "another place than that of the images themselves"));
      String tenant = text.text(key("tenant")).orElse(caller(name));
      check("tenant", tenant, TENANT.matcher(tenant).matches(), "1 to 64 letters, digits and ._:-");
      text.required(key("repository"), "the CVMFS repository that images are published in");
      return new Webhook.Target(
          text.parsed(key("repository"), new RepositoryName("none"), RepositoryName::new),
          text.parsed(
              key("platforms"),
              List.of(),
              list ->
                  Arrays.stream(list.split(",")).map(String::strip).map(Platform::parse).toList()),
          thin,
          text.parsed(key("priority"), Priority.INTERACTIVE, Keys::priority),
          tenant);
    }

    private static Priority priority(String word) {
      return switch (word) {
        case "interactive" -> Priority.INTERACTIVE;
        case "bulk" -> Priority.BULK;
        default ->
            throw new IllegalArgumentException(
                "'" + word + "' is no priority; known are interactive, bulk");
      };
    }

    private List<String> list(String rest) {
      return text.text(key(rest)).stream()
          .flatMap(list -> Arrays.stream(list.split(",")))
          .map(each -> each.strip().toLowerCase(Locale.ROOT))
          .filter(each -> !each.isEmpty())
          .toList();
    }

    private void check(String rest, String value, boolean isGood, String accepted) {
      if (!isGood) {
        throw new SettingsException(
            "'" + key(rest) + "' is '" + value + "'; it must be " + accepted);
      }
    }
  }

  /** Under what name a webhook's requests are made; no token has such a name. */
  static String caller(String webhook) {
    return "webhook:" + webhook;
  }
}
