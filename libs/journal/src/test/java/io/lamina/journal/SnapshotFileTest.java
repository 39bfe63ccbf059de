package io.lamina.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.cvmfs.signing.RepositoryKeys;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads what a real repository's publisher has signed. */
@SuppressWarnings("NullAway.Init")
class SnapshotFileTest {
  private static final RepositoryName NAME = new RepositoryName("lost.lamina.example");
  private static final byte[] GOLDEN = resource("lost.snapshot");
  private static final MasterKeys KEYS = MasterKeys.parse(resource("lost.pub"));

  @TempDir Path folder;

  private static byte[] resource(String name) {
    try (InputStream in = SnapshotFileTest.class.getResourceAsStream("/snapshot/" + name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private Snapshot read(byte[] bytes) {
    return read(bytes, NAME, KEYS);
  }

  private Snapshot read(byte[] bytes, RepositoryName name, MasterKeys keys) {
    try {
      Path file = folder.resolve("a.snapshot");
      Files.write(file, bytes);
      return SnapshotFile.read(file, name, keys);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void readsAndWritesTheSameBytes() {
    Snapshot snapshot = read(GOLDEN);

    assertThat(snapshot.revision()).isEqualTo(3);
    assertThat(snapshot.manifest().repository()).isEqualTo(NAME);
    assertThat(snapshot.origin().orElseThrow().createdAt())
        .isEqualTo(Instant.parse("2026-01-02T03:04:05Z"));
    assertThat(snapshot.origin().orElseThrow().genericTags()).isEqualTo(100);
    Path written = folder.resolve("b.snapshot");
    SnapshotFile.write(snapshot, written);
    assertThat(written).hasBinaryContent(GOLDEN);
  }

  @Test
  void noticesWhereItIsCutOff() {
    for (int length = 0; length < GOLDEN.length; length += 7) {
      byte[] cut = Arrays.copyOf(GOLDEN, length);
      assertThatThrownBy(() -> read(cut))
          .as("%d bytes", length)
          .isInstanceOf(JournalException.class);
    }
    assertThatThrownBy(() -> read(Arrays.copyOf(GOLDEN, GOLDEN.length / 2)))
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining("is cut off after " + GOLDEN.length / 2 + " bytes");
  }

  @Test
  void noticesEveryChange() {
    for (int at = 0; at < GOLDEN.length; at += 5) {
      byte[] changed = GOLDEN.clone();
      changed[at] ^= 1;
      assertThatThrownBy(() -> read(changed))
          .as("byte %d", at)
          .isInstanceOf(JournalException.class);
    }
    byte[] longer = Arrays.copyOf(GOLDEN, GOLDEN.length + 1);
    assertThatThrownBy(() -> read(longer)).hasMessageContaining("follows the end of the snapshot");
  }

  @Test
  void refusesWhatItsOwnChecksumsProtectAndNobodyTrustedSigned() {
    Snapshot snapshot = read(GOLDEN);
    byte[] signed = file(snapshot, Manifest.FILE_NAME);

    // Another root hash under the same signature.
    String text = new String(signed, StandardCharsets.ISO_8859_1);
    char digit = text.charAt(1) == '0' ? '1' : '0';
    byte[] edited = ("C" + digit + text.substring(2)).getBytes(StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> read(withManifest(snapshot, edited)))
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining("cannot be trusted")
        .hasMessageContaining("was changed");

    byte[] unsigned = Arrays.copyOf(signed, text.indexOf("--\n"));
    assertThatThrownBy(() -> read(withManifest(snapshot, unsigned)))
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining("not signed");

    byte[] forged = keys().sign(snapshot.manifest()).bytes();
    assertThatThrownBy(() -> read(withManifest(snapshot, forged)))
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining("did not sign it");
  }

  @Test
  void refusesAnotherRepositoryAndOtherKeys() {
    assertThatThrownBy(() -> read(GOLDEN, new RepositoryName("other.lamina.example"), KEYS))
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining("repository name does not match");
    assertThatThrownBy(() -> read(GOLDEN, NAME, keys().masterKeys()))
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining("invalid whitelist signature");
  }

  @Test
  void refusesWhatIsNoSnapshot() {
    assertThatThrownBy(() -> read("lamina-journal 1\n".getBytes(StandardCharsets.US_ASCII)))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("is no snapshot");
    assertThatThrownBy(() -> read("lamina-snapshot 2\n".getBytes(StandardCharsets.US_ASCII)))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("this release reads 'lamina-snapshot 1'");
    assertThatThrownBy(() -> read(new byte[1 << 20]))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("it has more than");
    assertThatThrownBy(() -> SnapshotFile.read(folder.resolve("none"), NAME, KEYS))
        .isInstanceOf(JournalException.NotFound.class);
  }

  @Test
  void takesNoMoreFilesThanItNeeds() {
    Snapshot snapshot = read(GOLDEN);
    SortedMap<String, byte[]> more = new TreeMap<>(snapshot.files());
    more.put("zzz", new byte[1]);

    assertThatThrownBy(() -> read(encoded(more)))
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining("one file more than a snapshot has");
  }

  private static RepositoryKeys keys() {
    return RepositoryKeys.generate(
        NAME,
        new SecureRandom(),
        Clock.fixed(Instant.parse("2026-01-02T03:04:05Z"), ZoneOffset.UTC));
  }

  private static byte[] file(Snapshot snapshot, String name) {
    return Objects.requireNonNull(snapshot.files().get(name));
  }

  private static byte[] withManifest(Snapshot snapshot, byte[] manifest) {
    SortedMap<String, byte[]> files = new TreeMap<>(snapshot.files());
    files.put(Manifest.FILE_NAME, manifest);
    return encoded(files);
  }

  /** With right checksums, as who edits a file would make them. */
  private static byte[] encoded(Map<String, byte[]> files) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    JournalFormat.Checksum checksum = new JournalFormat.Checksum();
    checksum.next("lamina-snapshot 1", new byte[0]);
    out.writeBytes(JournalFormat.ascii("lamina-snapshot 1\n"));
    files.forEach(
        (path, bytes) -> {
          String text = "file " + path + " " + bytes.length;
          out.writeBytes(JournalFormat.ascii(text + " " + checksum.next(text, bytes) + "\n"));
          out.writeBytes(bytes);
          out.write('\n');
        });
    String end = "complete " + files.size();
    out.writeBytes(JournalFormat.ascii(end + " " + checksum.next(end, new byte[0]) + "\n"));
    return out.toByteArray();
  }
}
