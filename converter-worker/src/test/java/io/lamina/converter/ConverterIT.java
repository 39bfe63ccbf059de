package io.lamina.converter;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.converter.layer.PipelineSettings;
import io.lamina.converter.plan.Admission;
import io.lamina.converter.plan.PlannerSettings;
import io.lamina.converter.work.WorkSettings;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ImageFiles;
import io.lamina.image.testing.ReferenceRegistry;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import io.lamina.messaging.Topic;
import io.lamina.messaging.event.Event.CancelRequested;
import io.lamina.messaging.event.Event.ConversionRequested;
import io.lamina.messaging.event.Event.ImagePlanned;
import io.lamina.messaging.event.Event.LayerConverted;
import io.lamina.messaging.event.Event.LayerRequested;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Event.ThinPushed;
import io.lamina.messaging.event.Event.ThinRequested;
import io.lamina.messaging.event.Event.WorkFailed;
import io.lamina.messaging.event.Event.WorkProgress;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import io.lamina.storage.Content;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.UploadArea;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The process as it runs: a broker, a data folder, and images in a registry and in folders. */
@Timeout(180)
@SuppressWarnings("NullAway.Init")
class ConverterIT {
  private static final Instant ACCEPTED = Instant.parse("2026-01-02T03:04:05Z");
  private static final long TIMESTAMP = 1_767_000_000L;

  @TempDir static Path folder;
  private static Cluster cluster;
  private static DataFolder data;
  private static Converters converter;

  @BeforeAll
  static void start() {
    cluster = new Cluster(folder.resolve("kafka"));
    data = DataFolder.create(folder.resolve("data"));
    converter = new Converters(cluster.kafka("converter"), data.stores(), folder, settings());
  }

  @AfterAll
  static void stop() {
    converter.close();
    data.close();
    cluster.close();
  }

  static ConverterSettings settings() {
    return settings(2);
  }

  static ConverterSettings settings(int deliveries) {
    Backoff quick = new Backoff(2, Duration.ofMillis(20), Duration.ofMillis(200));
    PlannerSettings planner = PlannerSettings.DEFAULT;
    return new ConverterSettings(
        Optional.empty(),
        new PlannerSettings(
            planner.concurrent(),
            planner.perRegistry(),
            planner.platformsAtOnce(),
            Duration.ofSeconds(20),
            quick,
            2,
            planner.maxLayers(),
            planner.cacheFor(),
            planner.cacheBytes()),
        Admission.OPEN,
        16,
        new WorkSettings(2, 1, quick, 2, Duration.ofMillis(100)),
        PipelineSettings.byDefault(),
        LayerLimits.DEFAULT,
        deliveries,
        Duration.ofMillis(500),
        Duration.ofSeconds(5));
  }

  private static String layout(String name, TestImage image) {
    Path layout = folder.resolve(name);
    ImageFiles.writeOciLayout(layout, Map.of("v1", image));
    return "oci:" + layout + ":v1";
  }

  private static RequestId request(String image, Platform... platforms) {
    RequestId id = new RequestId("r" + Integer.toHexString(image.hashCode()));
    cluster.say(
        new ConversionRequested(
            id, DataFolder.NAME, image, List.of(platforms), Optional.empty(), ACCEPTED));
    return id;
  }

  private static TestImage image(Platform platform, String content) {
    return ImageBuilder.oci()
        .platform(platform)
        .layer(Compression.GZIP, tar -> tar.directory("etc", 0755).file("etc/motd", 0644, content))
        .layer(Compression.ZSTD, tar -> tar.file("etc/" + content, 0644, "more"))
        .config(config -> config.putArray("Cmd").add("/bin/sh"))
        .build();
  }

  private static RequestStatus finalOrPlanned(RequestId id) throws InterruptedException {
    return cluster.await(RequestStatus.class, status -> status.request().equals(id));
  }

  @Test
  void plansAnImageOfARegistryForTwoPlatforms() throws Exception {
    ReferenceRegistry.assumeInstalled();
    Path storage = Files.createDirectories(folder.resolve("registry"));
    try (ReferenceRegistry registry = ReferenceRegistry.start(storage)) {
      Platform arm64 = Platform.parse("linux/arm64");
      TestImage amd = image(Platform.LINUX_AMD64, "amd");
      TestImage arm = image(arm64, "arm");
      registry.push("team/app", "v1", ImageBuilder.index(amd, arm));
      String name = registry.host() + "/team/app:v1";

      RequestId id = request("docker://" + name, Platform.LINUX_AMD64, arm64);

      RequestStatus status = finalOrPlanned(id);
      assertThat(status.detail()).isEmpty();
      assertThat(status.state()).isEqualTo(RequestStatus.State.PLANNED);
      ImagePlanned planned = cluster.await(ImagePlanned.class, p -> p.request().equals(id));
      assertThat(planned.publicName()).isEqualTo(name);
      assertThat(planned.platforms())
          .extracting(PlannedPlatform::imageId)
          .containsExactly(amd.configDigest(), arm.configDigest());
      assertThat(planned.platforms().getFirst().layers()).isEqualTo(amd.layers());
      ObjectStore store = data.store();
      assertThat(StoredFiles.read(store, planned.platforms().get(1).manifest(), 1 << 20))
          .isEqualTo(arm.manifestBytes());
      assertThat(StoredFiles.read(store, planned.platforms().get(1).config(), 1 << 20))
          .isEqualTo(arm.configBytes());
      assertThat(cluster.on(Topic.REPOSITORY))
          .filteredOn(r -> r.event().equals(Optional.of(planned)))
          .extracting(r -> r.traceParent())
          .containsOnly(Optional.of("00-0123456789abcdef-01"));
    }
  }

  @Test
  void saysWhyAnImageCannotBePlanned() throws Exception {
    RequestStatus status =
        finalOrPlanned(request("oci:" + folder.resolve("nowhere") + ":v1", Platform.LINUX_AMD64));

    assertThat(status.state()).isEqualTo(RequestStatus.State.FAILED);
    assertThat(status.detail().orElseThrow()).contains("nowhere");
  }

  @Test
  void namesTheKnownRepositoriesWhenOneIsUnknown() throws Exception {
    RequestId id = new RequestId("unknown-repository");
    cluster.say(
        new ConversionRequested(
            id,
            new RepositoryName("other.example.org"),
            "docker://hub.example.org/app:1",
            List.of(Platform.LINUX_AMD64),
            Optional.empty(),
            ACCEPTED));

    RequestStatus status = finalOrPlanned(id);

    assertThat(status.state()).isEqualTo(RequestStatus.State.FAILED);
    assertThat(status.detail().orElseThrow())
        .contains("other.example.org", "known: " + DataFolder.NAME);
  }

  @Test
  void setsARecordAsideThatIsNoRequestAndGoesOn() throws Exception {
    CancelRequested stray = new CancelRequested(new RequestId("stray"), DataFolder.NAME);
    cluster.sayOn(Topic.CONVERSIONS, "stray", stray);

    Waiting.until(
        "the dead letter",
        () ->
            cluster.on(Topic.DEAD_LETTERS).stream()
                .anyMatch(r -> r.event().equals(Optional.of(stray))));
    RequestId id =
        request(layout("after-stray", image(Platform.LINUX_AMD64, "s")), Platform.LINUX_AMD64);
    assertThat(finalOrPlanned(id).state()).isEqualTo(RequestStatus.State.PLANNED);
  }

  @Test
  void convertsALayerTwiceToTheSameGraft() throws Exception {
    byte[] noise = new byte[2_000_000];
    new Random(5).nextBytes(noise);
    TestImage image =
        ImageBuilder.oci()
            .layer(
                Compression.GZIP, tar -> tar.directory("opt", 0755).file("opt/noise", 0600, noise))
            .build();
    LayerRequested work =
        new LayerRequested(
            DataFolder.NAME, image.layers().getFirst(), layout("twice", image), TIMESTAMP);

    cluster.say(work);
    cluster.say(work);

    Waiting.until("two results", () -> results(work).size() == 2);
    List<LayerConverted> results = results(work);
    assertThat(results.get(0).graft()).isEqualTo(results.get(1).graft());
    assertThat(results.get(0).figures().unpackedBytes()).isGreaterThan(2_000_000);
    assertThat(
            data.store()
                .head(
                    new io.lamina.storage.ObjectKey(
                        io.lamina.cvmfs.ObjectKind.CATALOG.pathOf(
                            results.get(0).graft().catalog()))))
        .isPresent();
    List<WorkProgress> progress =
        cluster.all(WorkProgress.class, p -> p.work().equals(work.work()));
    assertThat(progress).isNotEmpty();
    WorkProgress last = progress.getLast();
    assertThat(last.doneBytes()).isEqualTo(last.totalBytes());
  }

  private static List<LayerConverted> results(LayerRequested work) {
    return cluster.all(LayerConverted.class, r -> r.layer().equals(work.layer()));
  }

  @Test
  void convertsALayerThatANodeHasUploaded() throws Exception {
    TestImage image =
        ImageBuilder.oci()
            .layer(Compression.GZIP, tar -> tar.file("committed", 0644, "by a node"))
            .build();
    LayerDescriptor layer = image.layers().getFirst();
    Digest digest = layer.blob().digest();
    data.store().putIfAbsent(UploadArea.keyOf(digest.hex()), Content.of(image.blob(digest)));

    LayerRequested work = new LayerRequested(DataFolder.NAME, layer, "upload:", TIMESTAMP);
    cluster.say(work);

    assertThat(
            cluster
                .await(LayerConverted.class, r -> r.layer().equals(layer))
                .graft()
                .path()
                .toString())
        .isEqualTo("/.layers/" + digest.prefix() + "/" + digest.hex() + "/layerfs");
  }

  @Test
  void saysWhyALayerIsCorruptAndKeepsItAsADeadLetter() throws Exception {
    TestImage image = image(Platform.LINUX_AMD64, "corrupt");
    String reference = layout("corrupt", image);
    LayerDescriptor layer = image.layers().getFirst();
    Path blob = folder.resolve("corrupt/blobs/sha256/" + layer.blob().digest().hex());
    byte[] bytes = Files.readAllBytes(blob);
    bytes[bytes.length / 2] ^= 1;
    Files.write(blob, bytes);

    LayerRequested work = new LayerRequested(DataFolder.NAME, layer, reference, TIMESTAMP);
    cluster.say(work);

    WorkFailed failed = cluster.await(WorkFailed.class, f -> f.work().equals(work.work()));
    assertThat(failed.reason()).contains("gave up after 2 tries", layer.blob().digest().toString());
    Waiting.until(
        "the dead letter",
        () ->
            cluster.on(Topic.DEAD_LETTERS).stream()
                .anyMatch(r -> r.event().equals(Optional.of(work))));
    assertThat(results(work)).isEmpty();
  }

  @Test
  void saysWhyAHostileLayerIsRefusedWithoutADeadLetter() throws Exception {
    TestImage image =
        ImageBuilder.oci()
            .layer(
                Compression.GZIP, tar -> tar.file("file", 0644, "x").file("file/below", 0644, "y"))
            .build();
    LayerRequested work =
        new LayerRequested(
            DataFolder.NAME, image.layers().getFirst(), layout("hostile", image), TIMESTAMP);

    cluster.say(work);

    WorkFailed failed = cluster.await(WorkFailed.class, f -> f.work().equals(work.work()));
    assertThat(failed.reason()).contains("file/below");
    assertThat(cluster.on(Topic.DEAD_LETTERS)).noneMatch(r -> r.event().equals(Optional.of(work)));
  }

  @Test
  void triesALayerThatIsAwayAgainAndSaysSoInTheEnd() throws Exception {
    TestImage image = image(Platform.LINUX_AMD64, "away");
    LayerRequested work =
        new LayerRequested(
            DataFolder.NAME,
            image.layers().getFirst(),
            "docker://127.0.0.1:1/team/app:v1",
            TIMESTAMP);

    cluster.say(work);

    WorkFailed failed = cluster.await(WorkFailed.class, f -> f.work().equals(work.work()));
    assertThat(failed.reason()).contains("127.0.0.1:1");
    assertThat(cluster.all(WorkFailed.class, f -> f.work().equals(work.work()))).hasSize(1);
  }

  @Test
  void pushesAThinImageWithTheOriginalsConfig() throws Exception {
    ReferenceRegistry.assumeInstalled();
    Path storage = Files.createDirectories(folder.resolve("thin-registry"));
    try (ReferenceRegistry registry = ReferenceRegistry.start(storage)) {
      TestImage image = image(Platform.LINUX_AMD64, "thin");
      RequestId id = request(layout("thin", image), Platform.LINUX_AMD64);
      ImagePlanned planned = cluster.await(ImagePlanned.class, p -> p.request().equals(id));

      cluster.say(
          new ThinRequested(
              DataFolder.NAME,
              id,
              planned.image(),
              "docker://" + registry.host() + "/thin/app:v1",
              planned.platforms().getFirst().config(),
              image.layers().stream().map(layer -> layer.blob().digest()).toList()));

      ThinPushed pushed = cluster.await(ThinPushed.class, p -> p.request().equals(id));
      assertThat(Digest.sha256(registry.manifest("thin/app", "v1"))).isEqualTo(pushed.manifest());
    }
  }

  @Test
  void refusesToPushAThinImageIntoAFolder() throws Exception {
    TestImage image = image(Platform.LINUX_AMD64, "folder");
    RequestId id = request(layout("thin-folder", image), Platform.LINUX_AMD64);
    ImagePlanned planned = cluster.await(ImagePlanned.class, p -> p.request().equals(id));

    cluster.say(
        new ThinRequested(
            DataFolder.NAME,
            id,
            planned.image(),
            "oci:/tmp/elsewhere:v1",
            planned.platforms().getFirst().config(),
            List.of()));

    WorkKey work = new WorkKey(WorkKey.Kind.THIN, id.value());
    assertThat(cluster.await(WorkFailed.class, f -> f.work().equals(work)).reason())
        .contains("can only be pushed to a registry");
  }

  @Test
  void storesManifestsUnderTheSameHashAsAnyOtherConverter() throws Exception {
    TestImage image =
        ImageBuilder.oci().layer(Compression.PLAIN, tar -> tar.file("a", 0644, "b")).build();
    RequestId id = request(layout("same-hash", image), Platform.LINUX_AMD64);

    ImagePlanned planned = cluster.await(ImagePlanned.class, p -> p.request().equals(id));

    assertThat(planned.platforms().getFirst().manifest().object())
        .isEqualTo(
            new io.lamina.cvmfs.compression.Compression(
                    io.lamina.cvmfs.compression.Compression.Engine.JDK, 6)
                .newCompressor()
                .compress(image.manifestBytes(), HashAlgorithm.SHA1)
                .hash());
  }
}
