package io.lamina.node.graphdriver;

import io.lamina.layers.LayerOptions;
import io.lamina.layers.LayersException;
import io.lamina.settings.ClosestName;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The engine's {@code --storage-opt KEY=VALUE}. Immutable. Source: docs/plugin-node.md, "Options of
 * the engine".
 *
 * @param sizeBytes what a container may write unless it says so itself; 0 for no bound
 * @param mountMethod who mounts repositories; empty: as this process is set up
 */
public record EngineOptions(long sizeBytes, Optional<MountMethod> mountMethod) {
  /** Who mounts repositories. */
  public enum MountMethod {
    /** This process. */
    INTERNAL,
    /** The host. */
    EXTERNAL
  }

  private static final String SIZE = "size";
  private static final String MOUNT_METHOD = "cvmfsmountmethod";
  private static final String OVERRIDE = "override_kernel_check";
  private static final List<String> KNOWN =
      List.of("overlay2.size", "overlay2.override_kernel_check", "cvmfsMountMethod");

  /**
   * @throws DriverException.Refused for an option that is unknown or has a wrong value
   */
  public static EngineOptions parse(List<String> options) {
    long size = 0;
    Optional<MountMethod> method = Optional.empty();
    for (String option : options) {
      int equals = option.indexOf('=');
      if (equals < 1) {
        throw new DriverException.Refused(
            "the storage option '" + option + "' is not of the form KEY=VALUE");
      }
      String key = option.substring(0, equals).strip();
      String value = option.substring(equals + 1).strip();
      switch (plain(key)) {
        case SIZE -> size = size(key, value);
        case MOUNT_METHOD -> method = Optional.of(method(key, value));
        // Of the built-in driver; this one looks at what the kernel can, not at its number.
        case OVERRIDE -> checkFlag(key, value);
        default ->
            throw new DriverException.Refused(
                "unknown storage option '" + key + "'" + ClosestName.hint(key, KNOWN));
      }
    }
    return new EngineOptions(size, method);
  }

  private static String plain(String key) {
    String lower = key.toLowerCase(Locale.ROOT);
    for (String prefix : List.of("overlay2.", "overlay2_cvmfs.", "lamina.")) {
      if (lower.startsWith(prefix)) {
        return lower.substring(prefix.length());
      }
    }
    return lower;
  }

  private static long size(String key, String value) {
    try {
      return LayerOptions.parseSize(value);
    } catch (LayersException.Rejected e) {
      throw new DriverException.Refused("storage option '" + key + "': " + e.getMessage(), e);
    }
  }

  private static MountMethod method(String key, String value) {
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "internal" -> MountMethod.INTERNAL;
      case "external" -> MountMethod.EXTERNAL;
      default -> throw wrong(key, value, "internal or external");
    };
  }

  private static void checkFlag(String key, String value) {
    if (!value.equalsIgnoreCase("true") && !value.equalsIgnoreCase("false")) {
      throw wrong(key, value, "true or false");
    }
  }

  private static DriverException wrong(String key, String value, String accepted) {
    return new DriverException.Refused(
        "storage option '" + key + "' is '" + value + "'; it must be " + accepted);
  }
}
