package io.lamina.standalone.pipeline;

import static io.lamina.standalone.pipeline.TestRepository.assertDone;
import static io.lamina.standalone.pipeline.TestRepository.end;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.ContentHash;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ImageFiles;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.command.LaminaCommand;
import io.lamina.storage.testing.S3Service;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A repository in a bucket: created by the command, filled through a gateway, read by clients. */
@SuppressWarnings("NullAway.Init")
@Timeout(180)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class S3RepositoryIT {
  @RegisterExtension static final S3Service S3 = new S3Service();

  private static final String NAME = "bucket.lamina.test";
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path folder;

  private static String location;
  private static EmbeddedLamina lamina;
  private static GatewayClient gateway;
  private static HttpClient http;

  private final TestRepository repository = new TestRepository(NAME);

  @BeforeAll
  static void createRepositoryAndStart() throws IOException {
    S3.makeBucket("images");
    location = S3.location("images", "site/" + NAME, folder.resolve("credentials"));
    lamina = EmbeddedLamina.start(folder.resolve("data"), 0);
    gateway = new GatewayClient(lamina.address(), Optional.empty());
    http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    assertThat(
            LaminaCommand.run(
                "repo",
                "create",
                NAME,
                "--storage",
                location,
                "--data",
                folder.resolve("data").toString()))
        .isZero();
  }

  @AfterAll
  static void stop() {
    http.close();
    gateway.close();
    lamina.close();
  }

  @Test
  @Order(1)
  void publishesImagesAndUploadsIntoTheBucket() throws Exception {
    Map<String, TestImage> images =
        Map.of(
            "one", SampleImages.image(ImageBuilder.oci(), "s3", "shared", "one").build(),
            "two", SampleImages.image(ImageBuilder.docker(), "s3", "shared", "two").build());
    Map<String, JsonNode> accepted = new HashMap<>();
    images.forEach(
        (name, image) -> {
          ImageFiles.writeOciLayout(folder.resolve(name), Map.of("1", image));
          accepted.put(name, repository.convert(gateway, "oci:" + folder.resolve(name) + ":1"));
        });
    LayerDescriptor layer = committed().layers().getFirst();
    JsonNode commit = commit(layer);

    for (JsonNode request : accepted.values()) {
      assertDone(end(gateway, request));
    }
    assertDone(end(gateway, commit));

    TestRepository.Place place = served();
    images
        .keySet()
        .forEach(name -> repository.assertShows(place, "oci:" + folder.resolve(name) + ":1"));
    Digest blob = layer.blob().digest();
    assertThat(
            repository.names(
                place, "/.layers/" + blob.prefix() + "/" + blob.hex() + "/layerfs/opt/committed"))
        .hasSize(20);
    PublishedJournal journal = PublishedJournal.read(lamina.kafka(), repository.name());
    journal.assertUnbrokenUpTo(repository.read(place, reader -> reader.manifest()));
    journal.assertNothingPublishedTwice();
    assertThat(lamina.repositoryFolder(repository.name())).doesNotExist();
  }

  @Test
  @Order(2)
  void findsNoProblemInTheBucketNorThroughTheGateway() throws Exception {
    String key = lamina.publicKey(repository.name()).toString();

    assertThat(LaminaCommand.run("check", location, "--key", key)).isZero();
    assertThat(
            LaminaCommand.run(
                "check",
                lamina.address() + "/cvmfs/" + NAME,
                "--key",
                key,
                "--image",
                "oci:" + folder.resolve("one") + ":1"))
        .isZero();
    assertThat(LaminaCommand.run("check", location, "--key", key, "--name", "other.lamina.test"))
        .as("the name is checked")
        .isEqualTo(5);
  }

  @Test
  @Order(3)
  void servesTheBucketAsAStratum0() throws Exception {
    HttpResponse<byte[]> manifest = get(".cvmfspublished");

    assertThat(manifest.statusCode()).isEqualTo(200);
    assertThat(header(manifest, "Content-Type")).isEqualTo("application/x-cvmfs");
    assertThat(header(manifest, "Cache-Control")).isEqualTo("max-age=61");
    assertThat(header(manifest, "Content-Length"))
        .isEqualTo(Integer.toString(manifest.body().length));
    ContentHash root = repository.read(served(), reader -> reader.manifest()).rootCatalog();
    assertThat(new String(manifest.body(), java.nio.charset.StandardCharsets.ISO_8859_1))
        .contains("\nN" + NAME + "\n")
        .contains("C" + root);

    String catalog = "data/" + root.toString().substring(0, 2) + "/" + root.toString().substring(2);
    HttpResponse<byte[]> object = get(catalog + "C");
    assertThat(object.statusCode()).isEqualTo(200);
    assertThat(header(object, "Content-Type")).isEqualTo("application/octet-stream");
    assertThat(header(object, "Cache-Control")).isEqualTo("max-age=259200");
    assertThat(sha1(object.body())).isEqualTo(root.toString());

    HttpResponse<byte[]> head = send("HEAD", catalog + "C", Map.of());
    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.body()).isEmpty();
    for (String name : List.of("Content-Length", "Content-Type", "Cache-Control")) {
      assertThat(header(head, name)).isEqualTo(header(object, name));
    }
    HttpResponse<byte[]> range = send("GET", catalog + "C", Map.of("Range", "bytes=0-9"));
    assertThat(range.statusCode()).as("ranges are not offered").isEqualTo(200);
    assertThat(range.body()).isEqualTo(object.body());
    assertThat(send("POST", ".cvmfspublished", Map.of()).statusCode()).isEqualTo(405);
  }

  @Test
  @Order(4)
  void hidesWhatIsNotPartOfTheRepository() throws Exception {
    Digest blob = committed().layers().getFirst().blob().digest();
    for (String path :
        List.of(
            "data/00/00000000000000000000000000000000000000",
            "data/00/",
            "data",
            "",
            "lamina/transactions/x",
            "uploads/" + blob.hex(),
            "lamina/uploads/" + blob.hex(),
            "../" + NAME + "/.cvmfspublished",
            "%2e%2e/" + NAME + "/.cvmfspublished")) {
      HttpResponse<byte[]> answer = get(path);
      assertThat(answer.statusCode()).as(path).isEqualTo(404);
      assertThat(answer.body()).as(path).isEmpty();
    }
    assertThat(
            http.send(
                    HttpRequest.newBuilder(
                            lamina.address().resolve("/cvmfs/none.lamina.test/.cvmfspublished"))
                        .build(),
                    HttpResponse.BodyHandlers.ofByteArray())
                .statusCode())
        .isEqualTo(404);
  }

  @Test
  @Order(5)
  void goesOnInTheBucketAfterARestart() throws Exception {
    gateway.close();
    lamina.close();
    lamina = EmbeddedLamina.start(folder.resolve("data"), 0);
    gateway = new GatewayClient(lamina.address(), Optional.empty());
    TestImage third = SampleImages.image(ImageBuilder.oci(), "s3", "shared", "three").build();
    ImageFiles.writeOciLayout(folder.resolve("three"), Map.of("1", third));
    String reference = "oci:" + folder.resolve("three") + ":1";

    assertDone(end(gateway, repository.convert(gateway, reference)));

    repository.assertShows(served(), reference);
    assertThat(LaminaCommand.run("check", location, "--key", key())).isZero();
    PublishedJournal journal = PublishedJournal.read(lamina.kafka(), repository.name());
    journal.assertUnbrokenUpTo(repository.read(served(), reader -> reader.manifest()));
    journal.assertNothingPublishedTwice();
    try (Stream<Path> left = Files.walk(folder.resolve("data/uploads"))) {
      assertThat(left.filter(Files::isRegularFile)).isEmpty();
    }
  }

  @Test
  @Order(6)
  void saysThatTheStorageIsAwayAndGoesOnWhenItIsBack() throws Exception {
    TestImage fourth = SampleImages.image(ImageBuilder.oci(), "s3", "shared", "four").build();
    ImageFiles.writeOciLayout(folder.resolve("four"), Map.of("1", fourth));
    String reference = "oci:" + folder.resolve("four") + ":1";
    S3.goAway();

    JsonNode accepted = repository.convert(gateway, reference);
    HttpResponse<byte[]> answer = get(".cvmfspublished");

    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(header(answer, "Retry-After")).isNotEmpty();
    assertThat(header(answer, "Content-Type")).isEqualTo("application/problem+json");
    JsonNode problem = JSON.readTree(answer.body());
    assertThat(problem.path("type").asText()).isEqualTo("urn:lamina:problem:unavailable");
    assertThat(problem.toString()).doesNotContain(S3Service.SECRET_KEY);
    assertThat(LaminaCommand.run("check", location, "--key", key())).isEqualTo(5);
    JsonNode known = gateway.fetch("/api/v1/repositories/" + NAME);
    assertThat(known.path("storage").asText())
        .isEqualTo("s3:http://127.0.0.1:" + S3.port() + "/images/site/" + NAME);
    assertThat(known.path("revisions")).isNotEmpty();
    assertThat(known.has("whitelistExpires")).isFalse();
    assertThat(gateway.fetch("/api/v1/repositories").path("items")).hasSize(1);

    S3.comeBack();
    assertThat(gateway.fetch("/api/v1/repositories/" + NAME).has("whitelistExpires")).isTrue();
    assertDone(end(gateway, accepted));
    repository.assertShows(served(), reference);
    assertThat(LaminaCommand.run("check", location, "--key", key())).isZero();
  }

  // ---- the parts ----------------------------------------------------------------------------

  private static String key() {
    return lamina.publicKey(new TestRepository(NAME).name()).toString();
  }

  private TestRepository.Place served() {
    return new TestRepository.Place(
        lamina.address() + "/cvmfs/" + NAME, lamina.publicKey(repository.name()));
  }

  private static TestImage committed() {
    return ImageBuilder.oci().layer(Compression.GZIP, SampleImages.part("committed", 20)).build();
  }

  /** As a node publishes what {@code docker commit} made. */
  private static JsonNode commit(LayerDescriptor layer) throws Exception {
    TestImage image = committed();
    Digest digest = layer.blob().digest();
    HttpResponse<String> uploaded =
        http.send(
            HttpRequest.newBuilder(
                    lamina.address().resolve("/api/v1/uploads/" + digest + "?repository=" + NAME))
                .header("Content-Type", "application/octet-stream")
                .PUT(HttpRequest.BodyPublishers.ofByteArray(image.blob(digest)))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(uploaded.statusCode()).as(uploaded.body()).isEqualTo(201);
    ObjectNode body =
        JSON.createObjectNode()
            .put("repository", NAME)
            .put("digest", digest.toString())
            .put("sizeBytes", layer.blob().sizeBytes())
            .put("diffId", layer.diffId().toString());
    return gateway.post("/api/v1/diff-commits", body, Map.of());
  }

  private static HttpResponse<byte[]> get(String path) throws Exception {
    return send("GET", path, Map.of());
  }

  private static HttpResponse<byte[]> send(String method, String path, Map<String, String> headers)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(lamina.address() + "/cvmfs/" + NAME + "/" + path))
            .method(method, HttpRequest.BodyPublishers.noBody());
    headers.forEach(request::header);
    return http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
  }

  private static String sha1(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(bytes));
  }

  private static String header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }
}
