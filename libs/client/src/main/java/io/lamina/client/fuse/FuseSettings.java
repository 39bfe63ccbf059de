package io.lamina.client.fuse;

import io.lamina.client.failure.ClientException;

/**
 * How a file system is mounted. Immutable.
 *
 * @param name shows in lists of mounts
 * @param maxThreads requests that are answered at once; those that wait for servers count
 * @param allowsOthers whether other users than the one who mounts may enter
 * @param checksPermissions whether the kernel compares modes with who asks
 */
public record FuseSettings(
    String name, int maxThreads, boolean allowsOthers, boolean checksPermissions) {
  private static final int MOST_THREADS = 1000;

  public FuseSettings {
    if (maxThreads < 2 || maxThreads > MOST_THREADS) {
      throw new ClientException.Rejected(
          "2 to " + MOST_THREADS + " threads for a mount, not " + maxThreads);
    }
    if (name.isEmpty() || name.chars().anyMatch(c -> c <= ' ' || c == ',' || c > '~')) {
      throw new ClientException.Rejected("not a name for a mounted file system: '" + name + "'");
    }
  }
}
