package io.lamina.standalone.demo;

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
import io.lamina.image.ResolvedImage;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.GatewayException;
import io.lamina.standalone.client.RequestFollower;
import io.lamina.standalone.verify.ImageComparison;
import io.lamina.standalone.verify.LinkResolution;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Converts a real image through a running all-in-one, and verifies what was published. One use, one
 * thread.
 */
public final class Demo {
  public static final RepositoryName REPOSITORY = new RepositoryName("demo.lamina.test");

  private static final ObjectMapper JSON = new ObjectMapper();

  private final EmbeddedLamina lamina;
  private final Path folder;
  private final Consumer<JsonNode> progress;

  /**
   * @param folder of the image; made if it is missing
   * @param progress gets the request as the API describes it, at every change
   */
  public Demo(EmbeddedLamina lamina, Path folder, Consumer<JsonNode> progress) {
    this.lamina = lamina;
    this.folder = folder;
    this.progress = progress;
  }

  /**
   * What was seen.
   *
   * @param request as the API describes it, in its final state
   * @param isNew whether this run published it; else everything was there
   * @param image what was converted
   * @param check of the whole repository
   * @param comparison of the published tree with the image
   */
  public record Report(
      JsonNode request,
      boolean isNew,
      Duration building,
      Duration converting,
      Duration verifying,
      ResolvedImage image,
      CheckReport check,
      ImageComparison.Result comparison) {
    /** Whether everything is as it must be. */
    public boolean isGood() {
      return request.path("state").asText().equals("done")
          && check.isClean()
          && comparison.differences().isEmpty();
    }
  }

  /** Does all of it. */
  public Report run(Consumer<String> say) throws IOException {
    long start = System.nanoTime();
    Path layout = folder.resolve("image");
    say.accept("image       made of this machine's files, in OCI layout: " + layout);
    DemoImage.write(layout, Path.of(System.getProperty("java.home")));
    long built = System.nanoTime();

    createRepository();
    ImageReference reference = new ImageReference.OciLayout(layout, Optional.of("latest"));
    Platform platform = new Platform("linux", DemoImage.architecture(), Optional.empty());
    JsonNode request = convert(reference, platform);
    long converted = System.nanoTime();

    say.accept("verify      every signature, every object's hash, the tree against the image");
    try (ImageSource source = lamina.images().open(reference)) {
      ResolvedImage image = source.resolve(platform);
      CheckReport check = check();
      ImageComparison.Result comparison = compare(source, image, reference);
      return new Report(
          request,
          !request.path("detail").asText().contains("already published"),
          Duration.ofNanos(built - start),
          Duration.ofNanos(converted - built),
          Duration.ofNanos(System.nanoTime() - converted),
          image,
          check,
          comparison);
    }
  }

  private void createRepository() {
    try (GatewayClient gateway = client()) {
      gateway.post(
          "/api/v1/repositories",
          JSON.createObjectNode().put("name", REPOSITORY.value()),
          Map.of());
    } catch (GatewayException e) {
      if (e.status() != 409) {
        throw e;
      }
    }
  }

  private JsonNode convert(ImageReference reference, Platform platform) {
    ObjectNode body = JSON.createObjectNode();
    body.put("image", reference.canonical()).put("repository", REPOSITORY.value());
    body.putArray("platforms").add(platform.toString());
    try (GatewayClient gateway = client()) {
      JsonNode accepted = gateway.post("/api/v1/conversions", body, Map.of());
      return new RequestFollower(gateway)
          .follow(accepted.path("links").path("self").asText(), progress);
    }
  }

  private GatewayClient client() {
    return new GatewayClient(lamina.address(), Optional.empty());
  }

  private CheckReport check() {
    try (RepositoryFiles files = new LocalRepositoryFiles(lamina.repositoryFolder(REPOSITORY))) {
      return new RepositoryCheck(files, CheckSettings.everyObject(readerSettings()), counts -> {})
          .run();
    }
  }

  private ImageComparison.Result compare(
      ImageSource source, ResolvedImage image, ImageReference reference) {
    URI address = URI.create(lamina.address() + "/cvmfs/" + REPOSITORY);
    try (RepositoryFiles files =
            new HttpRepositoryFiles(address, HttpRepositoryFiles.DEFAULT_TIMEOUT);
        RepositoryReader reader = RepositoryReader.open(files, readerSettings())) {
      RepositoryPath root =
          LinkResolution.follow(reader, RepositoryPath.of("/" + reference.publicName()));
      return ImageComparison.compare(source, image, reader, root);
    }
  }

  private ReaderSettings readerSettings() {
    return ReaderSettings.of(
        REPOSITORY, MasterKeys.load(lamina.publicKey(REPOSITORY)), Clock.systemUTC());
  }

  /**
   * Commands that lead on from here.
   *
   * @param gateway where {@code lamina up} will listen
   */
  public List<String> nextSteps(URI gateway) {
    String address = gateway + "/cvmfs/" + REPOSITORY;
    return List.of(
        "look around   ./lamina ls -l " + address + " / --key " + lamina.publicKey(REPOSITORY),
        "check again   ./lamina check " + lamina.repositoryFolder(REPOSITORY),
        "mount it      printf '%s\\n' CVMFS_SERVER_URL="
            + address
            + " CVMFS_PUBLIC_KEY="
            + lamina.publicKey(REPOSITORY)
            + " CVMFS_HTTP_PROXY=DIRECT CVMFS_CACHE_BASE=/var/tmp/lamina-cvmfs"
            + " CVMFS_RELOAD_SOCKETS=/var/tmp/lamina-cvmfs > demo.conf",
        "              mkdir -p /var/tmp/lamina-cvmfs /mnt/demo && cvmfs2 -o"
            + " config=demo.conf,simple_options_parsing,disable_watchdog "
            + REPOSITORY
            + " /mnt/demo",
        "dashboard     " + gateway + "/",
        "more images   ./lamina convert docker.io/library/debian:12 --repo "
            + REPOSITORY
            + " --wait");
  }
}
