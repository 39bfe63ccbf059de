package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lamina.linux.Mounts;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountCommandIT {
  private static final String NAME = "mounted.example.org";

  @TempDir Path folder = Path.of(".");

  @Test
  void mountsARepositoryUntilItIsUnmounted() throws Exception {
    assumeTrue(Files.exists(Path.of("/dev/fuse")), "this machine has no /dev/fuse");
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting needs root");
    Path point = Files.createDirectory(folder.resolve("mnt")).toRealPath();
    String repository = created();

    CompletableFuture<CommandRun> run =
        CompletableFuture.supplyAsync(
            () ->
                CommandRun.of(
                    "mount",
                    repository,
                    point.toString(),
                    "--json",
                    "--cache",
                    folder.resolve("cache").toString()));
    try {
      while (!Mounts.isMounted(point) && !run.isDone()) {
        Thread.onSpinWait();
      }
      assertThat(run.isDone() ? run.get().err() : "").isEmpty();
      assertThat(Files.isDirectory(point)).isTrue();
      assertThat(Files.getAttribute(point, "user:fqrn"))
          .isEqualTo(NAME.getBytes(StandardCharsets.US_ASCII));
    } finally {
      Mounts.detach(point);
    }

    CommandRun done = run.get(60, TimeUnit.SECONDS);
    assertThat(done.exitCode()).isZero();
    assertThat(done.out().lines())
        .hasSize(2)
        .first()
        .asString()
        .contains("\"mounted\":\"" + point + "\"", "\"stale\":false");
    assertThat(done.out()).contains("\"fetchedObjects\":", "\"cache\":{\"objects\":");
  }

  @Test
  void saysWhatIsWrong() {
    String repository = created();

    assertThat(
            CommandRun.of(
                "mount",
                repository,
                folder.resolve("none").toString(),
                "--cache",
                folder.resolve("c").toString()))
        .satisfies(
            run -> {
              assertThat(run.exitCode()).isEqualTo(ExitCode.REFUSED.number());
              assertThat(run.err()).contains("cannot mount on").contains("no such folder");
            });
    assertThat(CommandRun.of("mount", repository, folder.toString(), "--proxy", "ftp://x").err())
        .contains("not a proxy");
    assertThat(CommandRun.of("mount", "s3:http://h/b", folder.toString(), "--key", "k").err())
        .contains("reads over HTTP or from a folder");
  }

  private String created() {
    assertThat(
            CommandRun.of("repo", "create", NAME, "--data", folder.resolve("data").toString())
                .exitCode())
        .isZero();
    return folder.resolve("data").resolve("cvmfs").resolve(NAME).toString();
  }
}
