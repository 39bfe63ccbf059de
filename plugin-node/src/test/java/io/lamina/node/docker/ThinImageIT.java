package io.lamina.node.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lamina.client.TestServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images whose files lie in a repository, run by a real engine. */
@NeedsDocker
class ThinImageIT {
  private static final String NAME = ThinRepository.NAME;

  private final WorkFolder folder = WorkFolder.create();
  private final ThinRepository repository;
  private final TestServer server;
  private Optional<DockerHost> host = Optional.empty();
  private Optional<DockerEngine> engine = Optional.empty();

  ThinImageIT() throws IOException {
    repository = new ThinRepository();
    server = repository.server();
  }

  @AfterEach
  void stop() {
    try {
      host.ifPresentOrElse(DockerHost::close, folder::close);
    } finally {
      repository.close();
    }
  }

  private PluginProcess plugin() {
    return host.orElseThrow().plugin();
  }

  private DockerEngine engine() {
    return engine.orElseThrow();
  }

  private void start(String client) throws IOException {
    Map<String, String> settings = new TreeMap<>();
    settings.put("plugin.client", client);
    settings.put(
        "plugin.repository." + NAME, server.url() + "," + repository.key(folder.path("key.pub")));
    program().ifPresent(binary -> settings.put("plugin.cvmfs.binary", binary));
    DockerHost started = DockerHost.withDriver(folder, settings);
    host = Optional.of(started);
    engine = Optional.of(started.startEngine());
    engine().ok(ThinRepository.image("thin:1", "base", "top"), "load");
  }

  /** The original client: {@code LAMINA_CVMFS2}, or by its name. */
  private static Optional<String> program() {
    return Optional.ofNullable(System.getenv("LAMINA_CVMFS2"))
        .or(() -> Optional.of("/usr/bin/cvmfs2"))
        .filter(path -> Files.isExecutable(Path.of(path)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"embedded", "cvmfs2"})
  void runsCommitsAndRemovesAThinImage(String client) throws Exception {
    assumeTrue(
        client.equals("embedded") || program().isPresent(),
        "the original client is not here; LAMINA_CVMFS2 names it");
    start(client);

    assertThat(engine().run("thin:1", "cat /etc/kept /etc/added; ls /etc/gone /thin.json; true"))
        .isEqualTo("kept\nadded");
    assertThat(engine().ok("info")).contains("CVMFS client: " + client, NAME + ": revision 1");

    engine()
        .ok(
            "run",
            "--name",
            "one",
            "--network",
            "none",
            "thin:1",
            "sh",
            "-c",
            "echo own > /etc/own; rm /etc/kept; rm -r /opaque");
    assertThat(engine().ok("diff", "one").lines())
        .containsExactlyInAnyOrder("C /etc", "A /etc/own", "D /etc/kept", "D /opaque");
    engine().ok("commit", "one", "committed:1");
    assertThat(engine().run("committed:1", "ls / /etc; cat /etc/own"))
        .contains("own")
        .doesNotContain("kept", "opaque", "gone", "thin.json");

    byte[] saved = engine().docker("save", "committed:1").expectSuccess().bytes();
    String id = engine().ok("inspect", "-f", "{{.Id}}", "committed:1");
    engine().ok("rm", "one");
    engine().ok("system", "prune", "-a", "-f");
    assertThat(folder.layersOf(plugin())).isEmpty();
    engine().ok(saved, "load");
    assertThat(engine().ok("inspect", "-f", "{{.Id}}", "committed:1")).isEqualTo(id);
    assertThat(engine().run("committed:1", "cat /etc/own")).isEqualTo("own");
  }

  @Test
  void fetchesNothingThatNobodyReads() throws Exception {
    start("embedded");
    server.forgetRequests();

    engine().run("thin:1", "cat /etc/kept");
    int forOne = server.total();
    engine().run("thin:1", "cat /etc/kept");
    int again = server.total() - forOne;
    assertThat(engine().run("thin:1", "wc -c < /large")).isEqualTo("" + ThinRepository.LARGE_BYTES);
    int more = server.total() - forOne - again;

    assertThat(forOne).isPositive();
    assertThat(again).isZero();
    assertThat(more).isEqualTo(1);
  }

  /** The embedded client ends with the driver. */
  @Test
  void aDeadClientEndsOnlyWhatReadsFromItAndThatCanBeStartedAgain() throws Exception {
    start("embedded");
    engine().ok(TarArchive.busybox().toBytes(), "import", "-c", "CMD /bin/sh", "-", "base");
    for (String image : List.of("thin:1", "base")) {
      String name = image.replace(":1", "");
      engine().ok("run", "-d", "--name", name, "--network", "none", image, "sleep", "600");
      engine().ok("exec", name, "sh", "-c", "echo own > /own");
    }

    plugin().kill();
    plugin().startAgain();

    assertThat(engine().ok("exec", "base", "cat", "/own", "/etc/group")).startsWith("own\nroot");
    assertThat(engine().run("thin:1", "cat /etc/added")).isEqualTo("added");
    Commands.Result lost = engine().docker("exec", "thin", "/bin/cat", "/etc/kept");
    assertThat(lost.exitCode()).isNotZero();
    assertThat(lost.errors() + lost.out()).containsIgnoringCase("not connected");
    assertThat(engine().docker("cp", "thin:/own", "-").errors())
        .contains(NAME, "stop its container and start it again");

    engine().ok("restart", "-t", "0", "thin");

    assertThat(engine().ok("exec", "thin", "cat", "/own", "/etc/kept")).isEqualTo("own\nkept");
    engine().ok("rm", "-f", "thin", "base");
    assertThat(folder.mountsBelow(plugin().state()))
        .allMatch(mount -> mount.endsWith("/mounts/" + NAME));
  }

  @Test
  void containersOfTheOriginalClientOutliveTheDriver() throws Exception {
    assumeTrue(program().isPresent(), "the original client is not here; LAMINA_CVMFS2 names it");
    start("cvmfs2");
    engine()
        .ok("run", "-d", "--name", "busy", "--network", "none", "thin:1", "sh", "-c", "sleep 600");

    plugin().kill();
    plugin().startAgain();

    assertThat(engine().ok("exec", "busy", "cat", "/etc/kept")).isEqualTo("kept");
    assertThat(engine().run("thin:1", "cat /etc/added")).isEqualTo("added");
    engine().ok("rm", "-f", "busy");
  }

  @Test
  void saysWhichFolderIsNotInTheRepository() throws Exception {
    start("embedded");
    engine().ok(ThinRepository.image("thin:2", "nowhere"), "load");

    Commands.Result refused = engine().docker("create", "thin:2", "sh");

    assertThat(refused.exitCode()).isNotZero();
    assertThat(refused.errors()).contains(NAME, "nowhere");
    engine().ok("system", "prune", "-a", "-f");
    assertThat(folder.layersOf(plugin())).isEmpty();
  }

  @Test
  void saysThatTheServerIsGoneAndRunsOnceItIsBack() throws Exception {
    start("embedded");
    server.goAway();

    Commands.Result refused = engine().docker("create", "thin:1", "sh");
    assertThat(refused.exitCode()).isNotZero();
    assertThat(refused.errors()).contains(NAME);
    server.comeBack();

    assertThat(engine().run("thin:1", "cat /etc/kept")).isEqualTo("kept");
  }
}
