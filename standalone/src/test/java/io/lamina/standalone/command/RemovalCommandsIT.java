package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Images go from a repository, and garbage from its storage, by command lines. */
@Timeout(300)
class RemovalCommandsIT {
  private static final RepositoryName NAME = new RepositoryName("tidy.lamina.test");

  @TempDir Path folder;

  @Test
  void takesAwayWhatIsNamedAndDeletesOnlyWhatNothingRefersToAndAtLastEverything()
      throws IOException {
    try (CommandSite site = CommandSite.start(folder, NAME)) {
      String app = site.host() + "/team/app:";
      TestImage first = image("first");
      TestImage second = image("second");
      site.publish("team/app", "1", first);
      site.publish("team/app", "2", second);
      String shared = layerPath(first, 0);

      CommandRun rehearsal =
          run(
              site,
              "prune",
              NAME.value(),
              "--matching",
              app + "*",
              "--keep-last",
              "1",
              "--dry-run");
      assertThat(rehearsal.exitCode()).as(rehearsal.err()).isZero();
      assertThat(rehearsal.out()).contains("team/app:1").doesNotContain("team/app:2");
      assertThat(exists(site, app + "1")).isTrue();

      CommandRun removal = run(site, "remove", app + "1", "--repo", NAME.value(), "--wait");
      assertThat(removal.exitCode()).as(removal.err() + removal.out()).isZero();
      assertThat(exists(site, app + "1")).isFalse();
      assertThat(exists(site, layerPath(first, 1))).isFalse();
      assertThat(exists(site, app + "2")).isTrue();
      assertThat(exists(site, shared)).isTrue();

      Path garbage = garbage(site);
      CommandRun count = run(site, "gc", NAME.value(), "--dry-run", "--wait");
      assertThat(count.exitCode()).as(count.err() + count.out()).isZero();
      assertThat(garbage).exists();

      CommandRun collection = run(site, "gc", NAME.value(), "--wait");
      assertThat(collection.exitCode()).as(collection.err() + collection.out()).isZero();
      assertThat(garbage).doesNotExist();
      CommandRun check = CommandRun.of("check", site.repositoryFolder().toString());
      assertThat(check.exitCode()).as(check.err() + check.out()).isZero();

      CommandRun looked = CommandRun.of("repo", "delete", NAME.value(), "--data", site.data());
      assertThat(looked.out()).contains("would delete");
      assertThat(exists(site, app + "2")).isTrue();
      CommandRun deleted =
          CommandRun.of("repo", "delete", NAME.value(), "--data", site.data(), "--yes");
      assertThat(deleted.exitCode()).as(deleted.err() + deleted.out()).isZero();
      assertThat(site.repositoryFolder()).doesNotExist();
      CommandRun refused = run(site, "convert", app + "2", "--repo", NAME.value(), "--wait");
      assertThat(refused.exitCode()).isNotZero();
      assertThat(refused.err()).contains(NAME.value());
    }
  }

  private static CommandRun run(CommandSite site, String... arguments) {
    String[] all = Arrays.copyOf(arguments, arguments.length + 2);
    all[arguments.length] = "--gateway";
    all[arguments.length + 1] = site.gateway();
    return CommandRun.of(all);
  }

  /** An object that nothing has referred to for longer than any grace. */
  private static Path garbage(CommandSite site) throws IOException {
    Path object =
        Files.write(
            Files.createDirectories(site.repositoryFolder().resolve("data/ab"))
                .resolve("cd".repeat(19)),
            new byte[] {1, 2, 3});
    Files.setLastModifiedTime(object, FileTime.from(Instant.now().minus(Duration.ofDays(30))));
    return object;
  }

  private static boolean exists(CommandSite site, String path) {
    return site.read(
        reader -> {
          try {
            reader.stat(RepositoryPath.of("/" + path));
            return true;
          } catch (CvmfsException.NotFound e) {
            return false;
          }
        });
  }

  private static String layerPath(TestImage image, int layer) {
    String hex = image.layers().get(layer).blob().digest().hex();
    return ".layers/" + hex.substring(0, 2) + "/" + hex;
  }

  private static TestImage image(String content) {
    return ImageBuilder.docker()
        .layer(Compression.GZIP, tar -> tar.file("base", 0644, "shared"))
        .layer(
            Compression.GZIP,
            tar -> tar.file("which", 0644, content.getBytes(StandardCharsets.UTF_8)))
        .build();
  }
}
