package io.lamina.client.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.client.EmbeddedClient;
import io.lamina.client.MountedRepository;
import io.lamina.client.TestRepository;
import io.lamina.client.TestServer;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.tree.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KilledClientIT {
  private static final int FILES = 60;
  private static final int FILE_BYTES = 200_000;

  @TempDir Path folder;

  @Test
  void aKilledClientLeavesACacheThatIsRightAndAMountThatTheNextOneReplaces() throws Exception {
    long seed = Long.getLong("lamina.test.seed", 7);
    Random random = new Random(seed);
    TestRepository repository = new TestRepository("k.example.org");
    FileTree tree = TestRepository.tree();
    List<byte[]> contents = new ArrayList<>();
    for (int i = 0; i < FILES; i++) {
      byte[] content = new byte[FILE_BYTES];
      random.nextBytes(content);
      contents.add(content);
      tree.put(RepositoryPath.of("/" + i), repository.chunked(content, 30_000));
    }
    repository.with("tree", tree).publish();
    Path key = Files.write(folder.resolve("key.pub"), repository.keys().masterPublicPem());

    try (MountFixture mounts = new MountFixture(folder);
        TestServer server = new TestServer(repository.files())) {
      Path point = mounts.point("m");
      for (int round = 0; round < 3; round++) {
        server.forgetRequests();
        Process filling = start(repository, server, key, point);
        int wanted = 20 + random.nextInt(100);
        Thread reader = Thread.ofPlatform().daemon().start(() -> readAll(point, filling));
        while (server.total() < wanted && filling.isAlive()) {
          Thread.onSpinWait();
        }
        assertThat(filling.isAlive()).as("the client, seed %d", seed).isTrue();
        filling.destroyForcibly().waitFor(60, TimeUnit.SECONDS);
        reader.join();
        Path neverAsked = point.resolve("tree/missing" + round);
        assertThatThrownBy(() -> Files.readAllBytes(neverAsked))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("not connected");
      }

      server.forgetRequests();
      try (EmbeddedClient client = mounts.client(Clock.systemUTC());
          MountedRepository mounted = client.mount(repository.at(server.url()), point)) {
        for (int i = 0; i < FILES; i++) {
          assertThat(Files.readAllBytes(mounted.mountPoint().resolve("tree/" + i)))
              .as("file %d, seed %d", i, seed)
              .isEqualTo(contents.get(i));
        }
        assertThat(client.cacheStatistics().damaged()).isZero();
        assertThat(client.cacheStatistics().hits()).isPositive();
        assertThat(server.requests().size()).isLessThan(repository.files().size());
      }
    }
  }

  /** As soon as it is mounted, and until it dies. */
  private static void readAll(Path point, Process client) {
    for (int i = 0; i < FILES && client.isAlive(); ) {
      try {
        Files.readAllBytes(point.resolve("tree/" + i));
        i++;
      } catch (IOException e) {
        Thread.onSpinWait(); // not mounted yet, or dead
      }
    }
  }

  private Process start(TestRepository repository, TestServer server, Path key, Path point)
      throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx128m",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            FillingClient.class.getName(),
            folder.resolve("cache").toString(),
            repository.name().value(),
            server.url(),
            key.toString(),
            point.toString())
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("log").toFile())
        .start();
  }
}
