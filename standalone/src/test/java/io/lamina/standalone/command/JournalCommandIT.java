package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.SignedManifest;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ImageFiles;
import io.lamina.image.testing.TarBuilder;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.RequestFollower;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images published by the whole pipeline, and their repository rebuilt from its journal. */
class JournalCommandIT {
  private static final RepositoryName NAME = new RepositoryName("lost.lamina.test");
  private static final int IMAGES = 3;

  @TempDir Path folder;

  @Test
  void aLostRepositoryIsRebuiltFromItsJournal() throws IOException {
    Path data = folder.resolve("data");
    publish(data);
    Manifest original = manifest(data);
    String file = folder.resolve("lost.journal").toString();

    CommandRun export = run("journal", "export", file, "--data", data.toString());
    assertThat(export.exitCode()).as(export.err()).isZero();
    assertThat(export.out()).contains(NAME + ": 3 transactions, revisions 1 to 3");
    assertThat(run("journal", "export", file, "--data", data.toString()).exitCode())
        .as("a file that is there is not replaced")
        .isEqualTo(ExitCode.REFUSED.number());
    assertThat(run("journal", "verify", file).out())
        .contains("revisions 1 to 3")
        .contains(original.rootCatalog().toString());
    assertThat(run("history", NAME.value(), "--from", file).out().lines()).hasSize(IMAGES);
    CommandRun history =
        run("history", NAME.value(), "oci:" + folder.resolve("image1"), "--from", file);
    assertThat(history.out().lines()).as(history.err()).hasSize(1);
    assertThat(history.out()).startsWith("     2  ").contains(" = sha256:");
    CommandRun again = run("journal", "import", file, "--data", data.toString());
    assertThat(again.out()).as(again.err()).contains("0 transactions imported, 3 were there");

    Path elsewhere = folder.resolve("elsewhere");
    CommandRun part =
        run(
            "replay",
            "--from",
            file,
            "--to",
            NAME.value(),
            "--data",
            elsewhere.toString(),
            "--objects",
            data.resolve("cvmfs/" + NAME).toString(),
            "--until",
            "2");
    assertThat(part.exitCode()).as(part.err() + part.out()).isZero();
    assertThat(manifest(elsewhere).revision()).isEqualTo(2);
    CommandRun rest =
        run(
            "replay",
            "--from",
            file,
            "--to",
            NAME.value(),
            "--data",
            elsewhere.toString(),
            "--objects",
            data.resolve("cvmfs/" + NAME).toString(),
            "--verify",
            "EVERY_OBJECT");
    assertThat(rest.exitCode()).as(rest.err() + rest.out()).isZero();
    assertThat(rest.out()).contains("as in the journal").contains("no problems found");
    assertThat(manifest(elsewhere).rootCatalog()).isEqualTo(original.rootCatalog());
    assertThat(manifest(elsewhere).revision()).isEqualTo(IMAGES);
    assertThat(manifest(elsewhere).certificate()).isNotEqualTo(original.certificate());

    // The manifest is lost where the objects are; the topic and the keys are there.
    Files.delete(data.resolve("cvmfs/" + NAME + "/.cvmfspublished"));
    CommandRun inPlace =
        run(
            "replay",
            "--from",
            "lamina.published",
            "--to",
            NAME.value(),
            "--data",
            data.toString());
    assertThat(inPlace.exitCode()).as(inPlace.err() + inPlace.out()).isZero();
    assertThat(manifest(data).rootCatalog()).isEqualTo(original.rootCatalog());
    assertThat(manifest(data).certificate()).isEqualTo(original.certificate());

    byte[] bytes = Files.readAllBytes(Path.of(file));
    Path cut = Files.write(folder.resolve("cut.journal"), Arrays.copyOf(bytes, bytes.length / 2));
    CommandRun refused = run("journal", "verify", cut.toString());
    assertThat(refused.exitCode()).isEqualTo(ExitCode.CORRUPT.number());
    assertThat(refused.err()).contains("is cut off after " + bytes.length / 2 + " bytes");
  }

  private static CommandRun run(String... arguments) {
    return CommandRun.of(arguments);
  }

  private static Manifest manifest(Path data) throws IOException {
    return SignedManifest.parse(
            Files.readAllBytes(data.resolve("cvmfs/" + NAME + "/.cvmfspublished")))
        .manifest();
  }

  private void publish(Path data) {
    ObjectMapper json = new ObjectMapper();
    try (EmbeddedLamina lamina = EmbeddedLamina.start(data, 0);
        GatewayClient gateway = new GatewayClient(lamina.address(), Optional.empty())) {
      gateway.post(
          "/api/v1/repositories", json.createObjectNode().put("name", NAME.value()), Map.of());
      for (int i = 0; i < IMAGES; i++) {
        int number = i;
        ImageFiles.writeOciLayout(
            folder.resolve("image" + i),
            Map.of(
                "latest",
                ImageBuilder.oci()
                    .layer(
                        TarBuilder.Compression.GZIP,
                        tar -> tar.file("base", 0644, "the same".getBytes(StandardCharsets.UTF_8)))
                    .layer(
                        TarBuilder.Compression.PLAIN,
                        tar ->
                            tar.directory("own", 0755)
                                .file(
                                    "own/file",
                                    0600,
                                    ("number " + number).getBytes(StandardCharsets.UTF_8)))
                    .build()));
        ObjectNode body = json.createObjectNode();
        body.put("image", "oci:" + folder.resolve("image" + i)).put("repository", NAME.value());
        JsonNode accepted = gateway.post("/api/v1/conversions", body, Map.of());
        JsonNode end =
            new RequestFollower(gateway)
                .follow(accepted.path("links").path("self").asText(), request -> {});
        assertThat(end.path("state").asText()).as(end.toString()).isEqualTo("done");
      }
    }
  }
}
