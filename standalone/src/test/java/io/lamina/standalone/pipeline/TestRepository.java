package io.lamina.standalone.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.check.CheckReport;
import io.lamina.cvmfs.check.CheckSettings;
import io.lamina.cvmfs.check.RepositoryCheck;
import io.lamina.cvmfs.reader.HttpRepositoryFiles;
import io.lamina.cvmfs.reader.LocalRepositoryFiles;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.RepositoryReader;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.Platform;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.image.registry.RegistrySettings;
import io.lamina.image.source.LocalAccess;
import io.lamina.standalone.ImageAccess;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.RequestFollower;
import io.lamina.standalone.verify.ImageComparison;
import io.lamina.standalone.verify.LinkResolution;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/** One repository as its users meet it: through a gateway and as a tree of files. */
final class TestRepository {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final RepositoryName name;

  TestRepository(String name) {
    this.name = new RepositoryName(name);
  }

  RepositoryName name() {
    return name;
  }

  void create(GatewayClient gateway) {
    gateway.post(
        "/api/v1/repositories", JSON.createObjectNode().put("name", name.value()), Map.of());
  }

  /** Asks for an image; the answer of the gateway. */
  JsonNode convert(GatewayClient gateway, String image, Consumer<ObjectNode> more) {
    ObjectNode body = JSON.createObjectNode().put("image", image).put("repository", name.value());
    more.accept(body);
    return gateway.post("/api/v1/conversions", body, Map.of());
  }

  JsonNode convert(GatewayClient gateway, String image) {
    return convert(gateway, image, body -> {});
  }

  /** The final state of a request. */
  static JsonNode end(GatewayClient gateway, JsonNode accepted) {
    return new RequestFollower(gateway).follow(self(accepted), latest -> {});
  }

  static String self(JsonNode accepted) {
    return accepted.path("links").path("self").asText();
  }

  static void assertDone(JsonNode end) {
    assertThat(end.path("state").asText()).as(end.toString()).isEqualTo("done");
  }

  /** A repository and the key that it is trusted by. */
  record Place(String location, Path publicKey) {
    private RepositoryFiles files() {
      return location.startsWith("http")
          ? new HttpRepositoryFiles(URI.create(location), HttpRepositoryFiles.DEFAULT_TIMEOUT)
          : new LocalRepositoryFiles(Path.of(location));
    }
  }

  private ReaderSettings settings(Place place) {
    return ReaderSettings.of(name, MasterKeys.load(place.publicKey()), Clock.systemUTC())
        .withEnvironment(Map.of("CVMFS_ARCH", "x86_64"));
  }

  <T> T read(Place place, Function<RepositoryReader, T> use) {
    try (RepositoryFiles files = place.files();
        RepositoryReader reader = RepositoryReader.open(files, settings(place))) {
      return use.apply(reader);
    }
  }

  /** Every check that there is, on every object. */
  void assertIntact(Place place) {
    try (RepositoryFiles files = place.files()) {
      CheckReport report =
          new RepositoryCheck(files, CheckSettings.everyObject(settings(place)), counts -> {})
              .run();
      assertThat(report.problems()).isEmpty();
      assertThat(report.isClean()).isTrue();
    }
  }

  /**
   * The published tree is the image's: every path, attribute and byte.
   *
   * @param image where it is read again
   * @param path where it is published
   */
  void assertShows(
      Place place, RegistrySettings registries, String image, Platform platform, String path) {
    try (ImageAccess access =
            new ImageAccess(registries, LocalAccess.EVERYWHERE, ImagePolicy.OPEN);
        ImageSource source = access.open(ImageReference.parse(image))) {
      ImageComparison.Result result =
          read(
              place,
              reader ->
                  ImageComparison.compare(
                      source,
                      source.resolve(platform),
                      reader,
                      LinkResolution.follow(reader, path(path))));
      assertThat(result.differences()).as(image + " at " + path).isEmpty();
      assertThat(result.files()).isPositive();
    }
  }

  void assertShows(Place place, String image) {
    assertShows(
        place,
        RegistrySettings.DEFAULT,
        image,
        Platform.LINUX_AMD64,
        ImageReference.parse(image).publicName());
  }

  /** Names in a folder of the published tree. */
  List<String> names(Place place, String folder) {
    return read(
        place,
        reader ->
            reader.list(path(folder)).stream()
                .map(stat -> stat.path().toString())
                .map(path -> path.substring(path.lastIndexOf('/') + 1))
                .toList());
  }

  byte[] content(Place place, String file) {
    return read(
        place,
        reader -> {
          try (InputStream content = reader.open(path(file))) {
            return content.readAllBytes();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  static RepositoryPath path(String text) {
    return RepositoryPath.ofBytes(
        (text.startsWith("/") ? text : "/" + text).getBytes(StandardCharsets.UTF_8));
  }
}
