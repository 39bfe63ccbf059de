package io.lamina.node.commit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Digest;
import io.lamina.image.thin.ThinDescriptorJson;
import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerInfo.Kind;
import io.lamina.layers.LayerInfo.State;
import io.lamina.layers.LayersException;
import io.lamina.linux.Mounts;
import io.lamina.node.FollowedNews;
import io.lamina.node.docker.SmallDisk;
import io.lamina.node.events.RepositoryViews;
import io.lamina.node.events.RevisionFollower;
import io.lamina.node.gateway.GatewayConnection;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commits against a gateway over HTTP; the repository is a folder. */
@SuppressWarnings("NullAway.Init")
@Timeout(240)
class ThinCommitsIT {
  private static final String REPOSITORY = "images.example.org";
  private static final String IMAGE = "1".repeat(64);
  private static final String INIT = "2".repeat(64) + "-init";
  private static final String CONTAINER = "2".repeat(64);
  private static final SortedSet<String> NONE = Collections.emptySortedSet();

  @TempDir Path folder;

  private Path repository;
  private FakeGateway gateway;
  private GatewayConnection connection;
  private final Random random = new Random(1);
  private final FakeLayers layers = new FakeLayers();
  private final RevisionFollower follower =
      new RevisionFollower(
          new RepositoryViews() {
            @Override
            public Set<String> mounted() {
              return Set.of(REPOSITORY);
            }

            @Override
            public long refresh(String name) {
              return 1;
            }
          });

  @BeforeEach
  void start() throws IOException {
    repository = Files.createDirectory(folder.resolve("repository"));
    gateway = new FakeGateway(repository);
    connection = new GatewayConnection(gateway.address(), Optional.empty());
    thinImage(new TreeSet<>(Set.of(REPOSITORY)));
    layers.archive = archive("content");
  }

  @AfterEach
  void stop() {
    connection.close();
    gateway.close();
    follower.close();
  }

  private void thinImage(SortedSet<String> repositories) {
    layers.add(IMAGE, null, Kind.THIN, State.APPLIED, repositories);
    layers.add(INIT, IMAGE, Kind.REGULAR, State.CREATED, repositories);
    layers.add(CONTAINER, INIT, Kind.REGULAR, State.CREATED, repositories);
  }

  private static byte[] archive(String content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
      TarArchiveEntry entry = new TarArchiveEntry("file");
      entry.setSize(content.length());
      tar.putArchiveEntry(entry);
      tar.write(content.getBytes(StandardCharsets.UTF_8));
      tar.closeArchiveEntry();
    }
    return bytes.toByteArray();
  }

  private ThinCommits commits(Duration patience, Duration deadline) {
    return commits(patience, deadline, Optional.empty(), 1 << 20);
  }

  /** As after a start of the process: nothing is known but what others keep. */
  private ThinCommits commits(
      Duration patience, Duration deadline, Optional<String> fixed, long maxBytes) {
    return new ThinCommits(
        new CommitSettings(
            fixed.map(RepositoryName::new), folder.resolve("spool"), patience, deadline, maxBytes),
        connection,
        new GatewayArchives(connection),
        new FollowedNews(follower),
        random);
  }

  private ThinCommits commits() {
    return commits(Duration.ofSeconds(60), Duration.ofSeconds(120));
  }

  private CvmfsRoots.Lease lease() {
    return new CvmfsRoots.Lease() {
      @Override
      public Path root() {
        return repository;
      }

      @Override
      public long revision() {
        return 1;
      }

      @Override
      public boolean isAlive() {
        return true;
      }

      @Override
      public void close() {}
    };
  }

  private byte[] diff(ThinCommits commits, String id, String parent) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    commits.diff(layers, name -> lease(), new LayerId(id), new LayerId(parent), out);
    return out.toByteArray();
  }

  private byte[] diff(ThinCommits commits) {
    return diff(commits, CONTAINER, INIT);
  }

  private void assertThin(byte[] answer) throws IOException {
    Digest layer = Digest.sha256(layers.archive);
    try (TarArchiveInputStream tar = new TarArchiveInputStream(new ByteArrayInputStream(answer))) {
      assertThat(tar.getNextEntry().getName()).isEqualTo("thin.json");
      assertThat(ThinDescriptorJson.read(tar.readAllBytes()).layers())
          .singleElement()
          .satisfies(
              named -> {
                assertThat(named.digest()).contains(layer);
                assertThat(named.url().toString())
                    .isEqualTo(
                        "cvmfs://"
                            + REPOSITORY
                            + "/.layers/"
                            + layer.prefix()
                            + "/"
                            + layer.hex()
                            + "/layerfs");
              });
      assertThat(tar.getNextEntry()).isNull();
    }
  }

  private void assertNothingSpooled() throws IOException {
    try (Stream<Path> left = Files.list(folder.resolve("spool"))) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void answersWithTheDescriptorOfThePublishedLayer() throws IOException {
    byte[] answer = diff(commits());

    assertThin(answer);
    assertThat(gateway.uploads.get(Digest.sha256(layers.archive))).isEqualTo(layers.archive);
    assertNothingSpooled();
  }

  @Test
  void asksForNothingThatIsPublished() throws IOException {
    byte[] first = diff(commits());
    gateway.calls.clear();

    byte[] again = diff(commits());

    assertThat(again).isEqualTo(first);
    assertThat(gateway.calls).isEmpty();
  }

  @Test
  void distrustsALayerThatWasPublishedWithoutItsDiffId() throws IOException {
    Digest layer = Digest.sha256(layers.archive);
    Path published = repository.resolve(".layers").resolve(layer.prefix()).resolve(layer.hex());
    Files.createDirectories(published.resolve("layerfs"));
    gateway.pipeline = FakeGateway.Pipeline.SLEEPS;

    assertThatThrownBy(() -> diff(commits(Duration.ofSeconds(1), Duration.ofSeconds(2))))
        .isInstanceOf(LayersException.Unavailable.class);
    assertThat(gateway.keys).hasSize(1);
  }

  @Test
  void waitsForAPipelineThatIsSlow() throws Exception {
    gateway.pipeline = FakeGateway.Pipeline.SLEEPS;
    CompletableFuture<byte[]> answer = new CompletableFuture<>();
    ThinCommits commits = commits();
    Thread.ofPlatform().daemon().start(() -> answer.complete(diff(commits)));
    while (gateway.calls.stream().noneMatch(call -> call.endsWith("/events"))) {
      Thread.onSpinWait();
    }
    assertThat(answer).isNotDone();

    gateway.wake();

    assertThin(answer.get(60, TimeUnit.SECONDS));
  }

  @Test
  void saysWhatIsMissingWhenNothingIsPublishedInTimeAndGoesOnLater() throws IOException {
    gateway.pipeline = FakeGateway.Pipeline.SLEEPS;

    assertThatThrownBy(() -> diff(commits(Duration.ofSeconds(1), Duration.ofSeconds(1))))
        .isInstanceOf(LayersException.Unavailable.class)
        .hasMessageContaining("plugin.commit.deadline")
        .hasMessageContaining("see whether converters, publishers and Kafka run")
        .hasMessageContaining("it goes on where this stopped");
    assertNothingSpooled();

    gateway.wake();
    assertThin(diff(commits()));
    assertThat(new TreeSet<>(gateway.keys)).as("one request").hasSize(1);
  }

  @Test
  void tellsWhyAPublicationFailedAndAsksAnewTheNextTime() throws IOException {
    gateway.pipeline = FakeGateway.Pipeline.FAILS;
    // Each of these fails at once: known failures are passed over, up to a bound.
    assertThatThrownBy(() -> diff(commits()))
        .isInstanceOf(LayersException.Rejected.class)
        .hasMessageContaining("the layer cannot be read");
    int failed = gateway.keys.size();
    assertThat(new TreeSet<>(gateway.keys)).hasSize(failed);

    gateway.pipeline = FakeGateway.Pipeline.PUBLISHES;
    assertThin(diff(commits()));

    assertThat(gateway.keys.subList(failed, gateway.keys.size()))
        .startsWith(gateway.keys.getFirst())
        .doesNotHaveDuplicates();
  }

  @Test
  void givesUpAfterItsPatienceWithAGatewayThatCannot() throws IOException {
    gateway.status = 503;

    assertThatThrownBy(() -> diff(commits(Duration.ofSeconds(1), Duration.ofSeconds(60))))
        .isInstanceOf(LayersException.Unavailable.class)
        .hasMessageContaining("no such luck")
        .hasMessageContaining("Nothing is half done");
    gateway.status = 0;
    assertThin(diff(commits()));
  }

  @Test
  void saysAtOnceThatTheGatewayDoesNotWantIt() {
    gateway.status = 403;

    assertThatThrownBy(() -> diff(commits()))
        .isInstanceOf(LayersException.Rejected.class)
        .hasMessageContaining("no such luck")
        .hasMessageContaining("plugin.commit.repository");
    assertThat(gateway.calls).hasSize(1);
  }

  @Test
  void asksAgainForALayerThatWasPublishedAndRemoved() throws IOException {
    diff(commits());
    Digest layer = Digest.sha256(layers.archive);
    Path published = repository.resolve(".layers").resolve(layer.prefix()).resolve(layer.hex());
    Files.delete(published.resolve("diff-id"));
    Files.delete(published.resolve("layerfs"));
    Files.delete(published);

    assertThin(diff(commits()));

    assertThat(new TreeSet<>(gateway.keys)).hasSize(2);
  }

  @Test
  void refusesAnArchiveThatIsTooLong() throws IOException {
    assertThatThrownBy(
            () ->
                diff(
                    commits(Duration.ofSeconds(1), Duration.ofSeconds(60), Optional.empty(), 1000)))
        .isInstanceOf(LayersException.Exhausted.class)
        .hasMessageContaining("plugin.commit.size");
    assertThat(gateway.calls).isEmpty();
    assertNothingSpooled();
  }

  @Test
  void publishesNothingWhenNothingWasChanged() {
    layers.archive = new byte[1024];

    assertThat(diff(commits())).isEqualTo(layers.archive);
    assertThat(gateway.calls).isEmpty();
  }

  @Test
  void leavesImagesWithoutThinLayersAlone() {
    layers.add(IMAGE, null, Kind.REGULAR, State.APPLIED, NONE);
    layers.add(INIT, IMAGE, Kind.REGULAR, State.CREATED, NONE);
    layers.add(CONTAINER, INIT, Kind.REGULAR, State.CREATED, NONE);

    assertThat(diff(commits())).isEqualTo(layers.archive);
    assertThat(gateway.calls).isEmpty();
  }

  @Test
  void leavesLayersOfBuildKitAlone() {
    String step = "pjpf9kxhdf4bjhh9relcgl2t7";
    layers.add(step, IMAGE, Kind.REGULAR, State.CREATED, new TreeSet<>(Set.of(REPOSITORY)));

    assertThat(diff(commits(), step, IMAGE)).isEqualTo(layers.archive);
    assertThat(gateway.calls).isEmpty();
  }

  @Test
  void makesOrdinaryLayersWhereTheRepositoryIsNotClear() {
    thinImage(new TreeSet<>(Set.of("a.example.org", "b.example.org")));

    assertThat(diff(commits())).isEqualTo(layers.archive);
    assertThat(gateway.calls).isEmpty();
  }

  @Test
  void publishesInTheRepositoryThatIsSetEvenForAThinImageWithoutLayers() throws IOException {
    thinImage(new TreeSet<>());

    assertThin(
        diff(
            commits(
                Duration.ofSeconds(60),
                Duration.ofSeconds(120),
                Optional.of(REPOSITORY),
                1 << 20)));
  }

  @Test
  void saysThatItsDiskIsFullAndSucceedsOnceThereIsRoom() throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting a small disk needs root");
    Path spool = folder.resolve("spool");
    SmallDisk disk = SmallDisk.at(spool, 2 << 20);
    try {
      layers.archive = archive("x".repeat(1 << 19));
      disk.fill(64 << 10);
      ThinCommits commits = commits();

      assertThatThrownBy(() -> diff(commits))
          .isInstanceOf(LayersException.Exhausted.class)
          .hasMessageContaining("No space left")
          .hasMessageContaining(spool.toString());
      assertThat(gateway.calls).isEmpty();
      disk.free();
      assertNothingSpooled();
      assertThin(diff(commits));
    } finally {
      Mounts.detach(spool);
    }
  }

  @Test
  void removesWhatAKilledProcessLeft() throws IOException {
    Path left = Files.createDirectories(folder.resolve("spool")).resolve("commit-1.tar");
    Files.writeString(left, "half an archive");

    commits();

    assertThat(left).doesNotExist();
  }
}
