package io.lamina.node.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What engines ask of a storage driver, in numbers and all at once; nothing stays behind. */
@NeedsDocker
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DockerLifeIT {
  private final WorkFolder folder = WorkFolder.create();
  private final DockerHost host = DockerHost.withDriver(folder, Map.of());
  private final PluginProcess plugin = host.plugin();
  private DockerEngine engine;

  @BeforeAll
  void start() {
    engine = host.startEngine();
  }

  @AfterAll
  void stop() {
    host.close();
  }

  @AfterEach
  void leavesNothingBehind() {
    engine.ok("builder", "prune", "-a", "-f");
    host.expectNothingLeft();
  }

  private void base() {
    engine.ok(TarArchive.busybox().toBytes(), "import", "-c", "CMD /bin/sh", "-", "base");
  }

  private static List<String> inParallel(List<Callable<String>> work) throws Exception {
    List<String> results = new ArrayList<>();
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      List<Future<String>> running = work.stream().map(threads::submit).toList();
      for (Future<String> each : running) {
        results.add(each.get());
      }
    }
    return results;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 30, 125})
  void runsImagesOfManyLayers(int layers) {
    engine.ok(OddImages.deep("deep:1", layers), "load");

    assertThat(engine.run("deep:1", "ls / | grep -c layer- ; cat /newest 2>/dev/null || true"))
        .isEqualTo(layers == 1 ? "0" : layers - 1 + "\nnewest of " + (layers - 1));
  }

  @Test
  void runsTwentyContainersAtOnce() throws Exception {
    base();
    List<Callable<String>> runs = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      String own = "own-" + i;
      runs.add(() -> engine.run("base", "echo " + own + " > /file; cat /file"));
    }

    assertThat(inParallel(runs)).allMatch(seen -> seen.startsWith("own-")).doesNotHaveDuplicates();
  }

  @Test
  void commitsTenContainersAtOnce() throws Exception {
    base();
    List<Callable<String>> commits = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      String name = "c" + i;
      engine.ok(
          "run",
          "--name",
          name,
          "--network",
          "none",
          "base",
          "sh",
          "-c",
          "dd if=/dev/zero of=/zeros bs=65536 count=64 2>/dev/null; echo " + name + " > /name");
      commits.add(() -> engine.ok("commit", name, "committed:" + name));
    }

    assertThat(inParallel(commits)).hasSize(10);
    for (int i = 0; i < 10; i++) {
      assertThat(engine.run("committed:c" + i, "cat /name; wc -c < /zeros"))
          .isEqualTo("c" + i + "\n4194304");
    }
  }

  @Test
  void buildsEightImagesAtOnce() throws Exception {
    base();
    List<Callable<String>> builds = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      Path context = Files.createDirectories(folder.path("context-" + i));
      Files.writeString(context.resolve("file"), "file " + i);
      Files.writeString(
          context.resolve("Dockerfile"),
          "FROM base\nCOPY file /\nRUN cat /file > /copy\nCOPY file /again\n");
      String tag = "built:" + i;
      builds.add(
          () -> engine.ok("build", "-q", "--network", "none", "-t", tag, context.toString()));
    }

    assertThat(inParallel(builds)).doesNotHaveDuplicates();
    assertThat(engine.run("built:7", "cat /copy /again")).isEqualTo("file 7file 7");
  }

  @Test
  void buildsWithBuildKitAndRunsAndSavesTheResult() throws Exception {
    base();
    Path context = Files.createDirectories(folder.path("context-kit"));
    Files.writeString(context.resolve("file"), "file");
    Files.writeString(
        context.resolve("Dockerfile"),
        """
        FROM base AS first
        RUN --mount=type=cache,target=/cache echo one > /one && touch /cache/used
        RUN --mount=type=bind,from=base,target=/from rm /etc/group && cat /from/etc/passwd > /seen
        FROM base
        COPY --from=first /one /seen /
        COPY --from=base /etc/group /group
        COPY file /
        RUN mkdir /made && echo two > /made/two
        """);
    List<String> command =
        new ArrayList<>(
            engine.command("build", "--network", "none", "-t", "kit", context.toString()));
    command.set(1, "DOCKER_BUILDKIT=1");
    Commands.run(command).expectSuccess();

    String id = engine.ok("inspect", "-f", "{{.Id}}", "kit");
    assertThat(engine.run("kit", "cat /one /file /made/two; head -c 5 /seen; ls /group"))
        .isEqualTo("one\nfiletwo\nroot:/group");
    byte[] saved = engine.docker("save", "kit").expectSuccess().bytes();
    engine.ok("rmi", "kit");
    engine.ok("builder", "prune", "-a", "-f");
    assertThat(folder.mountsBelow(plugin.state())).isEmpty();
    engine.ok(saved, "load");
    assertThat(engine.ok("inspect", "-f", "{{.Id}}", "kit")).isEqualTo(id);
  }

  @Test
  void tellsEnginesUsersWhereALayerLiesAndWhatTheDriverIs() {
    base();
    engine.ok("create", "--name", "one", "base");

    assertThat(
            engine.ok("inspect", "-f", "{{.GraphDriver.Name}} {{json .GraphDriver.Data}}", "one"))
        .startsWith(plugin.name())
        .contains("LowerDir", "UpperDir", "WorkDir", "MergedDir");
    assertThat(engine.ok("inspect", "-f", "{{json .GraphDriver.Data}}", "base"))
        .contains("UpperDir");
    assertThat(engine.ok("info")).contains("Storage Driver: " + plugin.name(), "CVMFS client");
  }

  @Test
  void refusesSizesWhereThereAreNoQuotasOrKeepsToThem() {
    base();
    Commands.Result run =
        engine.docker(
            "run",
            "--rm",
            "--network",
            "none",
            "--storage-opt",
            "size=8M",
            "base",
            "sh",
            "-c",
            "dd if=/dev/zero of=/zeros bs=1048576 count=16 2>/dev/null && echo all");

    assertThat(run.exitCode()).isNotZero();
    if (run.exitCode() == 125) {
      assertThat(run.errors()).containsIgnoringCase("quota");
    } else {
      assertThat(run.out()).doesNotContain("all");
    }
    assertThat(engine.docker("create", "--storage-opt", "colour=red", "base").errors())
        .contains("unknown storage option 'colour'");
  }

  @Test
  void takesATornArchiveForAFailureAndAWholeOneAfterwards() {
    byte[] whole = TarArchive.busybox().toBytes();

    Commands.Result torn = engine.docker(Arrays.copyOf(whole, 300_000), "import", "-", "torn");
    assertThat(torn.exitCode()).isNotZero();
    assertThat(folder.layersOf(plugin)).isEmpty();

    assertThat(engine.ok(whole, "import", "-", "base")).startsWith("sha256:");
  }

  @Test
  void importsAnArchiveOfNothing() {
    assertThat(engine.ok(new byte[1024], "import", "-", "nothing")).startsWith("sha256:");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "not json",
        "{\"version\":\"9.0\",\"layers\":[]}",
        "{\"version\":\"1.0\",\"layers\":[{\"url\":\"http://a.example.org/x\"}]}",
        "{\"version\":\"1.0\",\"layers\":[{\"url\":\"cvmfs://a.example.org/../../etc\"}]}",
        "{\"version\":\"1.0\",\"layers\":[{\"url\":\"cvmfs://a;reboot/x\"}]}"
      })
  void showsTheUserWhyAThinImageIsRefused(String descriptor) {
    byte[] layer = new TarArchive().file("thin.json", 0644, descriptor).toBytes();

    Commands.Result refused = engine.docker(ImageArchive.of("thin:1", List.of(layer)), "load");

    assertThat(refused.exitCode()).isNotZero();
    assertThat(refused.errors() + refused.out()).contains("thin.json");
  }

  @Test
  void namesTheRepositoryThatAThinImageNeedsAndThisNodeDoesNotKnow() {
    byte[] layer =
        new TarArchive()
            .file(
                "thin.json",
                0644,
                "{\"version\":\"1.0\",\"layers\":[{\"url\":\"cvmfs://unknown.example.org/x\"}]}")
            .toBytes();
    engine.ok(ImageArchive.of("thin:1", List.of(layer)), "load");

    Commands.Result refused = engine.docker("run", "--rm", "thin:1", "true");

    assertThat(refused.exitCode()).isNotZero();
    assertThat(refused.errors()).contains("unknown.example.org");
  }

  @Test
  void isNotMadeThinByWhatAContainerWrites() {
    base();
    engine.ok(
        "run",
        "--name",
        "one",
        "--network",
        "none",
        "base",
        "sh",
        "-c",
        "echo '{\"version\":\"1.0\",\"layers\":[]}' > /thin.json; echo kept > /kept");
    engine.ok("start", "-a", "one");
    engine.ok("run", "--name", "two", "--network", "none", "base", "sh", "-c", "ls /kept || true");

    engine.ok("rm", "one");

    assertThat(engine.run("base", "cat /etc/group")).isEqualTo("root:x:0:");
  }

  @Test
  void survivesAStopOfTheEngine() {
    base();
    engine.ok(
        "run", "--name", "one", "--network", "none", "base", "sh", "-c", "echo before > /before");
    engine.ok(
        "run",
        "-d",
        "--name",
        "busy",
        "--network",
        "none",
        "--stop-signal",
        "KILL",
        "base",
        "sleep",
        "600");

    engine.stop();
    assertThat(folder.mountsBelow(plugin.state())).isEmpty();
    engine.startAgain();

    assertThat(engine.ok("start", "-a", "one")).isEmpty();
    assertThat(new String(engine.docker("cp", "one:/before", "-").bytes(), StandardCharsets.UTF_8))
        .contains("before");
    engine.ok("start", "busy");
    assertThat(engine.ok("exec", "busy", "cat", "/etc/group")).startsWith("root");
  }
}
