package io.lamina.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.signing.RepositoryKeys;
import io.lamina.cvmfs.signing.SignedWhitelist;
import io.lamina.storage.LocalObjectStore;
import io.lamina.storage.StorageLocation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RepositoriesTest {
  private static final RepositoryName NAME = TestRepository.NAME;
  private static final Clock CLOCK = TestRepository.CLOCK;

  @TempDir Path data;
  private Repositories repositories =
      new Repositories(Path.of("."), location -> new io.lamina.storage.InMemoryObjectStore(CLOCK));

  @BeforeEach
  void openDataFolder() throws IOException {
    repositories =
        new Repositories(
            data,
            location ->
                LocalObjectStore.open(
                    ((StorageLocation.Local) location).folder(),
                    LocalObjectStore.Settings.STANDARD,
                    CLOCK,
                    new Random(1)));
    // Making keys takes a second; these are what an earlier creation would have left.
    TestRepository.keys().save(data.resolve("keys"));
  }

  @Test
  void makesARepositoryAsAWebServerServesIt() throws IOException {
    try (Repository created = create()) {
      assertThat(created.manifest().manifest().revision()).isZero();
    }

    Path folder = data.resolve("cvmfs").resolve(NAME.value());
    assertThat(folder.resolve(".cvmfspublished")).isRegularFile();
    assertThat(folder.resolve(".cvmfswhitelist")).isRegularFile();
    assertThat(folder.resolve(".cvmfsreflog")).isRegularFile();
    assertThat(folder.resolve(".cvmfs_master_replica")).isRegularFile();
    try (var folders = Files.list(folder.resolve("data"))) {
      assertThat(folders.filter(f -> f.getFileName().toString().matches("[0-9a-f]{2}")))
          .hasSize(256);
    }
    assertThat(repositories.list()).containsExactly(NAME);
    try (Repository opened = repositories.open(NAME)) {
      RepositoryChecker.check(opened.store());
      assertThat(
              SignedWhitelist.parse(Files.readAllBytes(folder.resolve(".cvmfswhitelist")))
                  .verify(NAME, TestRepository.keys().masterKeys(), CLOCK.instant())
                  .expiresAt())
          .isEqualTo(CLOCK.instant().plus(Duration.ofDays(30)));
    }
  }

  @Test
  void deletesARepositoryAndKeepsItsKeys() throws IOException {
    create().close();
    Contents before = repositories.contents(NAME);

    Contents deleted = repositories.delete(NAME);

    assertThat(deleted).isEqualTo(before);
    assertThat(deleted.files()).isGreaterThan(4);
    assertThat(repositories.list()).isEmpty();
    assertThat(data.resolve("cvmfs").resolve(NAME.value())).doesNotExist();
    assertThat(data.resolve("keys").resolve(NAME + ".masterkey")).isRegularFile();
    assertThatThrownBy(() -> repositories.delete(NAME))
        .isInstanceOf(RepositoryException.NotFound.class);
    try (Repository again = create()) {
      RepositoryChecker.check(again.store());
    }
  }

  @Test
  void finishesADeletionThatWasInterrupted() throws IOException {
    create().close();
    Files.delete(data.resolve("cvmfs").resolve(NAME.value()).resolve(".cvmfspublished"));

    repositories.delete(NAME);

    assertThat(repositories.list()).isEmpty();
    assertThat(data.resolve("cvmfs").resolve(NAME.value())).doesNotExist();
  }

  @Test
  void aDeletionFollowsNoLinkOutOfTheFolder() throws IOException {
    create().close();
    Path outside = Files.createDirectory(data.resolve("outside"));
    Files.writeString(outside.resolve("file"), "precious");
    Path folder = data.resolve("cvmfs").resolve(NAME.value());
    Files.createSymbolicLink(folder.resolve("link"), outside);

    repositories.delete(NAME);

    assertThat(folder).doesNotExist();
    assertThat(outside.resolve("file")).hasContent("precious");
  }

  @Test
  void makesKeysWhereThereAreNone() {
    RepositoryName other = new RepositoryName("other.lamina.example");
    try (Repository created =
        repositories.create(
            RepositoryDefinition.inDataFolder(
                other, RepositoryDefinition.Settings.DEFAULT, TestRepository.CREATED),
            new SecureRandom(),
            CLOCK)) {
      RepositoryKeys keys = created.loadKeys();
      assertThat(keys.hasMasterKey()).isTrue();
      created.manifest().verify(keys.certificate());
      assertThat(data.resolve("keys/other.lamina.example.masterkey")).isRegularFile();
    }
  }

  @Test
  void refusesToOverwriteARepository() {
    create().close();

    assertThatThrownBy(this::create)
        .isInstanceOf(RepositoryException.Rejected.class)
        .hasMessageContaining("exists already");
  }

  @Test
  void adoptsWhatAnInterruptedCreationLeft() throws IOException {
    create().close();
    Files.delete(data.resolve("repositories/" + NAME + ".json"));

    try (Repository again = create()) {
      assertThat(again.definition().createdAt()).isEqualTo(TestRepository.CREATED);
      RepositoryChecker.check(again.store());
    }
  }

  @Test
  void refusesStorageThatHoldsSomethingElse() throws IOException {
    try (Repository created = create();
        RepositoryWriter writer =
            new RepositoryWriter(
                created.definition(),
                created.store(),
                created.loadKeys(),
                java.util.Optional.empty())) {
      writer.commit(
          java.util.List.of(TestRepository.link("/r/a", "x")),
          TestRepository.TIME,
          TestRepository.RECORDER);
    }
    Files.delete(data.resolve("repositories/" + NAME + ".json"));

    assertThatThrownBy(this::create)
        .isInstanceOf(RepositoryException.Rejected.class)
        .hasMessageContaining("at revision 1; nothing was changed");
  }

  @Test
  void saysHowToCreateWhatIsMissing() {
    assertThatThrownBy(() -> repositories.open(NAME))
        .isInstanceOf(RepositoryException.NotFound.class)
        .hasMessageContaining("lamina repo create " + NAME);
  }

  @Test
  void readsBackEverySettingAndRefusesUnknownOnes() throws IOException {
    RepositoryDefinition definition =
        new RepositoryDefinition(
            NAME,
            java.util.Optional.of(
                StorageLocation.parse("s3:https://s3.example/bucket/prefix?region=cern")),
            java.util.Optional.of(Path.of("/secrets/keys")),
            new RepositoryDefinition.Backend.CvmfsServer(
                java.net.URI.create("http://stratum0.example/cvmfs/x"),
                Path.of("/secrets/x.pub"),
                Path.of("/opt/cvmfs_server"),
                Path.of("/mnt/x"),
                Path.of("/spool/x"),
                Duration.ofSeconds(77),
                true),
            new RepositoryDefinition.Settings(Duration.ofSeconds(61), false, false, false, 7),
            TestRepository.CREATED);
    byte[] text = RepositoryDefinitionJson.encode(definition);
    Path file = Path.of("x.json");

    assertThat(RepositoryDefinitionJson.decode(text, file)).isEqualTo(definition);
    String typo = new String(text, StandardCharsets.UTF_8).replace("\"flat\"", "\"falt\"");
    assertThatThrownBy(
            () -> RepositoryDefinitionJson.decode(typo.getBytes(StandardCharsets.UTF_8), file))
        .isInstanceOf(RepositoryException.Rejected.class)
        .hasMessageContaining("x.json")
        .hasMessageContaining("unknown field 'falt'");
    String newer =
        new String(text, StandardCharsets.UTF_8).replace("\"version\" : 1", "\"version\" : 2");
    assertThatThrownBy(
            () -> RepositoryDefinitionJson.decode(newer.getBytes(StandardCharsets.UTF_8), file))
        .hasMessageContaining("version 2");
  }

  @Test
  void renewsTheWhitelistInTime() {
    try (Repository created = create()) {
      Instant expiry = CLOCK.instant().plus(Duration.ofDays(30));
      assertThat(renewAt(created, expiry.minus(Duration.ofDays(20))))
          .isEqualTo(new WhitelistState(WhitelistState.Verdict.VALID, expiry));
      Instant late = expiry.minus(Duration.ofDays(5));
      assertThat(renewAt(created, late))
          .isEqualTo(
              new WhitelistState(WhitelistState.Verdict.RENEWED, late.plus(Duration.ofDays(30))));
    }
  }

  @Test
  void saysThatTheWhitelistIsDueWhereTheMasterKeyIsNot() throws IOException {
    try (Repository created = create()) {
      Files.delete(data.resolve("keys/" + NAME + ".masterkey"));
      Instant expiry = CLOCK.instant().plus(Duration.ofDays(30));

      assertThat(renewAt(created, expiry.minus(Duration.ofDays(5))).verdict())
          .isEqualTo(WhitelistState.Verdict.DUE);
      assertThat(renewAt(created, expiry.plusSeconds(1)).verdict())
          .isEqualTo(WhitelistState.Verdict.EXPIRED);
      assertThatThrownBy(() -> created.signWhitelist(Duration.ofDays(30), CLOCK))
          .isInstanceOf(RepositoryException.Rejected.class)
          .hasMessageContaining(NAME + ".masterkey");
    }
  }

  private static WhitelistState renewAt(Repository repository, Instant now) {
    return repository.renewWhitelist(
        Duration.ofDays(10), Duration.ofDays(30), Clock.fixed(now, ZoneOffset.UTC));
  }

  private Repository create() {
    return repositories.create(TestRepository.definition(), new SecureRandom(), CLOCK);
  }
}
