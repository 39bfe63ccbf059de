package io.lamina.cvmfs.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.Fixture;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.SignedRepository;
import io.lamina.cvmfs.check.CheckSettings.Depth;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.TestKeys;
import io.lamina.cvmfs.signing.Whitelist;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RepositoryCheckTest {
  private static final String LAYER = "/layers/cc/cc33/layerfs";

  private final SignedRepository repository = new SignedRepository();

  @Test
  void findsNothingWrongBeforeTheTestsDamageIt() {
    assertThat(problems()).isEmpty();
  }

  // ---- Manifest, whitelist, certificate -----------------------------------------------------

  @Test
  void reportsAMissingManifestAndChecksNothing() {
    repository.files().remove(Manifest.FILE_NAME);

    CheckReport report = check(Depth.EVERY_OBJECT);
    assertThat(report.problems()).hasSize(1);
    assertThat(report.problems().getFirst().what()).contains("failed to fetch repository manifest");
    assertThat(report.counts().catalogs()).isZero();
  }

  @Test
  void reportsAManifestThatIsNotTrustedAndChecksTheRestNevertheless() {
    Whitelist other =
        Whitelist.issue(
            SignedRepository.NAME,
            List.of(TestKeys.KEYS.certificate()),
            Whitelist.DEFAULT_LIFE,
            Fixture.CLOCK);
    repository.files().put(Whitelist.FILE_NAME, repository.keys().sign(other).bytes());

    CheckReport report = check(Depth.EVERY_OBJECT);
    assertThat(report.problems()).hasSize(1);
    assertThat(report.problems().getFirst().what()).contains("is not on the whitelist");
    assertThat(report.counts().catalogs()).isGreaterThan(10);
  }

  @Test
  void reportsACertificateThatReplicasWouldRename() throws IOException {
    byte[] pem = repository.keys().certificate().pem();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (DeflaterOutputStream deflating = new DeflaterOutputStream(out, new Deflater(9))) {
      deflating.write(pem);
    }
    byte[] level9 = out.toByteArray();
    ContentHash hash =
        repository.store(
            ObjectKind.CERTIFICATE, CompressedObject.ofStored(level9, HashAlgorithm.SHA1));
    repository.publish(withCertificate(repository.manifest(), hash));

    assertThat(problems())
        .singleElement()
        .asString()
        .contains("not compressed as zlib level 6 does it");
  }

  // ---- Meta-info, reflog, history -----------------------------------------------------------

  @Test
  void reportsAMissingMetaInfo() {
    repository
        .files()
        .remove(ObjectKind.METAINFO.pathOf(repository.manifest().metaInfo().orElseThrow()));

    assertThat(problems()).anyMatch(p -> p.contains("failed to load repository metainfo"));
  }

  @Test
  void reportsAReflogWithoutChecksum() {
    repository.sign(repository.withReflog(Optional.empty()));

    assertThat(problems())
        .containsExactly(".cvmfsreflog: .cvmfsreflog present but no checksum provided");
  }

  @Test
  void acceptsARepositoryWithoutReflog() {
    repository.sign(repository.withReflog(Optional.empty()));
    repository.files().remove(Reflog.FILE_NAME);

    assertThat(problems()).isEmpty();
  }

  @Test
  void reportsAReflogThatWasChangedOrIsMissing() {
    byte[] reflog = repository.files().content(Reflog.FILE_NAME);
    repository.files().put(Reflog.FILE_NAME, Arrays.copyOf(reflog, reflog.length + 4096));
    assertThat(problems())
        .singleElement()
        .asString()
        .contains("the .cvmfsreflog has unexpected content hash (expected");

    repository.files().remove(Reflog.FILE_NAME);
    assertThat(problems())
        .singleElement()
        .asString()
        .contains("failed to read the log of references");
  }

  @ParameterizedTest
  @CsvSource({"C, catalog root", "X, certificate", "H, tag database", "M, metainfo"})
  void reportsAReflogThatLacksWhatTheManifestNames(String line, String name) {
    Manifest manifest = repository.manifest();
    ContentHash hash =
        switch (line) {
          case "C" -> manifest.rootCatalog();
          case "X" -> manifest.certificate();
          case "H" -> manifest.history().orElseThrow();
          default -> manifest.metaInfo().orElseThrow();
        };
    repository.editReflog("DELETE FROM refs WHERE hash = '" + hash + "'");

    assertThat(problems())
        .containsExactly(
            ".cvmfsreflog: failed to find "
                + name
                + " hash (expected "
                + hash
                + ", found nothing)");
  }

  @Test
  void reportsWhatTheReflogNamesAndNobodyHas() {
    repository.editReflog(
        "INSERT INTO refs VALUES ('1111111111111111111111111111111111111111', 0, 5)");

    assertThat(problems())
        .singleElement()
        .asString()
        .contains("that the log names, 1111111111111111111111111111111111111111 missing");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "INSERT INTO branches VALUES ('dev', '', 1)|unused, dangling branches stored: [dev]",
        "UPDATE tags SET branch = 'gone' WHERE name = 'first'|invalid branch gone in tag first",
        "UPDATE branches SET initial_revision = 2|invalid revision of tag generic-2026",
        "DELETE FROM tags|unused, dangling branches stored: []",
        "UPDATE branches SET branch = 'no good', parent = ''|invalid branch name: no good",
        "UPDATE tags SET hash = 'x' WHERE name = 'first'|bad row for tag 'first'",
        "UPDATE properties SET value = 'other' WHERE key = 'fqrn'|is of repository 'other'"
      })
  void reportsAHistoryThatContradictsItself(String sql, String message) {
    repository.editHistory(sql);

    assertThat(problems(Depth.CATALOGS)).anyMatch(p -> p.contains(message));
  }

  @Test
  void reportsAMissingHistoryAndTagsWithoutTree() {
    repository
        .files()
        .remove(ObjectKind.HISTORY.pathOf(repository.manifest().history().orElseThrow()));
    assertThat(problems(Depth.CATALOGS)).anyMatch(p -> p.contains("failed to load the tag"));

    SignedRepository other = new SignedRepository();
    other.editHistory(
        "UPDATE tags SET hash = '1111111111111111111111111111111111111111' WHERE name = 'first'");
    assertThat(check(other, Depth.EVERY_OBJECT).problems())
        .singleElement()
        .asString()
        .contains("failed to load catalog 1111111111111111111111111111111111111111");
  }

  @Test
  void reportsMissingAlternativePaths() {
    repository.publish(withAlternativePaths(repository.manifest()));

    assertThat(problems())
        .hasSize(4)
        .allMatch(p -> p.startsWith(".cvmfsalt-") && p.contains("alternative path"));
  }

  // ---- Catalogs -----------------------------------------------------------------------------

  @Test
  void reportsACatalogThatCannotBeLoadedAndGoesOnWithTheOthers() {
    List<String> catalogs =
        repository.files().paths().stream().filter(path -> path.endsWith("C")).toList();
    for (String path : catalogs) {
      repository.files().put(path, new byte[] {1});
    }
    CheckReport report = check(Depth.CATALOGS);

    assertThat(report.problems()).singleElement().asString().contains("/: failed to load catalog");
  }

  @Test
  void reportsAWrongSizeOfACatalog() {
    repository.editCatalog("", "UPDATE nested_catalogs SET size = size + 1 WHERE path = '/layers'");

    assertThat(problems())
        .anyMatch(p -> p.startsWith("/layers: ") && p.contains("catalog file size mismatch"));
  }

  @Test
  void acceptsAnUnknownSizeOfACatalog() {
    repository.editCatalog("", "UPDATE nested_catalogs SET size = NULL WHERE path = '/layers'");

    assertThat(problems()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        // 7
        "UPDATE properties SET value = '/x' WHERE key = 'root_prefix'|root prefix mismatch (expected"
            + " /layers/cc/cc33/layerfs, found /x)",
        // 8
        "DELETE FROM catalog WHERE name = 'layerfs'|failed to lookup root entry",
        "UPDATE catalog SET mode = 33188 WHERE name = 'layerfs'|root entry not a directory",
        // 9
        "UPDATE catalog SET mtime = mtime + 1 WHERE name = 'layerfs'|transition point and root entry"
            + " differ: timestamps",
        "UPDATE catalog SET mtimens = 0 WHERE name = 'layerfs'|transition point and root entry"
            + " differ: nanoseconds",
        "UPDATE catalog SET mode = mode - 1 WHERE name = 'layerfs'|transition point and root entry"
            + " differ: modes",
        "UPDATE catalog SET xattr = X'0100' WHERE name = 'layerfs'|transition point and root entry"
            + " differ: presence",
        "UPDATE catalog SET size = 1 WHERE name = 'layerfs'|transition point and root entry differ:"
            + " sizes",
        "UPDATE catalog SET flags = 1 WHERE name = 'layerfs'|nested catalog root expected but not"
            + " found",
        // 10
        "DELETE FROM catalog WHERE name = '.cvmfscatalog'|nested catalog without marker",
        // 11
        "UPDATE catalog SET parent_1 = 1 WHERE name = 'pipe'|dangling entries in catalog (expected"
            + " 13, found 12)",
        // 13
        "UPDATE statistics SET value = 9 WHERE counter = 'self_regular'|catalog statistics mismatch:"
            + " self_regular",
        "UPDATE statistics SET value = 9 WHERE counter = 'subtree_xattr'|catalog statistics mismatch:"
            + " subtree_xattr",
        "DELETE FROM statistics WHERE counter = 'self_special'|no self_special",
        // schema
        "UPDATE properties SET value = '2.6' WHERE key = 'schema'|failed to load catalog",
        "DROP TABLE chunks|failed to load catalog",
      })
  void reportsADamagedCatalog(String sql, String message) {
    repository.editCatalog(LAYER, sql);

    assertThat(problems(Depth.CATALOGS))
        .anyMatch(p -> p.startsWith(LAYER + ": ") && p.contains(message));
  }

  @ParameterizedTest
  @CsvSource({
    "self_regular",
    "self_symlink",
    "self_special",
    "self_dir",
    "self_nested",
    "self_chunked",
    "self_chunks",
    "self_file_size",
    "self_chunked_size",
    "self_xattr",
    "self_external",
    "self_external_file_size",
    "subtree_regular",
    "subtree_symlink",
    "subtree_special",
    "subtree_dir",
    "subtree_nested",
    "subtree_chunked",
    "subtree_chunks",
    "subtree_file_size",
    "subtree_chunked_size",
    "subtree_xattr",
    "subtree_external",
    "subtree_external_file_size"
  })
  void reportsEachWrongCounter(String counter) {
    repository.editCatalog(
        "", "UPDATE statistics SET value = value + 1 WHERE counter = '" + counter + "'");

    assertThat(problems(Depth.CATALOGS))
        .singleElement()
        .asString()
        .startsWith("/: catalog statistics mismatch: " + counter + " ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        // 12
        "DELETE FROM nested_catalogs|/layers: nested catalog not registered",
        "DELETE FROM nested_catalogs|/: number of nested catalogs does not match (expected 1, found"
            + " 0)",
        "UPDATE catalog SET flags = 1 WHERE name = 'layers'|/: number of nested catalogs does not"
            + " match (expected 0, found 1)",
        "INSERT INTO bind_mountpoints SELECT * FROM nested_catalogs|/layers: duplicates among nested"
            + " catalogs",
        "DELETE FROM catalog WHERE name = 'layers'|/layers: failed to lookup transition point",
        // 14
        "UPDATE catalog SET name = '' WHERE name = 'hello.txt'|/plain: empty path",
        "UPDATE catalog SET name = 'a/b' WHERE name = 'hello.txt'|/plain: bad name",
        "UPDATE catalog SET name = 'other' WHERE name = 'hello.txt'|/plain/other: filed under the"
            + " hash of another path",
        // 15
        "UPDATE catalog SET hash = NULL WHERE name = 'hello.txt'|/plain/hello.txt: regular file"
            + " pointing to zero-hash",
        "UPDATE catalog SET hash = zeroblob(20) WHERE name = 'hello.txt'|/plain/hello.txt: regular"
            + " file pointing to zero-hash",
        "UPDATE catalog SET hash = X'0102' WHERE name = 'hello.txt'|/plain/hello.txt: content hash"
            + " has a wrong length",
        // 17
        "UPDATE catalog SET hardlinks = 0 WHERE name = 'hello.txt'|/plain/hello.txt: entry has"
            + " linkcount 0",
        "UPDATE catalog SET hardlinks = 2 WHERE name = 'hello.txt'|/plain/hello.txt: invalid hardlink"
            + " group",
        "UPDATE catalog SET hardlinks = (1 << 32) + 2 WHERE name LIKE 'hard-%'|/plain/hard-a:"
            + " hardlink linkcount wrong (expected 3, found 2)",
        "UPDATE catalog SET hardlinks = (1 << 32) + 2 WHERE name IN ('hard-a',"
            + " 'hello.txt')|hardlink doesn't match",
        // 18
        "UPDATE catalog SET flags = flags + 65536 WHERE name = 'fifo'|/plain/fifo: invalid direct i/o"
            + " flag",
        "UPDATE catalog SET flags = flags + 128 WHERE name = 'fifo'|/plain/fifo: only regular files"
            + " can be external",
        // 19
        "UPDATE catalog SET hardlinks = (1 << 32) + 3 WHERE name = 'deep'|/plain/deep: directory"
            + " hardlink found",
        "UPDATE catalog SET hardlinks = 7 WHERE name = 'deep'|/plain/deep: wrong linkcount (expected"
            + " 3, found 7)",
        "UPDATE catalog SET flags = 3 WHERE name = 'deep'|/plain/deep: nested catalog not"
            + " registered",
        "UPDATE catalog SET flags = 3 WHERE name = 'deep'|/plain/deep: non-empty nested catalog"
            + " mountpoint",
        "UPDATE catalog SET flags = 16385 WHERE name = 'deep'|/plain/deep: nested catalog not"
            + " registered",
        "UPDATE catalog SET flags = 16387 WHERE name = 'layers'|/layers: bind mountpoint, nested"
            + " mountpoint and nested root are mutually exclusive",
        "UPDATE catalog SET flags = 33 WHERE name = 'deep'|/plain/deep: nested catalog root found"
            + " but not expected",
        "UPDATE catalog SET flags = 33 WHERE name = ''|/: nested catalog root found but not expected",
        "UPDATE catalog SET hash = randomblob(20) WHERE name = 'deep'|/plain/deep: directory with"
            + " hash",
        // 20
        "UPDATE catalog SET hash = randomblob(20) WHERE name = 'rel-link'|/plain/rel-link: symbolic"
            + " links with hash",
        "UPDATE catalog SET symlink = '' WHERE name = 'rel-link'|/plain/rel-link: symbolic link"
            + " without target",
        "UPDATE catalog SET symlink = NULL WHERE name = 'hello.txt'|/plain/hello.txt: no link"
            + " target",
        // 21
        "UPDATE catalog SET size = 5 WHERE name = 'fifo'|/plain/fifo: unexpected non-zero special"
            + " file size (expected 0, found 5)",
        "UPDATE catalog SET hash = randomblob(20) WHERE name = 'null'|/plain/null: special file with"
            + " hash",
        "UPDATE catalog SET symlink = 'x' WHERE name = 'null'|/plain/null: special file with non-zero"
            + " symlink",
        "UPDATE catalog SET mode = 420 WHERE name = 'hello.txt'|/plain/hello.txt: unknown file type",
        // 22
        "DELETE FROM chunks|/plain/chunked.bin: no file chunks found",
        "DELETE FROM chunks WHERE offset = 0|/plain/chunked.bin: misaligned chunk offsets",
        "UPDATE catalog SET size = size + 1 WHERE name = 'chunked.bin'|/plain/chunked.bin: chunks of"
            + " file produce a size mismatch (expected 1200001, found 1200000)",
        // beyond the original
        "UPDATE catalog SET xattr = X'02' WHERE name = 'hello.txt'|/plain/hello.txt: damaged extended"
            + " attributes",
        "UPDATE catalog SET flags = flags + 1024 WHERE name = 'hello.txt'|/plain/hello.txt: unknown"
            + " hash algorithm",
        "UPDATE catalog SET flags = flags + 4096 WHERE name = 'hello.txt'|/plain/hello.txt: unknown"
            + " compression algorithm",
      })
  void reportsADamagedEntry(String sql, String message) {
    repository.editCatalog("", sql);

    assertThat(problems(Depth.CATALOGS)).anyMatch(p -> p.contains(message));
  }

  @Test
  void reportsAnAbandonedMarker() {
    repository.editCatalog(LAYER, markerIn(LAYER + "/opq"));

    assertThat(problems(Depth.CATALOGS))
        .contains(LAYER + "/opq/.cvmfscatalog: found abandoned nested catalog marker");
  }

  // ---- Objects ------------------------------------------------------------------------------

  @Test
  void reportsMissingObjectsWithTheirPath() {
    remove("data/8a/2132eaa478e14ef2b4988d33efc96526513cca");
    remove("data/4f/0f2bd7d8eec357ff3f3fa1c1decec675bce428P");

    for (Depth depth : List.of(Depth.PRESENCE, Depth.EVERY_OBJECT)) {
      assertThat(problems(depth))
          .anyMatch(
              p ->
                  p.startsWith(
                      "/plain/hello.txt: data chunk 8a2132eaa478e14ef2b4988d33efc96526513cca"
                          + " missing"))
          .anyMatch(
              p ->
                  p.startsWith(
                      "/plain/chunked.bin: partial data chunk"
                          + " 4f0f2bd7d8eec357ff3f3fa1c1decec675bce428 missing"))
          .hasSize(2);
    }
    assertThat(problems(Depth.CATALOGS)).isEmpty();
  }

  @Test
  void reportsAWrongHashAlgorithm() {
    repository.editCatalog("", "UPDATE catalog SET flags = flags | 512 WHERE name = 'hello.txt'");

    assertThat(problems(Depth.PRESENCE))
        .singleElement()
        .asString()
        .contains("8a2132eaa478e14ef2b4988d33efc96526513cca-shake128 missing");
  }

  @ParameterizedTest
  @CsvSource({
    "size = 12, more than the allowed 12 bytes",
    "size = 14, 'it has 13 bytes, not 14'",
    "flags = flags | 2048, 'it has 21 bytes, not 13'",
  })
  void reportsSizesAndCompressionFlagsThatDoNotFitTheObject(String change, String message) {
    repository.editCatalog(
        "",
        "UPDATE statistics SET value = value - 13 + (SELECT 13) WHERE counter = 'self_file_size'",
        "UPDATE catalog SET " + change + " WHERE name = 'hello.txt'");

    assertThat(problems())
        .anyMatch(
            p ->
                p.startsWith("/plain/hello.txt: data chunk")
                    && p.contains("right hash")
                    && p.contains(message));
    assertThat(problems(Depth.PRESENCE)).noneMatch(p -> p.contains("data chunk"));
  }

  @Test
  void reportsAnObjectThatWasChanged() {
    String path = "data/a3/f7b2a639bd4d1116b46bc335ee32c51613b14d";
    byte[] changed = repository.files().content(path).clone();
    changed[25_000] ^= 1;
    repository.files().put(path, changed);

    assertThat(problems())
        .singleElement()
        .asString()
        .startsWith("/plain/incompressible.bin: data chunk")
        .contains(path + " was changed: its bytes have the hash");
  }

  @Test
  void reportsProblemsOfOlderRevisionsThatTagsName() {
    List<String> now = repository.files().paths().stream().toList();
    CheckReport head = check(Depth.PRESENCE);
    assertThat(head.isClean()).isTrue();
    for (String path : now) {
      // Removed objects that the head does not miss belong to what the tags name.
      if (path.endsWith("C") || !path.startsWith("data/")) {
        continue;
      }
      byte[] content = repository.files().content(path);
      repository.files().remove(path);
      if (check(Depth.PRESENCE).isClean()) {
        assertThat(problems()).as(path).isNotEmpty();
      }
      repository.files().put(path, content);
    }
  }

  @Test
  void tellsUnreadableObjectsFromDamagedOnes() {
    String path = "data/8a/2132eaa478e14ef2b4988d33efc96526513cca";
    RepositoryFiles flaky =
        new RepositoryFiles() {
          @Override
          public InputStream open(String wanted) {
            if (wanted.equals(path)) {
              throw new CvmfsException.Retryable("the network is down", null);
            }
            return repository.files().open(wanted);
          }

          @Override
          public boolean exists(String wanted) {
            return repository.files().exists(wanted);
          }
        };
    CheckReport report =
        new RepositoryCheck(flaky, CheckSettings.everyObject(repository.settings()), counts -> {})
            .run();

    assertThat(report.problems())
        .singleElement()
        .asString()
        .contains("cannot be checked: the network is down");
  }

  @Test
  void refusesSettingsThatCannotWork() {
    assertThatThrownBy(() -> new CheckSettings(repository.settings(), Depth.CATALOGS, 0, 1))
        .isInstanceOf(CvmfsException.Rejected.class);
  }

  private void remove(String path) {
    assertThat(repository.files().exists(path)).isTrue();
    repository.files().remove(path);
  }

  private List<String> problems() {
    return problems(Depth.EVERY_OBJECT);
  }

  private List<String> problems(Depth depth) {
    return check(depth).problems().stream().map(Problem::toString).toList();
  }

  private CheckReport check(Depth depth) {
    return check(repository, depth);
  }

  private static CheckReport check(SignedRepository repository, Depth depth) {
    CheckSettings settings = CheckSettings.everyObject(repository.settings()).withDepth(depth);
    return new RepositoryCheck(repository.files(), settings, counts -> {}).run();
  }

  /** A marker's row in a directory that is no catalog's root. */
  private static String markerIn(String directory) {
    RepositoryPath path = RepositoryPath.of(directory + "/.cvmfscatalog");
    return "INSERT INTO catalog SELECT %d, %d, %d, %d, hardlinks, hash, size, mode, mtime, mtimens,"
            .formatted(
                path.hash().first(),
                path.hash().second(),
                path.parentHash().first(),
                path.parentHash().second())
        + " flags, name, symlink, uid, gid, xattr FROM catalog WHERE name = '.cvmfscatalog'";
  }

  private static Manifest withCertificate(Manifest manifest, ContentHash certificate) {
    return new Manifest(
        manifest.repository(),
        manifest.rootCatalog(),
        manifest.rootCatalogSizeBytes(),
        manifest.ttl(),
        manifest.revision(),
        manifest.garbageCollectable(),
        manifest.alternativePaths(),
        certificate,
        manifest.history(),
        manifest.publishedSeconds(),
        manifest.metaInfo(),
        manifest.reflog());
  }

  private static Manifest withAlternativePaths(Manifest manifest) {
    return new Manifest(
        manifest.repository(),
        manifest.rootCatalog(),
        manifest.rootCatalogSizeBytes(),
        manifest.ttl(),
        manifest.revision(),
        manifest.garbageCollectable(),
        true,
        manifest.certificate(),
        manifest.history(),
        manifest.publishedSeconds(),
        manifest.metaInfo(),
        manifest.reflog());
  }
}
