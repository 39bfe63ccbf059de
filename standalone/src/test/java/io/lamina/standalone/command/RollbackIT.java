package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.TarBuilder;
import io.lamina.image.testing.TestImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A tag moves on in its registry, and is set back in the repository. */
@Timeout(300)
class RollbackIT {
  private static final RepositoryName NAME = new RepositoryName("tags.lamina.test");

  @TempDir Path folder;

  @Test
  void aTagIsSetBackToWhatItShowedAtAnEarlierRevision() throws IOException {
    try (CommandSite site = CommandSite.start(folder, NAME)) {
      String image = site.host() + "/team/app:1";
      site.publish("team/app", "1", image("first"));
      String firstTree = site.target(image);
      site.publish("team/app", "1", image("second"));
      assertThat(site.target(image)).isNotEqualTo(firstTree);

      CommandRun never = rollback(site, image + "0");
      CommandRun back = rollback(site, image, "--wait");

      assertThat(never.exitCode()).isEqualTo(ExitCode.NOT_FOUND.number());
      assertThat(never.err()).contains("was not in " + NAME + " at revision 1");
      assertThat(back.exitCode()).as(back.err() + back.out()).isZero();
      assertThat(site.target(image)).isEqualTo(firstTree);
      CommandRun history = CommandRun.of("history", NAME.value(), image, "--data", site.data());
      assertThat(history.out().lines().map(line -> line.strip().split(" ")[0]))
          .as(history.err())
          .containsExactly("1", "2", "3");
    }
  }

  private static CommandRun rollback(CommandSite site, String image, String... more) {
    return CommandRun.of(
        Stream.concat(
                Stream.of("rollback", NAME.value(), image, "--to", "1"),
                Stream.concat(
                    Stream.of("--data", site.data(), "--gateway", site.gateway()), Stream.of(more)))
            .toArray(String[]::new));
  }

  private static TestImage image(String content) {
    return ImageBuilder.docker()
        .layer(
            TarBuilder.Compression.GZIP,
            tar -> tar.file("which", 0644, content.getBytes(StandardCharsets.UTF_8)))
        .build();
  }
}
