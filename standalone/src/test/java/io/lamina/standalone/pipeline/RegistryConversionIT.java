package io.lamina.standalone.pipeline;

import static io.lamina.standalone.pipeline.TestRepository.assertDone;
import static io.lamina.standalone.pipeline.TestRepository.end;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.image.Digest;
import io.lamina.image.ImageReference;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.image.registry.HostSettings;
import io.lamina.image.registry.RegistrySettings;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ReferenceRegistry;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import io.lamina.messaging.Topic;
import io.lamina.messaging.event.Event.LayerConverted;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.EmbeddedSettings;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.GatewayException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Images of the reference registry, from the request to the tree that clients read. */
@SuppressWarnings("NullAway.Init")
@Timeout(180)
class RegistryConversionIT {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path folder;

  private static ReferenceRegistry registry;
  private static ReferenceRegistry closed;
  private static BlobProxy proxy;
  private static EmbeddedLamina lamina;
  private static GatewayClient gateway;

  @BeforeAll
  static void start() throws IOException {
    ReferenceRegistry.assumeInstalled();
    registry = ReferenceRegistry.start(Files.createDirectory(folder.resolve("open")));
    closed = ReferenceRegistry.basicAuth(Files.createDirectory(folder.resolve("closed")));
    proxy = new BlobProxy(registry.host());
    lamina =
        EmbeddedLamina.start(
            EmbeddedSettings.usual(folder.resolve("data"), 0)
                .withRegistries(registries(proxy.host())));
    gateway = new GatewayClient(lamina.address(), Optional.empty());
  }

  /** Docker Hub by a mirror, and the password for the registry that wants one. */
  private static RegistrySettings registries(String mirror) throws IOException {
    String login =
        Base64.getEncoder()
            .encodeToString(
                (ReferenceRegistry.USER + ":" + ReferenceRegistry.PASSWORD)
                    .getBytes(StandardCharsets.UTF_8));
    ObjectNode config = JSON.createObjectNode();
    config.putObject("auths").putObject(closed.host()).put("auth", login);
    Path file = folder.resolve("config.json");
    Files.write(file, JSON.writeValueAsBytes(config));
    return RegistrySettings.DEFAULT
        .withCredentials(file, List.of())
        .withHost(
            "docker.io",
            new HostSettings(
                false, Optional.empty(), List.of("http://" + mirror), Optional.empty()));
  }

  @AfterAll
  static void stop() {
    for (AutoCloseable part : new AutoCloseable[] {gateway, lamina, proxy, closed, registry}) {
      if (part != null) {
        try {
          part.close();
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
      }
    }
  }

  @Test
  void fetchesAndConvertsEachLayerOnceForImagesAskedForAtOnce() throws Exception {
    Map<String, TestImage> images = new LinkedHashMap<>();
    images.put(
        "library/base:12",
        ImageBuilder.docker().layer(Compression.GZIP, SampleImages.base("os")).build());
    for (String name : List.of("web", "api", "batch")) {
      images.put(
          "team/" + name + ":1",
          SampleImages.image(ImageBuilder.docker(), "os", "common", name).build());
    }
    images.put(
        "team/mixed:2",
        ImageBuilder.oci()
            .layer(Compression.GZIP, SampleImages.base("os"))
            .layer(Compression.ZSTD, SampleImages.part("zstd", 80))
            .layer(Compression.PLAIN, SampleImages.part("plain", 40))
            .build());
    images.put("other/mixed:3", images.get("team/mixed:2"));
    TestImage multi =
        ImageBuilder.index(
            SampleImages.image(ImageBuilder.oci(), "os", "common", "multi").build(),
            SampleImages.image(
                    ImageBuilder.oci().platform(Platform.parse("linux/arm64")),
                    "os-arm",
                    "data",
                    "multi-arm")
                .build());
    images.put("team/multi:1", multi);
    images.forEach((name, image) -> registry.push(name.split(":")[0], name.split(":")[1], image));

    TestRepository repository = new TestRepository("shared.lamina.test");
    repository.create(gateway);
    List<JsonNode> accepted = atOnce(repository, images.keySet());
    for (JsonNode request : accepted) {
      assertDone(end(gateway, request));
    }

    Set<Digest> layers = layers(images.values());
    assertThat(layers).hasSize(16);
    Map<Digest, Integer> fetched = proxy.fetched();
    assertThat(layers.stream().map(layer -> fetched.getOrDefault(layer, 0)))
        .as("fetched once")
        .containsOnly(1);
    assertThat(converted(repository))
        .as("converted once")
        .containsExactlyInAnyOrderElementsOf(layers);
    PublishedJournal journal = PublishedJournal.read(lamina.kafka(), repository.name());
    journal.assertNothingPublishedTwice();
    journal.assertEachOnce(accepted.stream().map(r -> r.path("id").asText()).toList());
    assertThat(journal.grafts())
        .filteredOn(path -> path.startsWith("/.layers/"))
        .containsExactlyInAnyOrderElementsOf(
            layers.stream()
                .map(d -> "/.layers/" + d.prefix() + "/" + d.hex() + "/layerfs")
                .toList());

    TestRepository.Place place = served(repository);
    journal.assertUnbrokenUpTo(repository.read(place, reader -> reader.manifest()));
    repository.assertIntact(place);
    images.forEach((name, image) -> assertShows(repository, place, name, image));
  }

  @Test
  void asksForNothingAgainWhenAnImageIsThere() throws Exception {
    TestImage image = SampleImages.image(ImageBuilder.oci(), "again", "tools", "again").build();
    registry.push("team/again", "1", image);
    TestRepository repository = new TestRepository("again.lamina.test");
    repository.create(gateway);
    JsonNode first = end(gateway, repository.convert(gateway, proxy.host() + "/team/again:1"));
    assertDone(first);
    Map<Digest, Integer> fetched = proxy.fetched();
    List<Digest> converted = converted(repository);

    JsonNode second = end(gateway, repository.convert(gateway, proxy.host() + "/team/again:1"));

    assertDone(second);
    assertThat(second.path("revision")).isEqualTo(first.path("revision"));
    assertThat(proxy.fetched()).isEqualTo(fetched);
    assertThat(converted(repository)).isEqualTo(converted).hasSize(image.layers().size());
    assertThat(PublishedJournal.read(lamina.kafka(), repository.name()).transactions()).hasSize(1);
  }

  @Test
  void pushesAThinImageThatNamesThePublishedLayers() throws Exception {
    TestImage image = SampleImages.image(ImageBuilder.docker(), "thin", "tools", "thin").build();
    registry.push("team/thick", "1", image);
    TestRepository repository = new TestRepository("thin.lamina.test");
    repository.create(gateway);
    String origin = proxy.host() + "/team/thick:1";

    JsonNode end =
        end(
            gateway,
            repository.convert(
                gateway, origin, body -> body.put("thin", registry.host() + "/thin/thick:1")));

    assertDone(end);
    JsonNode manifest = JSON.readTree(registry.manifest("thin/thick", "1"));
    assertThat(manifest.path("mediaType").asText())
        .isEqualTo("application/vnd.docker.distribution.manifest.v2+json");
    assertThat(manifest.path("layers")).hasSize(1);
    JsonNode config = JSON.readTree(blob("thin/thick", manifest.path("config")));
    byte[] layer = blob("thin/thick", manifest.path("layers").path(0));
    byte[] tar = new GZIPInputStream(new ByteArrayInputStream(layer)).readAllBytes();
    JsonNode thin = onlyFile(tar, "thin.json");

    JsonNode original = JSON.readTree(image.configBytes());
    assertThat(config.path("config")).isEqualTo(original.path("config"));
    assertThat(config.path("config").path("Labels").path("quoted").asText())
        .isEqualTo("\"a\" & <b>");
    for (String field : List.of("architecture", "os", "created")) {
      assertThat(config.path(field)).as(field).isEqualTo(original.path(field));
    }
    assertThat(config.path("rootfs").path("diff_ids")).hasSize(1);
    assertThat(config.path("rootfs").path("diff_ids").path(0).asText())
        .isEqualTo(Digest.sha256(tar).toString());
    assertThat(thin.path("version").asText()).isEqualTo("1.0");
    assertThat(thin.path("min_version").asText()).isEqualTo("1.0");
    assertThat(thin.path("origin").asText()).isEqualTo(ImageReference.parse(origin).canonical());
    List<String> digests = new ArrayList<>();
    List<String> urls = new ArrayList<>();
    for (JsonNode each : thin.path("layers")) {
      digests.add(each.path("digest").asText());
      urls.add(each.path("url").asText());
    }
    List<Digest> expected = image.layers().stream().map(l -> l.blob().digest()).toList();
    assertThat(digests).containsExactlyElementsOf(expected.stream().map(Digest::hex).toList());
    assertThat(urls)
        .containsExactlyElementsOf(
            expected.stream()
                .map(
                    d ->
                        "cvmfs://thin.lamina.test/.layers/"
                            + d.prefix()
                            + "/"
                            + d.hex()
                            + "/layerfs")
                .toList());
    TestRepository.Place place = served(repository);
    for (String url : urls) {
      String path = url.substring("cvmfs://thin.lamina.test".length());
      assertThat(repository.names(place, path)).isNotEmpty();
    }
    String published = "/.metadata/" + ImageReference.parse(origin).publicName() + "/thin.json";
    assertThat(JSON.readTree(repository.content(place, published))).isEqualTo(thin);
  }

  @Test
  void readsAndPushesWithTheCredentialsOfDockersConfig() throws Exception {
    TestImage image = ImageBuilder.oci().layer(Compression.GZIP, SampleImages.base("mine")).build();
    String login =
        Base64.getEncoder()
            .encodeToString(
                (ReferenceRegistry.USER + ":" + ReferenceRegistry.PASSWORD)
                    .getBytes(StandardCharsets.UTF_8));
    closed.push("private/app", "1", image, Map.of("Authorization", "Basic " + login));
    TestRepository repository = new TestRepository("private.lamina.test");
    repository.create(gateway);
    String reference = closed.host() + "/private/app:1";

    JsonNode end =
        end(
            gateway,
            repository.convert(
                gateway, reference, body -> body.put("thin", closed.host() + "/private/app:thin")));
    JsonNode stranger =
        end(gateway, repository.convert(gateway, "localhost:" + port(closed) + "/private/app:1"));

    assertDone(end);
    repository.assertShows(
        served(repository),
        registries(registry.host()),
        reference,
        Platform.LINUX_AMD64,
        reference);
    assertDone(end(gateway, repository.convert(gateway, reference)));
    assertThat(stranger.path("state").asText()).isEqualTo("failed");
    assertThat(stranger.path("detail").asText())
        .contains("localhost:" + port(closed) + "/private/app")
        .contains("credentials")
        .doesNotContain(ReferenceRegistry.PASSWORD);
    assertThat(gateway.fetch(TestRepository.self(end)).toString())
        .doesNotContain(ReferenceRegistry.PASSWORD)
        .doesNotContain(login);
  }

  @Test
  void saysWhyAnImageCannotBePublishedAndShowsNothingOfIt() throws Exception {
    TestImage whole = SampleImages.image(ImageBuilder.oci(), "whole", "tools", "whole").build();
    TestImage torn =
        ImageBuilder.oci()
            .layer(Compression.GZIP, SampleImages.base("whole"))
            .layer(Compression.GZIP, SampleImages.part("torn", 30))
            .build();
    TestImage lying =
        ImageBuilder.oci()
            .layer(Compression.GZIP, SampleImages.base("whole"))
            .layer(Compression.GZIP, SampleImages.part("lying", 30))
            .wholeConfig(
                config ->
                    config
                        .withObject("/rootfs")
                        .withArray("diff_ids")
                        .set(1, Digest.sha256(new byte[] {1}).toString()))
            .build();
    TestImage escaping =
        ImageBuilder.oci()
            .layer(Compression.GZIP, tar -> tar.file("etc/../../../tmp/escaped", 0644, "x"))
            .build();
    registry.push("broken/torn", "1", torn);
    registry.push("broken/lying", "1", lying);
    registry.push("broken/escaping", "1", escaping);
    registry.push("broken/whole", "1", whole);
    tear(torn.layers().getLast());
    TestRepository repository = new TestRepository("broken.lamina.test");
    repository.create(gateway);

    Map<String, String> reasons =
        Map.of(
            "broken/missing:1", "broken/missing",
            "broken/whole:2", "404",
            "broken/torn:1", torn.layers().getLast().blob().digest().toString(),
            "broken/lying:1", "but the image's config says",
            "broken/escaping:1", "etc/../../../tmp/escaped");
    Map<String, JsonNode> accepted = new LinkedHashMap<>();
    reasons
        .keySet()
        .forEach(
            name -> accepted.put(name, repository.convert(gateway, proxy.host() + "/" + name)));
    JsonNode otherPlatform =
        repository.convert(
            gateway,
            proxy.host() + "/broken/whole:1",
            body -> body.putArray("platforms").add("linux/s390x"));
    for (Map.Entry<String, JsonNode> request : accepted.entrySet()) {
      JsonNode end = end(gateway, request.getValue());
      assertThat(end.path("state").asText()).as(end.toString()).isEqualTo("failed");
      assertThat(end.path("detail").asText()).contains(reasons.get(request.getKey()));
    }
    JsonNode end = end(gateway, otherPlatform);
    assertThat(end.path("state").asText()).as(end.toString()).isEqualTo("failed");
    assertThat(end.path("detail").asText()).contains("linux/s390x").contains("linux/amd64");

    TestRepository.Place place = served(repository);
    assertThat(repository.<Long>read(place, reader -> reader.manifest().revision())).isZero();
    assertThat(PublishedJournal.read(lamina.kafka(), repository.name()).transactions()).isEmpty();
    repository.assertIntact(place);
    assertDone(end(gateway, repository.convert(gateway, proxy.host() + "/broken/whole:1")));
    repository.assertShows(place, proxy.host() + "/broken/whole:1");
    assertThat(repository.names(place, "/" + proxy.host() + "/broken")).containsExactly("whole:1");
  }

  @Test
  void cancelsARequestWhoseLayerIsBeingFetched() throws Exception {
    TestImage image =
        ImageBuilder.oci()
            .layer(Compression.GZIP, SampleImages.base("slow"))
            .layer(Compression.GZIP, SampleImages.part("slow", 20))
            .build();
    registry.push("team/slow", "1", image);
    TestRepository repository = new TestRepository("cancel.lamina.test");
    repository.create(gateway);
    BlobProxy.Held held = proxy.hold(image.layers().getFirst().blob().digest());
    String reference = proxy.host() + "/team/slow:1";

    JsonNode accepted = repository.convert(gateway, reference);
    held.awaitAsked();
    gateway.delete(TestRepository.self(accepted));
    JsonNode end = end(gateway, accepted);

    assertThat(end.path("state").asText()).as(end.toString()).isEqualTo("cancelled");
    assertThatThrownBy(() -> gateway.delete(TestRepository.self(accepted)))
        .isInstanceOfSatisfying(GatewayException.class, e -> assertThat(e.status()).isEqualTo(409));
    held.release();
    TestRepository.Place place = served(repository);
    assertThat(PublishedJournal.read(lamina.kafka(), repository.name()).transactions()).isEmpty();
    assertThatThrownBy(() -> repository.names(place, "/" + reference))
        .isInstanceOf(CvmfsException.NotFound.class);

    assertDone(end(gateway, repository.convert(gateway, reference)));
    repository.assertShows(place, reference);
    repository.assertIntact(place);
    assertThat(gateway.fetch(TestRepository.self(accepted)).path("state").asText())
        .isEqualTo("cancelled");
  }

  // ---- what was asked for -------------------------------------------------------------------

  private static List<JsonNode> atOnce(TestRepository repository, Iterable<String> names)
      throws Exception {
    List<Future<JsonNode>> asked = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (String name : names) {
        Consumer<ObjectNode> platforms =
            name.contains("multi")
                ? body -> body.putArray("platforms").add("linux/amd64").add("linux/arm64")
                : body -> {};
        asked.add(threads.submit(() -> repository.convert(gateway, reference(name), platforms)));
      }
    }
    List<JsonNode> accepted = new ArrayList<>();
    for (Future<JsonNode> each : asked) {
      accepted.add(each.get());
    }
    return accepted;
  }

  /** What is Docker Hub's is named as people name it. */
  private static String reference(String name) {
    return name.startsWith("library/")
        ? name.substring("library/".length())
        : proxy.host() + "/" + name;
  }

  private static void assertShows(
      TestRepository repository, TestRepository.Place place, String name, TestImage image) {
    RegistrySettings direct;
    try {
      direct = registries(registry.host());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String published = ImageReference.parse(reference(name)).publicName();
    String source = name.startsWith("library/") ? reference(name) : registry.host() + "/" + name;
    repository.assertShows(place, direct, source, Platform.LINUX_AMD64, published);
    for (TestImage each : image.platforms()) {
      repository.assertShows(
          place,
          direct,
          source,
          each.platform(),
          "/.multiarch/" + each.platform().architecture() + "/" + published);
    }
  }

  // ---- what was counted ---------------------------------------------------------------------

  private static Set<Digest> layers(Iterable<TestImage> images) {
    Set<Digest> layers = new LinkedHashSet<>();
    for (TestImage image : images) {
      image.layers().forEach(layer -> layers.add(layer.blob().digest()));
      layers.addAll(layers(image.platforms()));
    }
    return layers;
  }

  /** Layers that a converter has finished for the repository. */
  private static List<Digest> converted(TestRepository repository) throws Exception {
    return PublishedJournal.said(
            lamina.kafka(), Topic.REPOSITORY, repository.name(), LayerConverted.class)
        .stream()
        .map(event -> event.layer().blob().digest())
        .toList();
  }

  // ---- what came of it ----------------------------------------------------------------------

  /** As a client finds it: by HTTP, at the gateway. */
  private static TestRepository.Place served(TestRepository repository) {
    return new TestRepository.Place(
        lamina.address() + "/cvmfs/" + repository.name(), lamina.publicKey(repository.name()));
  }

  private static byte[] blob(String name, JsonNode descriptor) throws Exception {
    Digest digest = Digest.parse(descriptor.path("digest").asText());
    try (HttpClient client = HttpClient.newHttpClient()) {
      byte[] bytes =
          client
              .send(
                  HttpRequest.newBuilder(
                          URI.create(
                              "http://" + registry.host() + "/v2/" + name + "/blobs/" + digest))
                      .build(),
                  HttpResponse.BodyHandlers.ofByteArray())
              .body();
      assertThat(Digest.sha256(bytes)).isEqualTo(digest);
      assertThat(bytes.length).isEqualTo(descriptor.path("size").asInt());
      return bytes;
    }
  }

  private static JsonNode onlyFile(byte[] tar, String name) throws IOException {
    try (TarArchiveInputStream in = new TarArchiveInputStream(new ByteArrayInputStream(tar))) {
      TarArchiveEntry entry = in.getNextEntry();
      assertThat(entry.getName()).isEqualTo(name);
      JsonNode json = JSON.readTree(in.readAllBytes());
      assertThat(in.getNextEntry()).isNull();
      return json;
    }
  }

  private static int port(ReferenceRegistry of) {
    return Integer.parseInt(of.host().substring(of.host().indexOf(':') + 1));
  }

  /** Changes a byte of the blob where the registry keeps it. */
  private static void tear(LayerDescriptor layer) throws IOException {
    String hex = layer.blob().digest().hex();
    Path file =
        folder.resolve(
            "open/data/docker/registry/v2/blobs/sha256/"
                + hex.substring(0, 2)
                + "/"
                + hex
                + "/data");
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
  }
}
