package io.lamina.gateway.settings;

import io.lamina.gateway.problem.ClosestName;
import io.lamina.gateway.problem.GatewayException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Typed reading of text settings; every error names the key, the value and what is accepted. */
final class SettingsText {
  private static final Pattern SIZE = Pattern.compile("([0-9]{1,15})(B|KiB|MiB|GiB|TiB)?");
  private static final Pattern TIME = Pattern.compile("([0-9]{1,9})(ms|s|m|h|d)");
  private static final List<String> SIZE_UNITS = List.of("B", "KiB", "MiB", "GiB", "TiB");

  private final Map<String, String> values;
  private final TreeSet<String> known = new TreeSet<>();

  SettingsText(Map<String, String> values) {
    this.values = values;
  }

  Optional<String> text(String key) {
    known.add(key);
    return Optional.ofNullable(values.get(key)).filter(v -> !v.isBlank());
  }

  Optional<Path> path(String key) {
    return text(key).map(Path::of);
  }

  boolean flag(String key, boolean otherwise) {
    return text(key)
        .map(
            v ->
                switch (v) {
                  case "true" -> true;
                  case "false" -> false;
                  default -> throw bad(key, v, "true or false");
                })
        .orElse(otherwise);
  }

  int count(String key, int otherwise, int min, int max) {
    return text(key)
        .map(
            v -> {
              try {
                int n = Integer.parseInt(v);
                if (n >= min && n <= max) {
                  return n;
                }
              } catch (NumberFormatException e) {
                // Falls through to the one message for all bad numbers.
              }
              throw bad(key, v, "a number from " + min + " to " + max);
            })
        .orElse(otherwise);
  }

  long bytes(String key, long otherwise, long min, long max) {
    return text(key)
        .map(
            v -> {
              Matcher m = SIZE.matcher(v);
              if (m.matches()) {
                int unit = m.group(2) == null ? 0 : SIZE_UNITS.indexOf(m.group(2));
                double size = Double.parseDouble(m.group(1)) * Math.pow(1024, unit);
                if (size >= min && size <= max) {
                  return (long) size;
                }
              }
              throw bad(key, v, "a size such as 64KiB, from " + min + " to " + max + " bytes");
            })
        .orElse(otherwise);
  }

  Duration duration(String key, Duration otherwise, Duration min, Duration max) {
    return text(key)
        .map(
            v -> {
              Matcher m = TIME.matcher(v);
              if (m.matches()) {
                long n = Long.parseLong(m.group(1));
                Duration d =
                    switch (m.group(2)) {
                      case "ms" -> Duration.ofMillis(n);
                      case "s" -> Duration.ofSeconds(n);
                      case "m" -> Duration.ofMinutes(n);
                      case "h" -> Duration.ofHours(n);
                      default -> Duration.ofDays(n);
                    };
                if (d.compareTo(min) >= 0 && d.compareTo(max) <= 0) {
                  return d;
                }
              }
              throw bad(
                  key,
                  v,
                  "a time such as 30s, from " + min.toMillis() + " to " + max.toMillis() + " ms");
            })
        .orElse(otherwise);
  }

  /** To be called after the last read: what is left was meant to be something else. */
  void refuseOthers(Collection<String> alsoKnown) {
    known.addAll(alsoKnown);
    for (String key : values.keySet()) {
      if (!known.contains(key)) {
        throw new GatewayException.Fatal(
            "unknown setting '" + key + "'" + ClosestName.hint(key, known));
      }
    }
  }

  private static GatewayException.Fatal bad(String key, String value, String accepted) {
    return new GatewayException.Fatal(
        "setting '" + key + "' is '" + value + "'; it must be " + accepted);
  }
}
