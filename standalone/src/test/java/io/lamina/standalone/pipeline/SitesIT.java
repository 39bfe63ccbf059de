package io.lamina.standalone.pipeline;

import static io.lamina.standalone.pipeline.Cluster.await;
import static io.lamina.standalone.pipeline.TestRepository.assertDone;
import static io.lamina.standalone.pipeline.TestRepository.end;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.lamina.image.ImageReference;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ImageFiles;
import io.lamina.journal.site.SiteLag;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.LoneProcess;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.storage.testing.FaultyProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two sites with brokers, storage and keys of their own, and a line between them that is cut. */
@Timeout(300)
class SitesIT {
  private static final TestRepository THERE = new TestRepository("there.lamina.test");
  private static final TestRepository HERE = new TestRepository("here.lamina.test");

  @TempDir Path folder;

  @Test
  void bothGoOnWhileTheLineIsCutAndNothingIsLostOrDoubledAfterwards() throws Exception {
    try (EmbeddedLamina a = EmbeddedLamina.start(folder.resolve("a"), 0);
        EmbeddedLamina b = EmbeddedLamina.start(folder.resolve("b"), 0);
        GatewayClient there = new GatewayClient(a.address(), Optional.empty());
        GatewayClient here = new GatewayClient(b.address(), Optional.empty());
        FaultyProxy line = new FaultyProxy(a.address().getPort())) {
      THERE.create(there);
      HERE.create(here);
      Path settings = settings(b, line);
      TestRepository.Place copy = place(b, HERE);
      publish(there, THERE, "one");

      try (Mirror mirror = Mirror.start(a, b);
          LoneProcess follower = follow(settings)) {
        await("the first image", () -> shows(copy, "one"));
        line.goAway();
      }
      publish(there, THERE, "two");
      assertDone(
          end(
              there,
              there.post(
                  "/api/v1/removals",
                  new ObjectMapper()
                      .createObjectNode()
                      .put("repository", THERE.name().value())
                      .put("image", image("one")),
                  Map.of())));
      publish(here, HERE, "own");
      assertThat(shows(copy, "two")).isFalse();
      assertThat(lag(settings).isReachable()).isFalse();

      // Objects stay out of reach for a while after the journal has come.
      try (Mirror mirror = Mirror.start(a, b);
          LoneProcess follower = follow(settings)) {
        await("the journal", () -> lag(settings).records().orElse(0) > 0);
        assertThat(shows(copy, "two")).isFalse();
        line.comeBack();
        await("what was published meanwhile", () -> shows(copy, "two") && !shows(copy, "one"));
        await(
            "no lag",
            () -> lag(settings).repositories().getFirst().behind().equals(OptionalLong.of(0)));
        assertThat(lag(settings).isReachable()).isTrue();
      }

      for (String name : List.of("two", "own")) {
        HERE.assertShows(copy, image(name));
      }
      HERE.assertIntact(copy);
      THERE.assertIntact(place(a, THERE));
      PublishedJournal journal = PublishedJournal.read(b.kafka(), HERE.name());
      journal.assertNothingPublishedTwice();
      journal.assertUnbrokenUpTo(HERE.read(copy, reader -> reader.manifest()));
    }
  }

  private static TestRepository.Place place(EmbeddedLamina lamina, TestRepository repository) {
    return new TestRepository.Place(
        lamina.repositoryFolder(repository.name()).toString(), lamina.publicKey(repository.name()));
  }

  /** What {@code lamina site} is given at the second site. */
  private Path settings(EmbeddedLamina b, FaultyProxy line) throws IOException {
    return Files.writeString(
        folder.resolve("site.properties"),
        """
        kafka.bootstrap = %s
        data.folder = %s
        site.name = there
        site.topic = A.lamina.published
        site.repositories = %s=%s
        site.objects = http://127.0.0.1:%d/cvmfs/{repository}
        site.keys = %s
        """
            .formatted(
                b.kafka().bootstrapServers(),
                folder.resolve("b"),
                THERE.name(),
                HERE.name(),
                line.port(),
                folder.resolve("a/keys")));
  }

  private static LoneProcess follow(Path settings) {
    return LoneProcess.start(LoneProcess.Kind.SITE, settings, Map.of());
  }

  private static SiteLag.Snapshot lag(Path settings) {
    return LoneProcess.siteLag(settings, Map.of());
  }

  private String image(String name) {
    return "oci:" + folder.resolve(name) + ":1";
  }

  /** An image whose lower layers the others have too. */
  private void publish(GatewayClient gateway, TestRepository repository, String name) {
    ImageFiles.writeOciLayout(
        folder.resolve(name),
        Map.of("1", SampleImages.image(ImageBuilder.oci(), "base", "shared", name).build()));
    assertDone(end(gateway, repository.convert(gateway, image(name))));
  }

  private boolean shows(TestRepository.Place place, String name) {
    String path = ImageReference.parse(image(name)).publicName();
    int slash = path.lastIndexOf('/');
    String parent = path.substring(0, slash);
    String top = path.substring(0, path.indexOf('/'));
    return HERE.names(place, "/").contains(top)
        && HERE.names(place, parent).contains(path.substring(slash + 1));
  }
}
