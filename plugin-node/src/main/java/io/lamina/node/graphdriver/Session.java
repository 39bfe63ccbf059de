package io.lamina.node.graphdriver;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/**
 * What an engine says once, when it starts. Immutable.
 *
 * @param home the folder that the engine proposes, absolute; names the engine's set of layers
 * @param options of the engine's {@code --storage-opt}, in its order
 */
public record Session(
    String home, List<String> options, List<IdRange> userIds, List<IdRange> groupIds) {
  private static final int MAX_HOME_CHARS = 4096;
  private static final int MAX_OPTIONS = 256;
  private static final int MAX_RANGES = 340;

  public Session {
    options = List.copyOf(options);
    userIds = List.copyOf(userIds);
    groupIds = List.copyOf(groupIds);
    if (home.isEmpty() || home.length() > MAX_HOME_CHARS || !isAbsolute(home)) {
      throw new DriverException.Malformed(
          "Init: 'Home' is not an absolute path of at most " + MAX_HOME_CHARS + " characters");
    }
    if (options.size() > MAX_OPTIONS) {
      throw new DriverException.Malformed("Init: more than " + MAX_OPTIONS + " options");
    }
    if (userIds.size() > MAX_RANGES || groupIds.size() > MAX_RANGES) {
      throw new DriverException.Malformed("Init: more than " + MAX_RANGES + " ranges of ids");
    }
  }

  private static boolean isAbsolute(String home) {
    try {
      return Path.of(home).isAbsolute();
    } catch (InvalidPathException e) {
      return false;
    }
  }
}
