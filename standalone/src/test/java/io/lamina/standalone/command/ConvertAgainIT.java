package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.signing.SignedManifest;
import io.lamina.image.Digest;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.TarBuilder;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Repositories whose objects are gone, rebuilt from their images. */
@Timeout(180)
class ConvertAgainIT {
  private static final RepositoryName NAME = new RepositoryName("lost.lamina.test");

  @TempDir static Path folder;

  private static CommandSite site;
  private static Path journal;
  private static TestImage web;
  private static TestImage laterWeb;
  private static TestImage api;

  @TempDir Path elsewhere;

  @BeforeAll
  static void publish() throws IOException {
    site = CommandSite.start(folder, NAME);
    web = image("web", "first");
    laterWeb = image("web", "second");
    api = image("api", "only");
    site.publish("team/web", "1", web);
    site.publish("team/api", "1", api);
    // The first one's tree stays until somebody collects it.
    site.publish("team/web", "1", laterWeb);
    journal = folder.resolve("lost.journal");
    CommandRun export = run("journal", "export", journal.toString(), "--data", site.data());
    assertThat(export.exitCode()).as(export.err()).isZero();
  }

  @AfterAll
  static void stop() {
    if (site != null) {
      site.close();
    }
  }

  private static TestImage image(String name, String version) {
    return ImageBuilder.oci()
        .layer(Compression.GZIP, ConvertAgainIT::base)
        .layer(Compression.GZIP, own(name + version))
        .layer(Compression.PLAIN, tar -> tar.whiteout("opt/gone/file").file("top", 0600, name))
        .build();
  }

  private static void base(TarBuilder tar) {
    byte[] large = new byte[6 << 20];
    new Random(1).nextBytes(large);
    tar.directory("etc", 0755).file("etc/name", 0644, "base").file("etc/large", 0644, large);
  }

  /** Its folders are made up: they get the time that the conversion records. */
  private static Consumer<TarBuilder> own(String text) {
    return tar -> tar.file("opt/" + text + "/deep/file", 0644, text.repeat(300));
  }

  private static CommandRun run(String... arguments) {
    return CommandRun.of(arguments);
  }

  private CommandRun replay(Object... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "replay",
                "--from",
                journal.toString(),
                "--to",
                NAME.value(),
                "--data",
                elsewhere.toString(),
                "--verify",
                "EVERY_OBJECT"));
    Stream.of(more).map(Object::toString).forEach(arguments::add);
    return run(arguments.toArray(String[]::new));
  }

  private void assertSameRoot(CommandRun run) throws IOException {
    assertThat(run.exitCode()).as(run.err() + run.out()).isZero();
    assertThat(run.out()).contains("as in the journal").contains("no problems found");
    assertThat(manifest(elsewhere.resolve("cvmfs/" + NAME)))
        .isEqualTo(manifest(site.repositoryFolder()));
  }

  private static String manifest(Path repository) throws IOException {
    var shown =
        SignedManifest.parse(Files.readAllBytes(repository.resolve(".cvmfspublished"))).manifest();
    return shown.revision() + " " + shown.rootCatalog();
  }

  /** All blobs of an image under their digests. */
  private Path archives(TestImage... images) throws IOException {
    Path kept = Files.createDirectories(elsewhere.resolve("kept"));
    for (TestImage image : images) {
      for (Digest layer : layers(image)) {
        Files.write(kept.resolve(layer.hex() + ".tar.gz"), image.blob(layer));
      }
    }
    return kept;
  }

  private static List<Digest> layers(TestImage image) {
    return image.layers().stream().map(layer -> layer.blob().digest()).toList();
  }

  @Test
  void everythingComesFromTheRegistryWhenAllObjectsAreLost() throws IOException {
    CommandRun replay = replay("--registries");

    assertSameRoot(replay);
    assertThat(replay.err())
        .contains("converting layer " + layers(web).get(1) + " again, from image ")
        .contains("merging image " + web.configDigest() + " again");
  }

  @Test
  void saysWhatIsMissingWhereNobodyMayBeAsked() {
    CommandRun replay = replay();

    assertThat(replay.exitCode()).isEqualTo(ExitCode.CORRUPT.number());
    assertThat(replay.out()).contains("it cannot go on, objects are in no source");
  }

  @Test
  void goesOnWithTheRegistryWhereItEndedWithout() throws IOException {
    assertThat(replay("--until", "1").exitCode()).isEqualTo(ExitCode.CORRUPT.number());
    assertThat(replay("--until", "1", "--registries").exitCode()).isZero();

    assertSameRoot(replay("--registries"));
  }

  @Test
  void obeysTheRulesOfTheConverters() throws IOException {
    Path config = elsewhere.resolve("converter.properties");
    Files.writeString(config, "images.deny=" + site.host() + "/**\nregistries.reach=anywhere\n");

    CommandRun denied = replay("--registries", "--config", config);

    assertThat(denied.exitCode()).as(denied.err()).isEqualTo(ExitCode.CORRUPT.number());
    assertThat(denied.out()).contains("images.deny");
    Files.writeString(config, "registries.reach=site\n");
    CommandRun outOfReach = replay("--registries", "--config", config);
    assertThat(outOfReach.exitCode()).as(outOfReach.out()).isNotZero();
    Files.writeString(config, "registries.reach=anywhere\n");
    assertSameRoot(replay("--registries", "--config", config));
  }

  @Test
  void saysThatAnotherCompressionMadeTheOriginal() {
    CommandRun replay = replay("--registries", "--compression", "jdk-9");

    assertThat(replay.exitCode()).isEqualTo(ExitCode.CORRUPT.number());
    assertThat(replay.out())
        .contains("layer " + layers(api).getFirst() + " cannot be converted again")
        .contains("comes to catalog ")
        .contains("it was converted with another compression than jdk-9");
  }

  @Test
  void archivesOfLayersAreEnoughWhereTheMetadataIsThere() throws IOException {
    Path part = withoutLayers();
    CommandRun without = replay("--objects", part);
    assertThat(without.exitCode()).as(without.out()).isEqualTo(ExitCode.CORRUPT.number());

    Path kept = archives(web, laterWeb);
    CommandRun incomplete = replay("--objects", part, "--archives", kept);
    assertThat(incomplete.exitCode()).isEqualTo(ExitCode.CORRUPT.number());
    assertThat(incomplete.out())
        .contains("layer " + layers(api).get(1) + " cannot be converted again: ")
        .contains("no folder of archives has it");

    Path wrong = archives(api).resolve(layers(api).get(1).hex() + ".tar.gz");
    byte[] bytes = Files.readAllBytes(wrong);
    byte[] damaged = bytes.clone();
    damaged[bytes.length / 2] ^= 1;
    Files.write(wrong, damaged);
    CommandRun refused = replay("--objects", part, "--archives", kept);
    assertThat(refused.exitCode()).isEqualTo(ExitCode.CORRUPT.number());
    assertThat(refused.out()).contains(wrong + ": ").contains(layers(api).get(1).toString());
    Files.write(wrong, Arrays.copyOf(bytes, bytes.length - 1));
    assertThat(replay("--objects", part, "--archives", kept).exitCode())
        .isEqualTo(ExitCode.CORRUPT.number());

    Files.write(wrong, bytes);
    assertSameRoot(replay("--objects", part, "--archives", kept));
  }

  /** The original's files, except for what only trees of layers and images name. */
  private Path withoutLayers() throws IOException {
    Path part = elsewhere.resolve("part");
    try (Stream<Path> files = Files.walk(site.repositoryFolder())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path copy = part.resolve(site.repositoryFolder().relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
    String journalText = Files.readString(journal, StandardCharsets.UTF_8);
    var attached =
        Pattern.compile("\"catalog\":\"([0-9a-f]{2})([0-9a-f]{38})\"").matcher(journalText);
    int removed = 0;
    while (attached.find()) {
      if (Files.deleteIfExists(
          part.resolve("data/" + attached.group(1) + "/" + attached.group(2) + "C"))) {
        removed++;
      }
    }
    assertThat(removed).as("six layers and three merged trees").isEqualTo(9);
    return part;
  }
}
