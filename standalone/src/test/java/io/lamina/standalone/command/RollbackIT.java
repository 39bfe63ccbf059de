package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.reader.LocalRepositoryFiles;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryReader;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ReferenceRegistry;
import io.lamina.image.testing.TarBuilder;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.client.GatewayClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
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
    ReferenceRegistry.assumeInstalled();
    try (ReferenceRegistry registry =
            ReferenceRegistry.start(Files.createDirectory(folder.resolve("registry")));
        EmbeddedLamina lamina = EmbeddedLamina.start(folder.resolve("data"), 0);
        GatewayClient gateway = new GatewayClient(lamina.address(), Optional.empty())) {
      gateway.post(
          "/api/v1/repositories",
          new ObjectMapper().createObjectNode().put("name", NAME.value()),
          Map.of());
      String image = registry.host() + "/team/app:1";
      String at = lamina.address().toString();
      push(registry, "first");
      convert(image, at);
      String firstTree = target(lamina, image);
      push(registry, "second");
      convert(image, at);
      assertThat(target(lamina, image)).isNotEqualTo(firstTree);

      CommandRun never =
          run(
              "rollback",
              NAME.value(),
              image + "0",
              "--to",
              "1",
              "--data",
              data(),
              "--gateway",
              at);
      CommandRun back =
          run(
              "rollback",
              NAME.value(),
              image,
              "--to",
              "1",
              "--wait",
              "--data",
              data(),
              "--gateway",
              at);

      assertThat(never.exitCode()).isEqualTo(ExitCode.NOT_FOUND.number());
      assertThat(never.err()).contains("was not in " + NAME + " at revision 1");
      assertThat(back.exitCode()).as(back.err() + back.out()).isZero();
      assertThat(target(lamina, image)).isEqualTo(firstTree);
      CommandRun history = run("history", NAME.value(), image, "--data", data());
      assertThat(history.out().lines().map(line -> line.strip().split(" ")[0]))
          .as(history.err())
          .containsExactly("1", "2", "3");
    }
  }

  private String data() {
    return folder.resolve("data").toString();
  }

  private static void push(ReferenceRegistry registry, String content) {
    registry.push(
        "team/app",
        "1",
        ImageBuilder.docker()
            .layer(
                TarBuilder.Compression.GZIP,
                tar -> tar.file("which", 0644, content.getBytes(StandardCharsets.UTF_8)))
            .build());
  }

  private static void convert(String image, String gateway) {
    CommandRun run = run("convert", image, "--repo", NAME.value(), "--wait", "--gateway", gateway);
    assertThat(run.exitCode()).as(run.err() + run.out()).isZero();
  }

  private static String target(EmbeddedLamina lamina, String image) {
    ReaderSettings settings =
        ReaderSettings.of(NAME, MasterKeys.load(lamina.publicKey(NAME)), Clock.systemUTC());
    try (LocalRepositoryFiles files = new LocalRepositoryFiles(lamina.repositoryFolder(NAME));
        RepositoryReader reader = RepositoryReader.open(files, settings)) {
      return new String(
          reader.stat(RepositoryPath.of("/" + image)).entry().symlinkTarget(),
          StandardCharsets.UTF_8);
    }
  }

  private static CommandRun run(String... arguments) {
    return CommandRun.of(arguments);
  }
}
