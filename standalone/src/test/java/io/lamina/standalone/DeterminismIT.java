package io.lamina.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.converter.ConverterSettings;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.reader.LocalRepositoryFiles;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.RepositoryReader;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageSource;
import io.lamina.image.ImageSources;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ImageFiles;
import io.lamina.image.testing.TarBuilder;
import io.lamina.image.testing.TestImage;
import io.lamina.settings.Settings;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.RequestFollower;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Same images, same order, same recorded times: the same root hash, whatever the keys, the clocks,
 * and the order in which layers are finished.
 */
class DeterminismIT {
  private static final RepositoryName REPOSITORY = new RepositoryName("same.lamina.test");
  private static final Instant CREATED = Instant.parse("2026-01-02T03:04:05Z");

  @TempDir Path folder;

  @Test
  void twoSitesEndOnTheSameRootHash() {
    List<TestImage> images =
        List.of(
            image("linux/amd64", "base", "tools", "app", "data"),
            image("linux/amd64", "base", "tools", "other"),
            ImageBuilder.index(
                image("linux/amd64", "base", "app"), image("linux/arm64", "base", "arm")),
            image("linux/amd64", "base"));
    for (int i = 0; i < images.size(); i++) {
      ImageFiles.writeOciLayout(folder.resolve("image" + i), Map.of("latest", images.get(i)));
    }

    Published first =
        publishAll(
            images, folder.resolve("one"), new Site(1, 1, Duration.ofSeconds(3), Order.asAsked()));
    Digest base = images.getFirst().layers().getFirst().blob().digest();
    Published second =
        publishAll(
            images,
            folder.resolve("two"),
            new Site(4, 3, Duration.ofHours(7), Order.withLast(base, 4)));

    assertThat(first.entries()).hasSizeGreaterThan(700).isEqualTo(second.entries());
    assertThat(first.finished()).hasSize(7);
    assertThat(first.finished().getFirst()).isEqualTo(base);
    assertThat(second.finished()).containsExactlyInAnyOrderElementsOf(first.finished());
    assertThat(second.finished().indexOf(base)).as("the bottom layer came last").isEqualTo(4);
    assertThat(first.revision()).as("one transaction for each image").isEqualTo(images.size());
    assertThat(second.revision()).isEqualTo(first.revision());
    assertThat(second.root()).isEqualTo(first.root());
  }

  /**
   * What one site has and the other has not.
   *
   * @param slots layers that it converts at once
   * @param threads that compress
   * @param delay between the acceptance of a request and whatever else looks at the clock
   */
  private record Site(int slots, int threads, Duration delay, Order order) {
    ConverterSettings converter() {
      return ConverterSettings.from(
          Settings.of(
              "the test",
              Map.of(
                  "converter.work.slots",
                  Integer.toString(slots),
                  "converter.threads",
                  Integer.toString(threads))));
    }
  }

  private record Published(
      ContentHash root, long revision, List<String> entries, List<Digest> finished) {}

  private Published publishAll(List<TestImage> images, Path data, Site site) {
    MovableClock clock = new MovableClock(CREATED);
    try (EmbeddedLamina lamina =
            EmbeddedLamina.start(
                EmbeddedSettings.usual(data, 0)
                    .withClock(clock)
                    .withRandom(new Random(site.slots()))
                    .withConverter(site.converter())
                    .withSources(site.order()::over));
        GatewayClient gateway = new GatewayClient(lamina.address(), Optional.empty())) {
      ObjectMapper json = new ObjectMapper();
      gateway.post(
          "/api/v1/repositories",
          json.createObjectNode().put("name", REPOSITORY.value()),
          Map.of());
      for (int i = 0; i < images.size(); i++) {
        clock.now = CREATED.plus(Duration.ofDays(1 + i));
        ObjectNode body = json.createObjectNode();
        body.put("image", "oci:" + folder.resolve("image" + i))
            .put("repository", REPOSITORY.value());
        platforms(images.get(i)).forEach(body.putArray("platforms")::add);
        JsonNode accepted = gateway.post("/api/v1/conversions", body, Map.of());
        clock.now = clock.now.plus(site.delay());
        JsonNode end =
            new RequestFollower(gateway)
                .follow(accepted.path("links").path("self").asText(), request -> {});
        assertThat(end.path("state").asText()).as(end.toString()).isEqualTo("done");
      }
      return published(lamina, clock, site.order().finished());
    }
  }

  private static Published published(EmbeddedLamina lamina, Clock clock, List<Digest> finished) {
    ReaderSettings settings =
        ReaderSettings.of(REPOSITORY, MasterKeys.load(lamina.publicKey(REPOSITORY)), clock);
    try (RepositoryFiles files = new LocalRepositoryFiles(lamina.repositoryFolder(REPOSITORY));
        RepositoryReader reader = RepositoryReader.open(files, settings)) {
      return new Published(
          reader.rootCatalog(), reader.manifest().revision(), entries(reader), finished);
    }
  }

  /** Every entry of the repository, with the names of its objects. */
  private static List<String> entries(RepositoryReader reader) {
    List<String> entries = new ArrayList<>();
    reader.walk(
        RepositoryPath.ROOT,
        stat -> {
          CatalogEntry entry = stat.entry();
          entries.add(
              "%s %o %d:%d %d %d %s %s %s"
                  .formatted(
                      stat.path(),
                      entry.mode(),
                      entry.uid(),
                      entry.gid(),
                      entry.sizeBytes(),
                      entry.mtimeSeconds(),
                      entry.hash(),
                      entry.chunks(),
                      new String(entry.symlinkTarget(), StandardCharsets.UTF_8)));
        });
    return entries;
  }

  private static List<String> platforms(TestImage image) {
    return (image.platforms().isEmpty() ? List.of(image) : image.platforms())
        .stream().map(each -> each.platform().toString()).toList();
  }

  /** Layers of the same name are the same. */
  private static TestImage image(String platform, String... layers) {
    ImageBuilder image = ImageBuilder.oci().platform(Platform.parse(platform));
    for (String layer : layers) {
      image.layer(TarBuilder.Compression.GZIP, tar -> files(tar, layer, layer.hashCode(), 100));
    }
    return image.layer(TarBuilder.Compression.PLAIN, tar -> tar.whiteout("base/file-7")).build();
  }

  private static void files(TarBuilder tar, String directory, long seed, int count) {
    Random random = new Random(seed);
    tar.directory(directory, 0755);
    for (int i = 0; i < count; i++) {
      byte[] content = new byte[random.nextInt(20_000)];
      random.nextBytes(content);
      tar.file(directory + "/file-" + i, 0644, content);
    }
  }

  private static final class MovableClock extends Clock {
    private volatile Instant now;

    MovableClock(Instant start) {
      now = start;
    }

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      throw new UnsupportedOperationException("only UTC");
    }
  }

  /**
   * Notes in which order blobs were read to their end, and can hold one back until others were.
   * Thread-safe.
   */
  private static final class Order {
    private static final long PATIENCE_SECONDS = 60;

    private final Optional<Digest> last;
    private final CountDownLatch others;
    private final CopyOnWriteArrayList<Digest> finished = new CopyOnWriteArrayList<>();

    private Order(Optional<Digest> last, int others) {
      this.last = last;
      this.others = new CountDownLatch(others);
    }

    static Order asAsked() {
      return new Order(Optional.empty(), 0);
    }

    static Order withLast(Digest blob, int others) {
      return new Order(Optional.of(blob), others);
    }

    List<Digest> finished() {
      return List.copyOf(finished);
    }

    ImageSources over(ImageSources usual) {
      return reference -> over(usual.open(reference));
    }

    private ImageSource over(ImageSource source) {
      return new ImageSource() {
        @Override
        public ResolvedImage resolve(Platform platform) {
          return source.resolve(platform);
        }

        @Override
        public InputStream openBlob(Descriptor blob) {
          awaitTurn(blob.digest());
          return new FilterInputStream(source.openBlob(blob)) {
            @Override
            public void close() throws IOException {
              super.close();
              if (finished.addIfAbsent(blob.digest())) {
                others.countDown();
              }
            }
          };
        }

        @Override
        public void close() {
          source.close();
        }
      };
    }

    private void awaitTurn(Digest blob) {
      try {
        if (last.equals(Optional.of(blob)) && !others.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
          throw new IllegalStateException("the other layers are not fetched");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted", e);
      }
    }
  }
}
