package io.lamina.standalone.pipeline;

import static io.lamina.standalone.pipeline.Cluster.await;
import static io.lamina.standalone.pipeline.TestRepository.assertDone;
import static io.lamina.standalone.pipeline.TestRepository.end;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lamina.image.ImageReference;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ImageFiles;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.LoneProcess;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.process.JavaProcess;
import io.lamina.standalone.process.LaminaProcess;
import io.lamina.standalone.process.NetworkNamespace;
import io.lamina.standalone.process.Relay;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two sites with brokers, storage and keys of their own, and a line between them that is cut. */
@Timeout(300)
class SitesIT {
  private static final TestRepository THERE = new TestRepository("there.lamina.test");
  private static final TestRepository HERE = new TestRepository("here.lamina.test");

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String LOOPBACK = "127.0.0.1";

  @TempDir Path folder;

  @Test
  void bothGoOnWhileTheLineIsCutAndNothingIsLostOrDoubledAfterwards() throws Exception {
    try (EmbeddedLamina a = EmbeddedLamina.start(folder.resolve("a"), 0);
        EmbeddedLamina b = EmbeddedLamina.start(folder.resolve("b"), 0);
        GatewayClient there = new GatewayClient(a.address(), Optional.empty());
        GatewayClient here = new GatewayClient(b.address(), Optional.empty());
        NetworkNamespace network = NetworkNamespace.create()) {
      THERE.create(there);
      HERE.create(here);
      NetworkNamespace.Line far = network.line();
      NetworkNamespace.Line near = network.line();
      Mirror.Broker from = new Mirror.Broker(a.kafka().bootstrapServers(), far);
      Mirror.Broker to = new Mirror.Broker(b.kafka().bootstrapServers(), near);
      Path settings = settings(b, far.address(), a.address().getPort());
      TestRepository.Place copy = place(b, HERE);
      publish(there, THERE, "one");

      try (Relay journal = relay(from);
          Relay own = relay(to);
          JavaProcess mirror = Mirror.start(network, from, to, folder)) {
        try (Relay objects = Relay.start(far.address(), LOOPBACK, a.address().getPort())) {
          LaminaProcess follower = follow(network, settings);
          await("the first image", () -> shows(copy, "one"));
          far.cut();
          publish(there, THERE, "two");
          remove(there, "one");
          publish(here, HERE, "own");
          assertThat(shows(copy, "two")).isFalse();
          assertThat(lag(network, settings).path("isReachable").asBoolean()).isFalse();
          follower.kill();
        }
        // Objects stay out of reach for a while after the journal has come.
        far.mend();
        try (LaminaProcess follower = follow(network, settings)) {
          await("the journal", () -> lag(network, settings).path("recordsBehind").asLong() > 0);
          assertThat(shows(copy, "two")).isFalse();
          try (Relay objects = Relay.start(far.address(), LOOPBACK, a.address().getPort())) {
            await("what was published meanwhile", () -> shows(copy, "two") && !shows(copy, "one"));
            await("no lag", () -> hasCaughtUp(lag(network, settings)));
          }
        }
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

  /** Leads from a line to a broker, which listens on loopback. */
  private static Relay relay(Mirror.Broker broker) throws IOException {
    return Relay.start(broker.line().address(), LOOPBACK, broker.port());
  }

  private void remove(GatewayClient gateway, String name) {
    assertDone(
        end(
            gateway,
            gateway.post(
                "/api/v1/removals",
                JSON.createObjectNode()
                    .put("repository", THERE.name().value())
                    .put("image", image(name)),
                Map.of())));
  }

  private static TestRepository.Place place(EmbeddedLamina lamina, TestRepository repository) {
    return new TestRepository.Place(
        lamina.repositoryFolder(repository.name()).toString(), lamina.publicKey(repository.name()));
  }

  /** What {@code lamina site} is given at the second site. */
  private Path settings(EmbeddedLamina b, String host, int port) throws IOException {
    return Files.writeString(
        folder.resolve("site.properties"),
        """
        kafka.bootstrap = %s
        data.folder = %s
        site.name = there
        site.topic = A.lamina.published
        site.repositories = %s=%s
        site.objects = http://%s:%d/cvmfs/{repository}
        site.keys = %s
        status.listen = 127.0.0.1:9325
        """
            .formatted(
                b.kafka().bootstrapServers(),
                folder.resolve("b"),
                THERE.name(),
                HERE.name(),
                host,
                port,
                folder.resolve("a/keys")));
  }

  private LaminaProcess follow(NetworkNamespace network, Path settings) {
    return LaminaProcess.alone(
        network.wrapper(), LoneProcess.Kind.SITE, settings, folder.resolve("site.log"));
  }

  /** What {@code lamina sites} says in that network. */
  private static JsonNode lag(NetworkNamespace network, Path settings) {
    String out =
        LaminaProcess.run(network.wrapper(), "sites", "--config", settings.toString(), "--json")
            .out();
    try {
      return JSON.readTree(out);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean hasCaughtUp(JsonNode lag) {
    return lag.path("isReachable").asBoolean()
        && lag.path("repositories").path(0).path("revisionsBehind").asLong(-1) == 0;
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
