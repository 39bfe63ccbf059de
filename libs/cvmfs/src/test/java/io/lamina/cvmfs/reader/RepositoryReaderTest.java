package io.lamina.cvmfs.reader;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.Fixture;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.SignedRepository;
import io.lamina.cvmfs.catalog.Chunk;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.cvmfs.signing.TestKeys;
import io.lamina.cvmfs.signing.Whitelist;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RepositoryReaderTest {
  private static final MasterKeys FIXTURE_KEYS = MasterKeys.parse(Fixture.publicKey());
  private static final ReaderSettings FIXTURE =
      ReaderSettings.of(Fixture.NAME, FIXTURE_KEYS, Fixture.CLOCK);

  @TempDir Path scratch;

  @Test
  void refusesAnotherRepositorysManifest() {
    RepositoryName other = new RepositoryName("other.lamina.test");

    assertThatThrownBy(() -> open(ReaderSettings.of(other, FIXTURE_KEYS, Fixture.CLOCK)))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessage(
            "repository name does not match (found fixture.lamina.test, expected"
                + " other.lamina.test)");
  }

  @Test
  void refusesAWhitelistThatNoTrustedKeySigned() {
    assertThatThrownBy(
            () -> open(ReaderSettings.of(Fixture.NAME, TestKeys.KEYS.masterKeys(), Fixture.CLOCK)))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("invalid whitelist signature");
  }

  @Test
  void refusesAnExpiredWhitelist() {
    Clock later = Clock.offset(Fixture.CLOCK, Duration.ofDays(30));

    assertThatThrownBy(() -> open(ReaderSettings.of(Fixture.NAME, FIXTURE_KEYS, later)))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("expired at 2026-12-21T23:56:19Z");
  }

  @Test
  void refusesACertificateThatIsNotOnTheWhitelist() {
    SignedRepository repository = new SignedRepository();
    Whitelist other =
        Whitelist.issue(
            SignedRepository.NAME,
            List.of(TestKeys.KEYS.certificate()),
            Whitelist.DEFAULT_LIFE,
            Fixture.CLOCK);
    repository.files().put(Whitelist.FILE_NAME, repository.keys().sign(other).bytes());

    assertThatThrownBy(() -> RepositoryReader.open(repository.files(), repository.settings()))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("is not on the whitelist");
  }

  @Test
  void refusesAnOlderManifestThanTheOneThatIsKnown() {
    assertThatThrownBy(() -> open(FIXTURE.withOldestPublishedSeconds(1795305408)))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("outdated manifest");
    open(FIXTURE.withOldestPublishedSeconds(1795305407)).close();
  }

  @Test
  void opensNestedCatalogsOnlyWhenTheyAreNeeded() {
    MemoryRepositoryFiles files = new MemoryRepositoryFiles(Fixture.files());
    try (RepositoryReader reader = RepositoryReader.open(files, FIXTURE)) {
      reader.stat(RepositoryPath.of("/layers"));
      reader.list(RepositoryPath.of("/plain"));
      long before = catalogs(files);

      reader.list(RepositoryPath.of("/layers"));

      assertThat(before).isEqualTo(1);
      assertThat(catalogs(files)).isEqualTo(2);
    }
  }

  @Test
  void listsADirectoryByTheBytesOfItsNames() {
    try (RepositoryReader reader = open(FIXTURE)) {
      assertThat(reader.list(RepositoryPath.of("/layers/cc/cc33/layerfs")))
          .extracting(stat -> new String(stat.path().name(), UTF_8))
          .containsExactly(
              ".cvmfscatalog",
              ".wh.deleted",
              "cap",
              "dev-null",
              "etc",
              "hard",
              "opq",
              "pipe",
              "suid");
    }
  }

  @Test
  void saysWhatIsMissingAndWhatIsOfAnotherType() {
    try (RepositoryReader reader = open(FIXTURE)) {
      assertThatThrownBy(() -> reader.stat(RepositoryPath.of("/plain/nothing")))
          .isInstanceOf(CvmfsException.NotFound.class)
          .hasMessage("no entry /plain/nothing in fixture.lamina.test");
      assertThatThrownBy(() -> reader.stat(RepositoryPath.of("/layers/aa/no/thing")))
          .isInstanceOf(CvmfsException.NotFound.class);
      assertThatThrownBy(() -> reader.list(RepositoryPath.of("/plain/hello.txt")))
          .isInstanceOf(CvmfsException.Rejected.class)
          .hasMessage("not a directory: /plain/hello.txt");
      assertThatThrownBy(() -> reader.open(RepositoryPath.of("/plain")))
          .isInstanceOf(CvmfsException.Rejected.class);
      assertThatThrownBy(() -> reader.readLink(RepositoryPath.of("/plain")))
          .isInstanceOf(CvmfsException.Rejected.class);
    }
  }

  @Test
  void expandsVariablesInSymbolicLinks() {
    RepositoryPath link = RepositoryPath.of("/plain/variant-link");

    try (RepositoryReader reader = open(FIXTURE)) {
      assertThat(reader.readLink(link)).isEqualTo("amd64/x".getBytes(UTF_8));
      assertThat(reader.stat(link).shownSizeBytes()).isEqualTo(7);
    }
    try (RepositoryReader reader = open(FIXTURE.withEnvironment(Map.of("CVMFS_ARCH", "riscv64")))) {
      assertThat(reader.readLink(link)).isEqualTo("riscv64/x".getBytes(UTF_8));
    }
  }

  @Test
  void showsExtendedAttributes() {
    try (RepositoryReader reader = open(FIXTURE)) {
      Map<String, byte[]> xattrs =
          reader.stat(RepositoryPath.of("/plain/hello.txt")).entry().xattrs().asMap();

      assertThat(HexFormat.of().formatHex(xattrs.getOrDefault("user.binary", new byte[0])))
          .isEqualTo("00ff10");
    }
  }

  @Test
  void givesAllNamesOfAHardLinkedFileOneInode() {
    SignedRepository repository =
        new SignedRepository()
            .editCatalog(
                "",
                "UPDATE catalog SET hardlinks = (1 << 32) | 3 WHERE name LIKE 'hard-%'",
                "UPDATE catalog SET hardlinks = (2 << 32) | 1 WHERE name = 'empty'");
    try (RepositoryReader reader =
        RepositoryReader.open(repository.files(), repository.settings())) {
      Map<Long, List<String>> names = new HashMap<>();
      reader.walk(
          RepositoryPath.ROOT,
          stat ->
              names
                  .computeIfAbsent(stat.inode(), inode -> new ArrayList<>())
                  .add(stat.path().toString()));

      assertThat(names).hasSize(61 - 2);
      assertThat(names.values())
          .contains(List.of("/plain/hard-a", "/plain/hard-b", "/plain/hard-c"));
      assertThat(reader.stat(RepositoryPath.of("/plain/hard-a")).entry().linkCount()).isEqualTo(3);
      assertThat(names.keySet()).allMatch(inode -> inode > 0);
    }
  }

  @Test
  void reachesHiddenEntriesByNameButDoesNotListThem() {
    SignedRepository repository =
        new SignedRepository()
            .editCatalog("", "UPDATE catalog SET flags = flags | 32768 WHERE name = 'hello.txt'");
    try (RepositoryReader reader =
        RepositoryReader.open(repository.files(), repository.settings())) {
      assertThat(reader.stat(RepositoryPath.of("/plain/hello.txt")).isHidden()).isTrue();
      assertThat(reader.list(RepositoryPath.of("/plain")))
          .noneMatch(stat -> stat.path().toString().endsWith("hello.txt"));
    }
  }

  @Test
  void refusesAnEntryThatIsFiledUnderAnotherPath() {
    SignedRepository repository =
        new SignedRepository()
            .editCatalog("", "UPDATE catalog SET name = 'evil' WHERE name = 'hello.txt'");
    try (RepositoryReader reader =
        RepositoryReader.open(repository.files(), repository.settings())) {
      assertThatThrownBy(() -> reader.list(RepositoryPath.of("/plain")))
          .isInstanceOf(CvmfsException.Corrupt.class)
          .hasMessage("the entry 'evil' of /plain is filed under another path");
    }
  }

  @Test
  void refusesANestedCatalogOfAnotherPlace() {
    SignedRepository repository =
        new SignedRepository()
            .editCatalog(
                "/layers",
                "UPDATE nested_catalogs SET sha1 = (SELECT sha1 FROM nested_catalogs"
                    + " WHERE path = '/layers/bb'), size = 0 WHERE path = '/layers/aa'");
    try (RepositoryReader reader =
        RepositoryReader.open(repository.files(), repository.settings())) {
      assertThatThrownBy(() -> reader.list(RepositoryPath.of("/layers/aa")))
          .isInstanceOf(CvmfsException.Corrupt.class)
          .hasMessageContaining("root prefix mismatch");
    }
  }

  @Test
  void refusesAFileWhoseLengthIsNotWhatItsCatalogSays() {
    for (String size : List.of("12", "14", "0")) {
      SignedRepository repository =
          new SignedRepository()
              .editCatalog("", "UPDATE catalog SET size = " + size + " WHERE name = 'hello.txt'");
      try (RepositoryReader reader =
          RepositoryReader.open(repository.files(), repository.settings())) {
        assertThatThrownBy(() -> content(reader, "/plain/hello.txt"))
            .as("size %s", size)
            .isInstanceOf(CvmfsException.Corrupt.class);
      }
    }
  }

  @Test
  void refusesAFileWithTheWrongCompressionFlag() {
    SignedRepository repository =
        new SignedRepository()
            .editCatalog("", "UPDATE catalog SET flags = flags | 2048 WHERE name = 'hello.txt'");
    try (RepositoryReader reader =
        RepositoryReader.open(repository.files(), repository.settings())) {
      assertThatThrownBy(() -> content(reader, "/plain/hello.txt"))
          .isInstanceOf(CvmfsException.Corrupt.class);
    }
  }

  @Test
  void readsFilesThatAreStoredAsTheyAre() throws Exception {
    SignedRepository repository = new SignedRepository();
    CompressedObject stored =
        CompressedObject.ofStored("plain text".getBytes(UTF_8), HashAlgorithm.SHA1);
    repository.store(ObjectKind.FILE, stored);
    repository.editCatalog(
        "",
        "UPDATE catalog SET flags = flags | 2048, size = 10, hash = X'%s' WHERE name = 'hello.txt'"
            .formatted(stored.hash().hex()));
    try (RepositoryReader reader =
        RepositoryReader.open(repository.files(), repository.settings())) {
      assertThat(content(reader, "/plain/hello.txt")).isEqualTo("plain text".getBytes(UTF_8));
    }
  }

  @Test
  void skipsChunksWithoutFetchingThem() throws Exception {
    MemoryRepositoryFiles files = new MemoryRepositoryFiles(Fixture.files());
    try (RepositoryReader reader = RepositoryReader.open(files, FIXTURE)) {
      byte[] whole = content(reader, "/plain/chunked.bin");
      assertThat(whole).hasSize(1_200_000);
      MemoryRepositoryFiles fresh = new MemoryRepositoryFiles(Fixture.files());
      try (RepositoryReader again = RepositoryReader.open(fresh, FIXTURE);
          InputStream in = again.open(RepositoryPath.of("/plain/chunked.bin"))) {
        assertThat(in.skip(1_000_000)).isEqualTo(1_000_000);
        assertThat(in.readAllBytes()).isEqualTo(Arrays.copyOfRange(whole, 1_000_000, 1_200_000));
        assertThat(in.skip(1)).isZero();
      }
      assertThat(fresh.opened().stream().filter(path -> path.endsWith("P"))).hasSizeLessThan(4);
    }
  }

  @Test
  void handsOutNoByteOfAChunkThatWasChanged() throws Exception {
    MemoryRepositoryFiles files = new MemoryRepositoryFiles(Fixture.files());
    try (RepositoryReader reader = RepositoryReader.open(files, FIXTURE)) {
      List<Chunk> chunks = reader.stat(RepositoryPath.of("/plain/chunked.bin")).entry().chunks();
      String path = ObjectKind.CHUNK.pathOf(chunks.get(1).hash());
      byte[] changed = files.content(path).clone();
      changed[changed.length - 1] ^= 1;
      files.put(path, changed);

      try (InputStream in = reader.open(RepositoryPath.of("/plain/chunked.bin"))) {
        assertThat(in.readNBytes((int) chunks.getFirst().sizeBytes()))
            .hasSize((int) chunks.getFirst().sizeBytes());
        assertThatThrownBy(in::read)
            .isInstanceOf(CvmfsException.Corrupt.class)
            .hasMessageContaining(path + " was changed");
      }
    }
  }

  @Test
  void readsLargeObjectsThroughTheScratchFolderAndLeavesNothingThere() throws Exception {
    SignedRepository repository = new SignedRepository();
    byte[] large = new byte[VerifiedObjects.MAX_IN_MEMORY_BYTES + 12_345];
    new Random(7).nextBytes(large);
    CompressedObject object = CompressedObject.ofStored(deflate(large), HashAlgorithm.SHA1);
    repository.store(ObjectKind.FILE, object);
    repository.editCatalog(
        "",
        "UPDATE catalog SET size = %d, hash = X'%s' WHERE name = 'hello.txt'"
            .formatted(large.length, object.hash().hex()));
    try (RepositoryReader reader =
        RepositoryReader.open(repository.files(), repository.settings().withScratch(scratch))) {
      try (InputStream in = reader.open(RepositoryPath.of("/plain/hello.txt"))) {
        assertThat(scratch).isNotEmptyDirectory();
        assertThat(in.readAllBytes()).isEqualTo(large);
      }
      assertThat(scratch).isEmptyDirectory();

      byte[] changed = object.bytes().clone();
      changed[changed.length / 2] ^= 1;
      repository.files().put(ObjectKind.FILE.pathOf(object.hash()), changed);
      assertThatThrownBy(() -> reader.open(RepositoryPath.of("/plain/hello.txt")))
          .isInstanceOf(CvmfsException.Corrupt.class);
      assertThat(scratch).isEmptyDirectory();
    }
  }

  @Test
  void stopsReadingAnObjectThatIsLongerThanItsContentNeeds() {
    SignedRepository repository = new SignedRepository();
    byte[] endless = new byte[1 << 20];
    ContentHash hash =
        repository.store(ObjectKind.FILE, CompressedObject.ofStored(endless, HashAlgorithm.SHA1));
    repository.editCatalog(
        "", "UPDATE catalog SET hash = X'%s' WHERE name = 'hello.txt'".formatted(hash.hex()));
    try (RepositoryReader reader =
        RepositoryReader.open(repository.files(), repository.settings())) {
      assertThatThrownBy(() -> content(reader, "/plain/hello.txt"))
          .isInstanceOf(CvmfsException.Corrupt.class)
          .hasMessageContaining("more than the 4109 stored bytes");
    }
  }

  @Test
  void showsTheRevisionOfATag() {
    try (RepositoryReader reader = open(FIXTURE);
        RepositoryReader first = reader.atTag("first")) {
      assertThat(reader.tags())
          .extracting(Tag::name)
          .contains("first", "second", "trunk", "trunk-previous");
      assertThat(first.rootCatalog())
          .isEqualTo(ContentHash.parse("be83219f740e8a1b437c65e62a696fb7317d8c77"));
      assertThat(first.stat(RepositoryPath.of("/plain/hello.txt")).entry().sizeBytes())
          .isNotEqualTo(reader.stat(RepositoryPath.of("/plain/hello.txt")).entry().sizeBytes());
      assertThatThrownBy(() -> reader.atTag("none"))
          .isInstanceOf(CvmfsException.NotFound.class)
          .hasMessage("no such tag: none in fixture.lamina.test");
    }
  }

  private static RepositoryReader open(ReaderSettings settings) {
    return RepositoryReader.open(new MemoryRepositoryFiles(Fixture.files()), settings);
  }

  private static byte[] content(RepositoryReader reader, String path) throws IOException {
    try (InputStream in = reader.open(RepositoryPath.of(path))) {
      return in.readAllBytes();
    }
  }

  private static long catalogs(MemoryRepositoryFiles files) {
    return files.opened().stream().filter(path -> path.endsWith("C")).count();
  }

  private static byte[] deflate(byte[] content) {
    Deflater deflater = new Deflater(1);
    deflater.setInput(content);
    deflater.finish();
    byte[] out = new byte[content.length + content.length / 100 + 1024];
    int length = deflater.deflate(out);
    deflater.end();
    return Arrays.copyOf(out, length);
  }
}
