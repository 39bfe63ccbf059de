package io.lamina.client.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lamina.client.ClientSettings;
import io.lamina.client.EmbeddedClient;
import io.lamina.client.net.NetworkSettings;
import io.lamina.linux.Directory;
import io.lamina.linux.Mounts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Folders to mount on, which are unmounted whatever a test does. */
final class MountFixture implements AutoCloseable {
  private final Path folder;
  private final List<Path> mounted = new ArrayList<>();

  MountFixture(Path folder) {
    assumeTrue(Files.exists(Path.of("/dev/fuse")), "this machine has no /dev/fuse");
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting needs root");
    this.folder = folder;
  }

  /** A new folder that is unmounted at the end. */
  Path point(String name) {
    try {
      Path point = Files.createDirectories(folder.resolve(name)).toRealPath();
      mounted.add(point);
      return point;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  EmbeddedClient client(Clock clock) {
    return client(folder.resolve("cache"), 64 << 20, clock);
  }

  EmbeddedClient client(Clock clock, Map<String, String> variables) {
    return EmbeddedClient.open(
        settings(folder.resolve("cache"), 64 << 20, clock).withVariables(variables), new Random(1));
  }

  /** As often as a client may ask for new revisions. */
  EmbeddedClient clientThatAsksEverySecond() {
    return EmbeddedClient.open(
        settings(folder.resolve("cache"), 64 << 20, Clock.systemUTC())
            .withLongestTimeToLive(Duration.ofSeconds(1)),
        new Random(1));
  }

  static EmbeddedClient client(Path cache, long bytes, Clock clock) {
    return EmbeddedClient.open(settings(cache, bytes, clock), new Random(1));
  }

  private static ClientSettings settings(Path cache, long bytes, Clock clock) {
    return ClientSettings.of(cache, bytes)
        .withClock(clock)
        .withNetwork(
            NetworkSettings.DEFAULT
                .withTimeout(Duration.ofSeconds(20))
                .withRetries(0)
                .withBackoff(Duration.ZERO, Duration.ZERO));
  }

  static Directory open(Path path) {
    return Directory.open(path);
  }

  @Override
  public void close() {
    for (Path point : mounted.reversed()) {
      while (Mounts.isMounted(point)) {
        assertThat(Mounts.detach(point)).isTrue();
      }
    }
  }
}
