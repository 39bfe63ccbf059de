package io.lamina.standalone.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.client.ClientSettings;
import io.lamina.client.EmbeddedClient;
import io.lamina.client.MountedRepository;
import io.lamina.client.RepositorySettings;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ReferenceRegistry;
import io.lamina.image.testing.TarBuilder;
import io.lamina.node.docker.Commands;
import io.lamina.node.docker.DockerEngine;
import io.lamina.node.docker.DockerHost;
import io.lamina.node.docker.NeedsDocker;
import io.lamina.node.docker.TarArchive;
import io.lamina.node.docker.WorkFolder;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.process.LaminaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
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
 * Commits on a Docker host while gateway, broker, converter and publisher, all in one process, are
 * killed or held up; and with other clients than the embedded one. What is committed is published
 * once, and its archive is not kept.
 */
@NeedsDocker
@SuppressWarnings("NullAway.Init")
@Timeout(600)
class CommitFaultIT {
  private static final TestRepository REPOSITORY = new TestRepository("faults.lamina.test");

  @TempDir static Path folder;

  private static ReferenceRegistry registry;
  private static LaminaProcess lamina;
  private static GatewayDoor door;
  private static String thin;

  private final WorkFolder work = WorkFolder.create();
  private Optional<DockerHost> host = Optional.empty();

  @BeforeAll
  static void start() throws IOException {
    ReferenceRegistry.assumeInstalled();
    registry = ReferenceRegistry.start(Files.createDirectory(folder.resolve("registry")));
    lamina = LaminaProcess.up(data());
    door = new GatewayDoor(lamina.address());
    thin = registry.host() + "/thin/os:1";
    registry.push(
        "team/os",
        "1",
        ImageBuilder.docker()
            .layer(TarBuilder.Compression.GZIP, TarArchive.busybox().toBytes())
            .layer(
                TarBuilder.Compression.GZIP,
                new TarArchive().directory("opt", 0755).file("opt/old", 0644, "old").toBytes())
            .config(config -> config.putArray("Cmd").add("/bin/sh"))
            .build());
    try (GatewayClient gateway = lamina.client()) {
      REPOSITORY.create(gateway);
      JsonNode accepted =
          REPOSITORY.convert(
              gateway, registry.host() + "/team/os:1", body -> body.put("thin", thin));
      TestRepository.assertDone(TestRepository.end(gateway, accepted));
    }
  }

  private static Path data() {
    return folder.resolve("data");
  }

  @AfterAll
  static void stop() throws Exception {
    for (AutoCloseable part : new AutoCloseable[] {door, lamina, registry}) {
      if (part != null) {
        part.close();
      }
    }
  }

  @AfterEach
  void endHost() {
    door.set(call -> GatewayDoor.Fate.PASS);
    host.ifPresentOrElse(DockerHost::close, work::close);
  }

  private DockerEngine host(Map<String, String> more) {
    Map<String, String> settings =
        new TreeMap<>(
            Map.of(
                "plugin.client",
                "embedded",
                "plugin.gateway",
                door.address().toString(),
                "plugin.commit.deadline",
                "2m",
                "plugin.repository." + REPOSITORY.name(),
                server() + "," + key()));
    settings.putAll(more);
    DockerHost started = DockerHost.withDriver(work, settings);
    host = Optional.of(started);
    DockerEngine engine = started.startEngine();
    engine.ok("pull", thin);
    return engine;
  }

  private static String server() {
    return door.address() + "/cvmfs/" + REPOSITORY.name();
  }

  private static Path key() {
    return data().resolve("keys").resolve(REPOSITORY.name() + ".pub");
  }

  private static void restartLamina() {
    lamina.kill();
    lamina = LaminaProcess.up(data());
    door.leadTo(lamina.address());
  }

  private static long revision() {
    try (GatewayClient gateway = lamina.client()) {
      return gateway.fetch("/api/v1/repositories/" + REPOSITORY.name()).path("revision").asLong();
    }
  }

  private static void change(DockerEngine engine, String name) {
    engine.ok(
        "run",
        "--name",
        name,
        "--network",
        "none",
        thin,
        "/bin/sh",
        "-c",
        "echo " + name + " > /opt/own; rm /opt/old");
  }

  /** One more revision, with the layer; the archive is gone. */
  private static void expectPublishedOnce(DockerEngine engine, String name, long before)
      throws IOException {
    assertThat(engine.run(name + ":1", "cat /opt/own; ls /opt")).isEqualTo(name + "\nown");
    assertThat(Long.parseLong(engine.ok("image", "inspect", "-f", "{{.Size}}", name + ":1")))
        .isLessThan(10_000);
    assertThat(revision()).isEqualTo(before + 1);
    // It is removed right after the commit that made the layer visible.
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!uploads().isEmpty() && System.nanoTime() < deadline) {
      DockerEngine.pause();
    }
    assertThat(uploads()).isEmpty();
  }

  private static List<Path> uploads() throws IOException {
    Path uploads = data().resolve("cvmfs").resolve(REPOSITORY.name().value()).resolve("uploads");
    if (!Files.exists(uploads)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(uploads)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  /** The call of a commit at which the pipeline is killed. */
  enum Moment {
    UPLOADED("POST /api/v1/diff-commits", GatewayDoor.Fate.LOSE_CALL),
    ACCEPTED("GET /api/v1/diff-commits/", GatewayDoor.Fate.LOSE_CALL);

    final String call;
    final GatewayDoor.Fate fate;

    Moment(String call, GatewayDoor.Fate fate) {
      this.call = call;
      this.fate = fate;
    }
  }

  @ParameterizedTest
  @EnumSource
  void aCommitDuringWhichThePipelineIsKilledIsPublishedOnce(Moment moment) throws Exception {
    DockerEngine engine = host(Map.of());
    String name = "killed-" + moment.name().toLowerCase(java.util.Locale.ROOT);
    change(engine, name);
    long before = revision();
    AtomicBoolean isKilled = new AtomicBoolean();
    door.set(
        call -> {
          if (call.startsWith(moment.call) && isKilled.compareAndSet(false, true)) {
            restartLamina();
            return moment.fate;
          }
          return GatewayDoor.Fate.PASS;
        });

    engine.ok("commit", name, name + ":1");

    assertThat(isKilled).isTrue();
    expectPublishedOnce(engine, name, before);
  }

  @Test
  void saysThatThePipelineIsHeldUpAndPublishesOnceWhenItGoesOn() throws Exception {
    DockerEngine engine = host(Map.of("plugin.commit.deadline", "10s"));
    change(engine, "paused");
    long before = revision();
    AtomicBoolean isPaused = new AtomicBoolean();
    door.set(
        call -> {
          if (call.startsWith(Moment.UPLOADED.call) && isPaused.compareAndSet(false, true)) {
            lamina.pause();
          }
          return GatewayDoor.Fate.PASS;
        });

    Commands.Result failed;
    try {
      failed = engine.docker("commit", "paused", "paused:1");
    } finally {
      lamina.resume();
    }

    assertThat(isPaused).isTrue();
    assertThat(failed.exitCode()).isNotZero();
    assertThat(failed.errors()).contains("the commit", "ommit again later");
    assertThat(engine.docker("image", "inspect", "paused:1").exitCode()).isNotZero();
    engine.ok("commit", "paused", "paused:1");
    expectPublishedOnce(engine, "paused", before);
  }

  /** The host's own mounts, here made by our client, which looks for revisions by itself. */
  @Test
  void commitsOnWhatTheHostHasMounted() throws Exception {
    ClientSettings settings =
        ClientSettings.of(work.path("cache"), 64 << 20)
            .withLongestTimeToLive(Duration.ofSeconds(1));
    RepositorySettings repository =
        new RepositorySettings(REPOSITORY.name(), List.of(server()), MasterKeys.load(key()))
            .withLayerMarksTranslated();
    Path mountPoint = Files.createDirectories(work.path("cvmfs/" + REPOSITORY.name()));
    try (EmbeddedClient client = EmbeddedClient.open(settings, new Random(1));
        MountedRepository mounted = client.mount(repository, mountPoint)) {
      assertThat(mounted.revision()).isPositive();
      DockerEngine engine =
          host(
              Map.of(
                  "plugin.client",
                  "external",
                  "plugin.cvmfs.host-folder",
                  work.path("cvmfs").toString()));
      assertThat(engine.ok("info")).contains("CVMFS client: external");
      change(engine, "external");
      long before = revision();

      engine.ok("commit", "external", "external:1");

      expectPublishedOnce(engine, "external", before);
      assertThat(mounted.revision()).isEqualTo(before + 1);
      host.orElseThrow().close();
      host = Optional.empty();
    }
  }

  @Test
  void commitsOnMountsOfTheOriginalClient() throws Exception {
    String program = Optional.ofNullable(System.getenv("LAMINA_CVMFS2")).orElse("/usr/bin/cvmfs2");
    assumeTrue(
        Files.isExecutable(Path.of(program)),
        "the original client is not here: " + program + "; LAMINA_CVMFS2 names it");
    DockerEngine engine = host(Map.of("plugin.client", "cvmfs2", "plugin.cvmfs.binary", program));
    assertThat(engine.ok("info")).contains("CVMFS client: cvmfs2");
    change(engine, "original");
    long before = revision();

    engine.ok("commit", "original", "original:1");

    expectPublishedOnce(engine, "original", before);
  }
}
