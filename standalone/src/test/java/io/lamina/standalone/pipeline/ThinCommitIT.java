package io.lamina.standalone.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ReferenceRegistry;
import io.lamina.image.testing.TarBuilder;
import io.lamina.node.docker.Commands;
import io.lamina.node.docker.DockerEngine;
import io.lamina.node.docker.NeedsDocker;
import io.lamina.node.docker.PluginProcess;
import io.lamina.node.docker.TarArchive;
import io.lamina.node.docker.WorkFolder;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.client.GatewayClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Two Docker hosts, a registry and the pipeline between them: what is committed on one host's thin
 * image runs on the other one at once. One host follows Kafka, the other one the gateway's events.
 */
@NeedsDocker
@SuppressWarnings("NullAway.Init")
@Timeout(600)
class ThinCommitIT {
  private static final TestRepository REPOSITORY = new TestRepository("commits.lamina.test");
  private static final int DATA_BYTES = 6 << 20;

  /** More than any descriptor with its config, less than anything else here. */
  private static final long DESCRIPTOR_BYTES = 10_000;

  @TempDir static Path folder;

  private static ReferenceRegistry registry;
  private static EmbeddedLamina lamina;
  private static GatewayClient gateway;
  private static GatewayDoor door;
  private static WorkFolder work;
  private static PluginProcess pluginA;
  private static PluginProcess pluginB;
  private static DockerEngine engineA;
  private static DockerEngine engineB;
  private static String thin;

  @BeforeAll
  static void start() throws IOException {
    ReferenceRegistry.assumeInstalled();
    registry = ReferenceRegistry.start(Files.createDirectory(folder.resolve("registry")));
    lamina = EmbeddedLamina.start(folder.resolve("data"), 0);
    gateway = new GatewayClient(lamina.address(), Optional.empty());
    door = new GatewayDoor(lamina.address());
    REPOSITORY.create(gateway);
    thin = registry.host() + "/thin/os:1";
    byte[] data = new byte[DATA_BYTES];
    new Random(1).nextBytes(data);
    registry.push(
        "team/os",
        "1",
        ImageBuilder.docker()
            .layer(TarBuilder.Compression.GZIP, TarArchive.busybox().toBytes())
            .layer(
                TarBuilder.Compression.GZIP,
                new TarArchive()
                    .directory("opt", 0755)
                    .file("opt/data", 0644, data)
                    .file("opt/old", 0644, "old")
                    .directory("opt/full", 0755)
                    .file("opt/full/a", 0644, "a")
                    .toBytes())
            .config(config -> config.putArray("Cmd").add("/bin/sh"))
            .build());
    JsonNode accepted =
        REPOSITORY.convert(gateway, registry.host() + "/team/os:1", body -> body.put("thin", thin));
    TestRepository.assertDone(TestRepository.end(gateway, accepted));

    work = WorkFolder.create();
    pluginA =
        plugin(
            "a",
            Map.of(
                "plugin.gateway",
                door.address().toString(),
                "plugin.kafka",
                lamina.kafka().bootstrapServers(),
                "plugin.commit.patience",
                "5s",
                "plugin.commit.deadline",
                "2m"));
    pluginB = plugin("b", Map.of("plugin.gateway", lamina.address().toString()));
    engineA = DockerEngine.start(work.path("ea"), pluginA.name());
    engineB = DockerEngine.start(work.path("eb"), pluginB.name());
    engineA.ok("pull", thin);
    // From now on this node shows a revision that has none of the commits.
    engineB.run(thin, "true");
  }

  private static PluginProcess plugin(String name, Map<String, String> more) {
    Map<String, String> settings = new TreeMap<>(more);
    settings.put("plugin.client", "embedded");
    settings.put(
        "plugin.repository." + REPOSITORY.name(),
        lamina.address()
            + "/cvmfs/"
            + REPOSITORY.name()
            + ","
            + lamina.publicKey(REPOSITORY.name()));
    return PluginProcess.start(work.path("p" + name), work.driver() + name, settings);
  }

  @AfterAll
  static void stop() throws Exception {
    for (AutoCloseable part :
        new AutoCloseable[] {
          engineA, engineB, pluginA, pluginB, work, door, gateway, lamina, registry
        }) {
      if (part != null) {
        part.close();
      }
    }
  }

  @AfterEach
  void letCallsPass() {
    door.set(call -> GatewayDoor.Fate.PASS);
  }

  private static List<String> grafts() throws Exception {
    PublishedJournal journal = PublishedJournal.read(lamina.kafka(), REPOSITORY.name());
    journal.assertNothingPublishedTwice();
    return journal.grafts().stream().filter(path -> path.startsWith("/.layers/")).toList();
  }

  private static long sizeOf(DockerEngine engine, String image) {
    return Long.parseLong(engine.ok("image", "inspect", "--format", "{{.Size}}", image));
  }

  /** A stopped container that wrote something that no other one did. */
  private static String container(DockerEngine engine, String name, String script) {
    engine.ok("run", "--name", name, "--network", "none", thin, "/bin/sh", "-c", script);
    return name;
  }

  @Test
  void runsElsewhereAtOnceWhatWasCommittedOnAThinImage() throws Exception {
    String image = registry.host() + "/team/committed:1";
    assertThat(sizeOf(engineA, thin)).isLessThan(DESCRIPTOR_BYTES);
    List<String> before = grafts();

    container(
        engineA,
        "changes",
        "echo new > /opt/new && rm /opt/old && rm -r /opt/full && mkdir /opt/full"
            + " && echo b > /opt/full/b && chmod 4711 /opt/new && ln /opt/new /opt/link");
    engineA.ok("commit", "changes", image);
    engineA.ok("push", image);

    assertThat(sizeOf(engineA, image)).isLessThan(DESCRIPTOR_BYTES);
    assertThat(grafts()).hasSize(before.size() + 1);
    String look =
        "cat /opt/new /opt/link; ls /opt /opt/full; stat -c %a%h /opt/new; ls / | grep thin;"
            + " head -c 100 /opt/data | md5sum";
    String expected = engineA.ok("run", "--rm", "--network", "none", image, "/bin/sh", "-c", look);
    assertThat(expected)
        .startsWith("new\nnew\n/opt:\ndata\nfull\nlink\nnew\n\n/opt/full:\nb\n47112\n");
    assertThat(engineB.run(image, look)).isEqualTo(expected);
    assertThat(sizeOf(engineB, image)).isLessThan(DESCRIPTOR_BYTES);
  }

  @Test
  void findsPublishedWhatIsCommittedAgain() throws Exception {
    container(engineA, "again", "echo again > /opt/again");
    engineA.ok("commit", "again", "again:1");
    List<String> before = grafts();
    int calls = door.calls().size();

    engineA.ok("commit", "again", "again:2");

    assertThat(grafts()).isEqualTo(before);
    assertThat(door.calls().subList(calls, door.calls().size()))
        .noneMatch(call -> call.startsWith("PUT ") || call.startsWith("POST "));
    assertThat(layers(engineA, "again:2")).isEqualTo(layers(engineA, "again:1"));
  }

  private static String layers(DockerEngine engine, String image) {
    return engine.ok("image", "inspect", "--format", "{{.RootFS.Layers}}", image);
  }

  @Test
  void publishesNothingForAContainerThatChangedNothing() throws Exception {
    List<String> before = grafts();
    container(engineA, "same", "true");

    engineA.ok("commit", "same", "same:1");

    assertThat(grafts()).isEqualTo(before);
    assertThat(engineA.run("same:1", "cat /opt/old")).isEqualTo("old");
  }

  @Test
  void buildsFromAThinImage() throws Exception {
    List<String> before = grafts();
    Path context = Files.createDirectory(folder.resolve("context"));
    Files.writeString(context.resolve("copied"), "copied\n");
    Files.writeString(
        context.resolve("Dockerfile"),
        "FROM "
            + thin
            + "\nRUN echo ran > /opt/ran && rm /opt/old\nCOPY copied /opt/copied\n"
            + "ENV NAME=built\nRUN true\nRUN cat /opt/ran /opt/copied > /opt/both\n");
    String image = registry.host() + "/team/built:1";

    engineA.ok("build", "--network", "none", "-t", image, context.toString());
    engineA.ok("push", image);

    assertThat(sizeOf(engineA, image)).isLessThan(DESCRIPTOR_BYTES);
    assertThat(grafts()).hasSize(before.size() + 3);
    assertThat(
            engineB.run(
                image, "cat /opt/both; echo $NAME; ls /opt/old" + " 2>/dev/null || echo gone"))
        .isEqualTo("ran\ncopied\nbuilt\ngone");
  }

  /** Where a call of the commit is lost, or its answer. */
  enum Loss {
    UPLOAD("PUT /api/v1/uploads/", GatewayDoor.Fate.LOSE_CALL),
    UPLOADED("PUT /api/v1/uploads/", GatewayDoor.Fate.LOSE_ANSWER),
    REQUEST("POST /api/v1/diff-commits", GatewayDoor.Fate.LOSE_CALL),
    REQUESTED("POST /api/v1/diff-commits", GatewayDoor.Fate.LOSE_ANSWER);

    final String call;
    final GatewayDoor.Fate fate;

    Loss(String call, GatewayDoor.Fate fate) {
      this.call = call;
      this.fate = fate;
    }
  }

  @ParameterizedTest
  @EnumSource
  void publishesOnceWhenACallOrItsAnswerIsLost(Loss loss) throws Exception {
    List<String> before = grafts();
    String name = container(engineA, "lost-" + loss, "echo " + loss + " > /opt/lost");
    AtomicBoolean isLost = new AtomicBoolean();
    door.set(
        call ->
            call.startsWith(loss.call) && isLost.compareAndSet(false, true)
                ? loss.fate
                : GatewayDoor.Fate.PASS);

    engineA.ok("commit", name, "lost:" + loss);

    assertThat(isLost).isTrue();
    assertThat(grafts()).hasSize(before.size() + 1);
    assertThat(engineA.run("lost:" + loss, "cat /opt/lost")).isEqualTo(loss.toString());
  }

  @ParameterizedTest
  @EnumSource(names = {"UPLOADED", "REQUESTED"})
  void goesOnAfterThePluginWasKilledInTheMiddle(Loss loss) throws Exception {
    List<String> before = grafts();
    String name = container(engineA, "killed-" + loss, "echo " + loss + " > /opt/killed");
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch killed = new CountDownLatch(1);
    AtomicBoolean isDone = new AtomicBoolean();
    door.set(
        call -> {
          boolean isIt = call.startsWith(loss.call);
          if (loss.fate == GatewayDoor.Fate.LOSE_ANSWER && !isDone.get()) {
            isDone.set(isIt);
            return isIt ? GatewayDoor.Fate.LOSE_ANSWER : GatewayDoor.Fate.PASS;
          }
          if (loss.fate == GatewayDoor.Fate.LOSE_CALL && !isIt) {
            return GatewayDoor.Fate.PASS;
          }
          reached.countDown();
          await(killed);
          return GatewayDoor.Fate.LOSE_CALL;
        });
    Process commit =
        Commands.start(
            engineA.command("commit", name, "killed:" + loss), folder.resolve("commit.log"));
    assertThat(reached.await(2, TimeUnit.MINUTES)).isTrue();

    pluginA.kill();
    killed.countDown();
    door.set(call -> GatewayDoor.Fate.PASS);
    pluginA.startAgain();
    assertThat(commit.waitFor(3, TimeUnit.MINUTES)).isTrue();
    assertThat(commit.exitValue()).isNotZero();
    assertThat(engineA.docker("image", "inspect", "killed:" + loss).exitCode()).isNotZero();

    engineA.ok("commit", name, "killed:" + loss);

    assertThat(grafts()).hasSize(before.size() + 1);
    assertThat(engineA.run("killed:" + loss, "cat /opt/killed")).isEqualTo(loss.toString());
    try (Stream<Path> left = Files.list(pluginA.state().resolve("commits"))) {
      assertThat(left).isEmpty();
    }
  }

  private static void await(CountDownLatch latch) throws IOException {
    try {
      if (!latch.await(2, TimeUnit.MINUTES)) {
        throw new IOException("nobody ended the wait");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  @Test
  void saysThatTheGatewayIsAwayAndSucceedsWhenItIsBack() throws Exception {
    List<String> before = grafts();
    container(engineA, "away", "echo away > /opt/away");
    door.set(call -> GatewayDoor.Fate.LOSE_CALL);

    Commands.Result failed = engineA.docker("commit", "away", "away:1");

    assertThat(failed.exitCode()).isNotZero();
    assertThat(failed.errors())
        .contains("the commit was not published", "cannot be reached", "commit again later");
    assertThat(grafts()).isEqualTo(before);
    door.set(call -> GatewayDoor.Fate.PASS);
    engineA.ok("commit", "away", "away:1");
    assertThat(grafts()).hasSize(before.size() + 1);
  }

  @Test
  void showsHowWellItHears() {
    assertThat(engineA.ok("info")).containsPattern("Publications: kafka, 0 behind");
    assertThat(engineB.ok("info")).containsPattern("Publications: gateway\\n");
  }
}
