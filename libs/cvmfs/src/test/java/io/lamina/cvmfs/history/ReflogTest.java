package io.lamina.cvmfs.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.Fixture;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.history.Reflog.Entry;
import io.lamina.cvmfs.history.Reflog.Kind;
import io.lamina.cvmfs.signing.SignedManifest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReflogTest {
  private static final byte[] ORIGINAL = Fixture.file(".cvmfsreflog");

  @Test
  void readsTheReflogOfTheOriginalPublisher() {
    List<Entry> entries = new ArrayList<>();
    try (Reflog reflog = Reflog.open(ORIGINAL, Fixture.NAME)) {
      reflog.forEach(entries::add);

      assertThat(reflog.size()).isEqualTo(11);
      assertThat(reflog.toBytes()).isEqualTo(ORIGINAL);
    }
    assertThat(entries).hasSize(11);
    assertThat(entries.getFirst())
        .isEqualTo(
            new Entry(
                Kind.CATALOG,
                ContentHash.parse("36033392a80f388b11849e6b503534bd1c1e002c"),
                1795305379));
    assertThat(entries.getLast().kind()).isEqualTo(Kind.METAINFO);
  }

  @Test
  void hasTheHashThatTheManifestNames() {
    ContentHash named =
        SignedManifest.parse(Fixture.file(".cvmfspublished")).manifest().reflog().orElseThrow();

    assertThat(Reflog.hashOf(ORIGINAL, HashAlgorithm.SHA1)).isEqualTo(named);
  }

  @Test
  void declaresItsTablesAsTheOriginalPublisherDoes() {
    try (Reflog reflog = Reflog.create(Fixture.NAME)) {
      assertThat(Schemas.of(reflog.toBytes())).isEqualTo(Schemas.of(ORIGINAL));
    }
  }

  @Test
  void remembersWhatIsAddedAndAddsNothingTwice() {
    ContentHash root = HistoryTest.hash(1);
    byte[] bytes;
    try (Reflog reflog = Reflog.create(Fixture.NAME)) {
      assertThat(reflog.add(new Entry(Kind.CATALOG, root, 5))).isTrue();
      assertThat(reflog.add(new Entry(Kind.CATALOG, root, 6))).isFalse();
      assertThat(reflog.add(new Entry(Kind.HISTORY, HistoryTest.hash(2), 7))).isTrue();
      bytes = reflog.toBytes();
    }

    try (Reflog reflog = Reflog.open(bytes, Fixture.NAME)) {
      assertThat(reflog.contains(Kind.CATALOG, root)).isTrue();
      assertThat(reflog.contains(Kind.HISTORY, root)).isFalse();
      assertThat(reflog.contains(Kind.CATALOG, HistoryTest.hash(3))).isFalse();
      List<Entry> entries = new ArrayList<>();
      reflog.forEach(entries::add);
      assertThat(entries)
          .containsExactly(
              new Entry(Kind.CATALOG, root, 5), new Entry(Kind.HISTORY, HistoryTest.hash(2), 7));
    }
  }

  @Test
  void keepsTheAlgorithmOfAHash() {
    ContentHash hash = ContentHash.parse("28d94b83b7229b331fc601362b8e272e02665122-shake128");
    try (Reflog reflog = Reflog.create(Fixture.NAME)) {
      reflog.add(new Entry(Kind.CATALOG, hash, 0));

      assertThat(reflog.contains(Kind.CATALOG, hash)).isTrue();
      reflog.forEach(entry -> assertThat(entry.hash()).isEqualTo(hash));
    }
  }

  @Test
  void givesTheSameBytesForTheSameAdditions() {
    assertThat(thousandEntries()).isEqualTo(thousandEntries());
  }

  @Test
  void refusesAnotherRepositorysReflog() {
    assertThatThrownBy(() -> Reflog.open(ORIGINAL, new RepositoryName("other.test")))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("expected other.test");
  }

  @Test
  void refusesEntriesOfUnknownTypeOrWithoutHash() {
    for (String sql :
        List.of(
            "UPDATE refs SET type = 4 WHERE rowid = 1",
            "UPDATE refs SET hash = 'x' WHERE rowid = 1",
            "UPDATE refs SET hash = NULL WHERE rowid = 1")) {
      try (Reflog reflog = Reflog.open(HistoryTest.changed(ORIGINAL, sql), Fixture.NAME)) {
        assertThatThrownBy(() -> reflog.forEach(entry -> {}))
            .as(sql)
            .isInstanceOf(CvmfsException.Corrupt.class);
      }
    }
  }

  private static byte[] thousandEntries() {
    byte[] bytes;
    try (Reflog reflog = Reflog.create(Fixture.NAME)) {
      bytes = reflog.toBytes();
    }
    for (int round = 0; round < 10; round++) {
      try (Reflog reflog = Reflog.open(bytes, Fixture.NAME)) {
        for (int i = 0; i < 100; i++) {
          reflog.add(new Entry(Kind.values()[i % 4], HistoryTest.hash(round * 100L + i), i));
        }
        bytes = reflog.toBytes();
      }
    }
    return bytes;
  }
}
