package io.lamina.settings;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Typed reading of {@code key = value} settings. Each read makes its key known; {@link
 * #refuseOthers}, called after the last read, refuses what nobody knows. The environment overrides
 * the file: {@code kafka.bootstrap} is {@code LAMINA_KAFKA_BOOTSTRAP}. Keys are lower-case, with
 * dots for groups and dashes for words; values carry their units.
 *
 * <p>Every method throws {@link SettingsException} on a value that it does not accept. One thread.
 *
 * <p>Source: docs/operations.md, "Settings".
 */
public final class Settings {
  private static final Pattern SIZE = Pattern.compile("([0-9]{1,15})(B|KiB|MiB|GiB|TiB)");
  private static final Pattern TIME = Pattern.compile("([0-9]{1,9})(ms|s|m|h|d)");
  private static final List<String> SIZE_UNITS = List.of("B", "KiB", "MiB", "GiB", "TiB");

  private final String origin;
  private final Map<String, String> values;
  private final Map<String, String> environment;
  private final TreeSet<String> known = new TreeSet<>();
  private final TreeSet<String> groups = new TreeSet<>();

  private Settings(String origin, Map<String, String> values, Map<String, String> environment) {
    this.origin = origin;
    this.values = new TreeMap<>(values);
    this.environment = Map.copyOf(environment);
  }

  /**
   * @throws SettingsException if the file cannot be read
   */
  public static Settings read(Path file, Map<String, String> environment) {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    } catch (IOException | IllegalArgumentException e) {
      throw new SettingsException("cannot read the settings file " + file + ": " + e);
    }
    Map<String, String> values = new TreeMap<>();
    for (String key : properties.stringPropertyNames()) {
      values.put(key, properties.getProperty(key).strip());
    }
    return new Settings(file.toString(), values, environment);
  }

  /** Settings that come from code; {@code origin} is named in errors. */
  public static Settings of(String origin, Map<String, String> values) {
    return new Settings(origin, values, Map.of());
  }

  /** A copy that has these values for what is set neither here nor in the environment. */
  public Settings withDefaults(Map<String, String> defaults) {
    Map<String, String> all = new TreeMap<>(defaults);
    all.putAll(values);
    return new Settings(origin, all, environment);
  }

  /** Empty where the key is not set, or set to nothing. */
  public Optional<String> text(String key) {
    known.add(key);
    String variable = "LAMINA_" + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    return Optional.ofNullable(environment.getOrDefault(variable, values.get(key)))
        .filter(value -> !value.isBlank());
  }

  /**
   * @param meaning what the key is for, told to who forgot it
   */
  public String required(String key, String meaning) {
    return text(key)
        .orElseThrow(
            () -> new SettingsException(origin + ": the key '" + key + "' is missing: " + meaning));
  }

  public Optional<Path> path(String key) {
    return text(key).map(Path::of);
  }

  public boolean flag(String key, boolean otherwise) {
    return text(key)
        .map(
            value ->
                switch (value) {
                  case "true" -> true;
                  case "false" -> false;
                  default -> throw bad(key, value, "true or false");
                })
        .orElse(otherwise);
  }

  public int count(String key, int otherwise, int min, int max) {
    Optional<String> text = text(key);
    if (text.isEmpty()) {
      return otherwise;
    }
    try {
      int number = Integer.parseInt(text.get());
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // one message below for all bad numbers
    }
    throw bad(key, text.get(), "a number from " + min + " to " + max);
  }

  /**
   * A word of a small language of its own.
   *
   * @param parser throws an exception whose message says what is accepted
   */
  public <T> T parsed(String key, T otherwise, Function<String, T> parser) {
    Optional<String> text = text(key);
    if (text.isEmpty()) {
      return otherwise;
    }
    try {
      return parser.apply(text.get());
    } catch (RuntimeException e) {
      throw new SettingsException(origin + ": '" + key + "': " + e.getMessage());
    }
  }

  /** A size with its unit, such as {@code 64KiB}. */
  public long bytes(String key, long otherwise, long min, long max) {
    Optional<String> text = text(key);
    if (text.isEmpty()) {
      return otherwise;
    }
    Matcher matcher = SIZE.matcher(text.get());
    if (matcher.matches()) {
      double size =
          Double.parseDouble(matcher.group(1))
              * Math.pow(1024, SIZE_UNITS.indexOf(matcher.group(2)));
      if (size >= min && size <= max) {
        return (long) size;
      }
    }
    throw bad(key, text.get(), "a size such as 64KiB, from " + min + " to " + max + " bytes");
  }

  /** A time with its unit, such as {@code 30s}. */
  public Duration duration(String key, Duration otherwise, Duration min, Duration max) {
    Optional<String> text = text(key);
    if (text.isEmpty()) {
      return otherwise;
    }
    Matcher matcher = TIME.matcher(text.get());
    if (matcher.matches()) {
      long amount = Long.parseLong(matcher.group(1));
      Duration duration =
          switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(amount);
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            case "h" -> Duration.ofHours(amount);
            default -> Duration.ofDays(amount);
          };
      if (duration.compareTo(min) >= 0 && duration.compareTo(max) <= 0) {
        return duration;
      }
    }
    throw bad(
        key,
        text.get(),
        "a time such as 30s, from " + min.toMillis() + " to " + max.toMillis() + " ms");
  }

  /** All keys below {@code prefix} (which ends in a dot), without it, as they stand in the file. */
  public Map<String, String> group(String prefix) {
    groups.add(prefix);
    Map<String, String> group = new TreeMap<>();
    values.forEach(
        (key, value) -> {
          if (key.startsWith(prefix)) {
            group.put(key.substring(prefix.length()), value);
          }
        });
    return group;
  }

  /** To be called after the last read: what is left was meant to be something else. */
  public void refuseOthers() {
    for (String key : values.keySet()) {
      if (!known.contains(key) && groups.stream().noneMatch(key::startsWith)) {
        throw new SettingsException(
            origin + ": unknown key '" + key + "'" + ClosestName.hint(key, known));
      }
    }
  }

  private SettingsException bad(String key, String value, String accepted) {
    return new SettingsException(
        origin + ": '" + key + "' is '" + value + "'; it must be " + accepted);
  }
}
