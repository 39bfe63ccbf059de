package io.lamina.image.manifest;

import io.lamina.image.Platform;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which platform's image runs where. Source: containerd's platform rules.
 *
 * <p>Other spellings of an architecture mean the usual one; a variant that is not written is the
 * architecture's base. An image for a lower version of the same architecture runs on a higher one,
 * never the other way round. Asked without a variant, the base is best, and any is accepted.
 */
final class PlatformMatch {
  private static final Map<String, String> ARCHITECTURES =
      Map.of(
          "aarch64", "arm64",
          "x86_64", "amd64",
          "x86-64", "amd64",
          "i386", "386",
          "i686", "386",
          "armhf", "arm",
          "armel", "arm");

  private static final Map<String, Integer> BASE_VERSIONS =
      Map.of("arm", 700, "arm64", 800, "amd64", 100);

  private static final Pattern VERSION = Pattern.compile("v([0-9]{1,2})(?:\\.([0-9]{1,2}))?");

  /** Versions that are higher than the base come after all that run on it. */
  private static final int ABOVE_BASE = 100_000;

  private PlatformMatch() {}

  /** How far an image is from what was asked for: 0 is best; nothing if it cannot run there. */
  static OptionalInt distance(Platform requested, Platform offered) {
    if (!requested.os().equals(offered.os())
        || !architecture(requested).equals(architecture(offered))) {
      return OptionalInt.empty();
    }
    OptionalInt has = version(offered);
    if (requested.variant().isEmpty()) {
      int base = BASE_VERSIONS.getOrDefault(architecture(requested), 0);
      int implied = requested.architecture().equals("armel") ? 600 : base;
      if (has.isEmpty()) {
        return OptionalInt.of(2 * ABOVE_BASE);
      }
      int below = implied - has.getAsInt();
      return OptionalInt.of(below >= 0 ? below : ABOVE_BASE - below);
    }
    if (requested.variant().equals(offered.variant())) {
      return OptionalInt.of(0);
    }
    OptionalInt wants = version(requested);
    if (wants.isEmpty() || has.isEmpty() || has.getAsInt() > wants.getAsInt()) {
      return OptionalInt.empty();
    }
    return OptionalInt.of(wants.getAsInt() - has.getAsInt());
  }

  private static String architecture(Platform platform) {
    return ARCHITECTURES.getOrDefault(platform.architecture(), platform.architecture());
  }

  /** The variant as a number that can be compared; nothing if it has no such form. */
  private static OptionalInt version(Platform platform) {
    int base =
        platform.architecture().equals("armel")
            ? 600
            : BASE_VERSIONS.getOrDefault(architecture(platform), 0);
    Optional<String> variant = platform.variant();
    if (variant.isEmpty()) {
      return OptionalInt.of(base);
    }
    Matcher matcher =
        VERSION.matcher(variant.get().startsWith("v") ? variant.get() : "v" + variant.get());
    if (!matcher.matches()) {
      return OptionalInt.empty();
    }
    String minor = matcher.group(2);
    return OptionalInt.of(
        Integer.parseInt(matcher.group(1)) * 100 + (minor == null ? 0 : Integer.parseInt(minor)));
  }
}
