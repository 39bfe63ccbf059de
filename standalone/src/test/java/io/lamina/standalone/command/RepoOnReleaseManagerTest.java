package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Creating and describing a repository whose transactions the original tools write. */
class RepoOnReleaseManagerTest {
  private static final String NAME = "images.example.org";

  @TempDir Path folder = Path.of(".");

  private CommandRun create(String... more) {
    String[] arguments = new String[6 + more.length];
    arguments[0] = "repo";
    arguments[1] = "create";
    arguments[2] = NAME;
    arguments[3] = "--json";
    arguments[4] = "--data";
    arguments[5] = folder.resolve("ours").toString();
    System.arraycopy(more, 0, arguments, 6, more.length);
    return CommandRun.of(arguments);
  }

  @Test
  void describesWhatTheReleaseManagerShows() {
    Path theirs = folder.resolve("theirs");
    assertThat(CommandRun.of("repo", "create", NAME, "--data", theirs.toString()).exitCode())
        .isZero();

    CommandRun created =
        create(
            "--backend",
            "cvmfs_server",
            "--server-url",
            theirs.resolve("cvmfs").resolve(NAME).toUri().toString(),
            "--server-key",
            theirs.resolve("keys").resolve(NAME + ".pub").toString());
    CommandRun info =
        CommandRun.of("repo", "info", NAME, "--data", folder.resolve("ours").toString());

    assertThat(created.err()).isEmpty();
    assertThat(created.exitCode()).isZero();
    assertThat(info.out())
        .containsPattern("backend +cvmfs_server")
        .containsPattern("serverCommand +/usr/bin/cvmfs_server")
        .containsPattern("serverRevision +0")
        .containsPattern("serverShows +nothing of ours");
  }

  @Test
  void refusesAReleaseManagerThatCannotBeReadAndMakesNothing() {
    CommandRun created =
        create("--backend", "cvmfs_server", "--server-url", "file://" + folder.resolve("nothing"));

    assertThat(created.exitCode()).isNotZero();
    assertThat(created.err()).contains("the release manager's repository " + NAME);
    assertThat(folder.resolve("ours").resolve("repositories")).doesNotExist();
  }

  @Test
  void refusesAnUnknownBackendAndOptionsThatDoNotFit() {
    assertThat(create("--backend", "magic").err())
        .contains("--backend is native or cvmfs_server, not magic");
    assertThat(create("--server-key", "x.pub").err())
        .contains("the options of a release manager are for --backend cvmfs_server");
  }
}
