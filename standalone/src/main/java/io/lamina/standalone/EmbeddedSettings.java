package io.lamina.standalone;

import io.lamina.converter.ConverterSettings;
import io.lamina.gateway.settings.GatewaySettings;
import io.lamina.image.ImageSources;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.image.policy.NamePattern;
import io.lamina.image.registry.RegistrySettings;
import io.lamina.image.signature.SignaturePolicy;
import io.lamina.image.source.LocalAccess;
import io.lamina.publisher.PublisherSettings;
import io.lamina.settings.Settings;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/**
 * What {@link EmbeddedLamina} runs with. Immutable.
 *
 * <p>Source: docs/operations.md, "One process or many".
 *
 * @param data absolute; made if it is missing; one process at a time
 * @param registries how registries are reached, with whose credentials
 * @param local folders that images may be read from
 * @param sources gets the usual sources of images, gives those that are read from
 */
public record EmbeddedSettings(
    Path data,
    Clock clock,
    RandomGenerator random,
    GatewaySettings gateway,
    ConverterSettings converter,
    PublisherSettings publisher,
    RegistrySettings registries,
    LocalAccess local,
    SignaturePolicy signatures,
    UnaryOperator<ImageSources> sources) {
  /** Where thin images may be pushed unless the settings say it. */
  public static final String THIN_TARGETS =
      ImagePolicy.PERSONAL.thinTargets().stream()
          .map(NamePattern::text)
          .collect(Collectors.joining(","));

  /**
   * Kept over restarts: after a kill the groups give the same member its partitions back at once.
   */
  private static final String INSTANCE = "embedded";

  /**
   * On loopback, with this user's credentials and files.
   *
   * @param port of the gateway, 0 for any free one
   */
  public static EmbeddedSettings usual(Path data, int port) {
    return from(
        data,
        Settings.of("lamina up", Map.of("gateway.listen.port", Integer.toString(port))),
        System.getenv());
  }

  /**
   * As usual, but for what the settings say; their keys are those of the single processes.
   *
   * @throws io.lamina.settings.SettingsException if they cannot be used
   */
  public static EmbeddedSettings from(Path data, Settings text, Map<String, String> environment) {
    Settings all = text.withDefaults(defaults(data, text));
    EmbeddedSettings settings =
        new EmbeddedSettings(
            data,
            Clock.systemUTC(),
            new SecureRandom(),
            GatewaySettings.from(all),
            ConverterSettings.from(all),
            ProcessSettings.publisher(all),
            ProcessSettings.registries(all, environment),
            ProcessSettings.local(all).orElse(LocalAccess.EVERYWHERE),
            ProcessSettings.signatures(all),
            UnaryOperator.identity());
    all.refuseOthers();
    return settings;
  }

  private static Map<String, String> defaults(Path data, Settings text) {
    Map<String, String> defaults = new TreeMap<>();
    defaults.put("gateway.stratum.folder", data.resolve("cvmfs").toString());
    defaults.put("gateway.uploads.folder", data.resolve("uploads").toString());
    if (text.text("gateway.listen.host").isEmpty()) {
      // Whoever reaches loopback is taken for the one who runs this.
      defaults.put("gateway.images.local", "true");
    }
    defaults.put("converter.instance", INSTANCE);
    defaults.put("publisher.instance", INSTANCE);
    defaults.put("registries.reach", "anywhere");
    defaults.put("thin.allow", THIN_TARGETS);
    return defaults;
  }

  public EmbeddedSettings withClock(Clock other) {
    return new EmbeddedSettings(
        data, other, random, gateway, converter, publisher, registries, local, signatures, sources);
  }

  public EmbeddedSettings withRandom(RandomGenerator other) {
    return new EmbeddedSettings(
        data, clock, other, gateway, converter, publisher, registries, local, signatures, sources);
  }

  /**
   * @param other its instance's name is kept as it is here
   */
  public EmbeddedSettings withConverter(ConverterSettings other) {
    ConverterSettings named = converter.instance().map(other::named).orElse(other);
    return new EmbeddedSettings(
        data, clock, random, gateway, named, publisher, registries, local, signatures, sources);
  }

  public EmbeddedSettings withRegistries(RegistrySettings other) {
    return new EmbeddedSettings(
        data, clock, random, gateway, converter, publisher, other, local, signatures, sources);
  }

  public EmbeddedSettings withSources(UnaryOperator<ImageSources> other) {
    return new EmbeddedSettings(
        data, clock, random, gateway, converter, publisher, registries, local, signatures, other);
  }
}
