package io.lamina.cvmfs.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.Fixture;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryName;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HistoryTest {
  private static final byte[] ORIGINAL =
      inflate(Fixture.file("data/08/cdaeaf416eb3df32708f86c0d383e23e662e44H"));

  @Test
  void readsTheHistoryOfTheOriginalPublisher() {
    try (History history = History.open(ORIGINAL, Fixture.NAME)) {
      assertThat(history.tags())
          .extracting(Tag::name)
          .containsExactly(
              "second",
              "trunk",
              "generic-2026-11-21T23:56:46Z",
              "trunk-previous",
              "first",
              "generic-2026-11-21T23:56:19Z");
      assertThat(history.tag("first"))
          .contains(
              Tag.of(
                  "first",
                  new Tag.Snapshot(
                      ContentHash.parse("be83219f740e8a1b437c65e62a696fb7317d8c77"),
                      57344,
                      2,
                      1795305406),
                  "first revision"));
      assertThat(history.previous())
          .contains(ContentHash.parse("882e9b44e51d4642bd17593270eac4f2478a54f9"));
      assertThat(history.branches()).containsExactly(new History.Branch("", Optional.empty(), 0));
      assertThat(history.toBytes()).isEqualTo(ORIGINAL);
    }
  }

  @Test
  void declaresItsTablesAsTheOriginalPublisherDoes() {
    try (History history = History.create(Fixture.NAME)) {
      assertThat(Schemas.of(history.toBytes())).isEqualTo(Schemas.of(ORIGINAL));
    }
  }

  @Test
  void movesTrunkAndRemembersWhereItWas() {
    try (History history = History.create(Fixture.NAME)) {
      history.advance(snapshot(1), Optional.empty(), 10);
      assertThat(history.tag(Tag.TRUNK_PREVIOUS)).isEmpty();
      assertThat(history.previous()).isEmpty();

      history.advance(snapshot(2), Optional.of(hash(99)), 10);

      assertThat(history.tag(Tag.TRUNK)).contains(Tag.of(Tag.TRUNK, snapshot(2), "current HEAD"));
      assertThat(history.tag(Tag.TRUNK_PREVIOUS))
          .contains(Tag.of(Tag.TRUNK_PREVIOUS, snapshot(1), "default undo target"));
      assertThat(history.previous()).contains(hash(99));
      assertThat(history.tag("generic-2023-11-14T22:13:22Z")).isPresent();
    }
  }

  @Test
  void keepsOnlyTheNewestGenericTagsAndAllNamedOnes() {
    try (History history = History.create(Fixture.NAME)) {
      for (int revision = 1; revision <= 20; revision++) {
        history.advance(snapshot(revision), Optional.empty(), 3);
        history.put(Tag.of("v" + revision, snapshot(revision), ""));
      }

      assertThat(history.tags())
          .extracting(Tag::name)
          .filteredOn(name -> name.startsWith("generic-"))
          .containsExactly(
              "generic-2023-11-14T22:13:40Z",
              "generic-2023-11-14T22:13:39Z",
              "generic-2023-11-14T22:13:38Z");
      assertThat(history.tags()).hasSize(3 + 20 + 2);
    }
  }

  @Test
  void dropsAllGenericTagsWhenNoneAreWanted() {
    try (History history = History.open(ORIGINAL, Fixture.NAME)) {
      history.advance(snapshot(5), Optional.empty(), 0);

      assertThat(history.tags()).extracting(Tag::name).noneMatch(n -> n.startsWith("generic-"));
      assertThat(history.tag("second")).isPresent();
    }
  }

  @Test
  void tellsTwoPublicationsInOneSecondApart() {
    try (History history = History.create(Fixture.NAME)) {
      history.advance(new Tag.Snapshot(hash(1), 1, 1, 1700000000), Optional.empty(), 10);
      history.advance(new Tag.Snapshot(hash(2), 1, 2, 1700000000), Optional.empty(), 10);

      assertThat(history.tag("generic-2023-11-14T22:13:20Z"))
          .map(tag -> tag.snapshot().revision())
          .contains(1L);
      assertThat(history.tag("generic-2023-11-14T22:13:20Z_2")).isPresent();
    }
  }

  @Test
  void movesAndRemovesNamedTags() {
    try (History history = History.create(Fixture.NAME)) {
      history.put(Tag.of("stable", snapshot(1), "one"));
      history.put(Tag.of("stable", snapshot(2), "two"));

      assertThat(history.tags()).containsExactly(Tag.of("stable", snapshot(2), "two"));
      assertThat(history.remove("stable")).isTrue();
      assertThat(history.remove("stable")).isFalse();
      assertThat(history.tags()).isEmpty();
    }
  }

  @Test
  void givesTheSameBytesForTheSameChanges() {
    assertThat(manyChanges()).isEqualTo(manyChanges());
  }

  @Test
  void refusesToGoBack() {
    try (History history = History.open(ORIGINAL, Fixture.NAME)) {
      assertThatThrownBy(() -> history.advance(snapshot(4), Optional.empty(), 1))
          .isInstanceOf(CvmfsException.Rejected.class)
          .hasMessage("the history is at revision 4 already; it cannot advance to 4");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "with space", "semi;colon", "ünïcode", "quote'"})
  void refusesABadTagName(String name) {
    assertThatThrownBy(() -> Tag.of(name, snapshot(1), ""))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("not a tag name");
  }

  @Test
  void refusesToMoveTheHeadsTagsByHandAndUnknownBranches() {
    try (History history = History.create(Fixture.NAME)) {
      for (String name : List.of(Tag.TRUNK, Tag.TRUNK_PREVIOUS)) {
        assertThatThrownBy(() -> history.put(Tag.of(name, snapshot(1), "")))
            .isInstanceOf(CvmfsException.Rejected.class);
      }
      assertThatThrownBy(() -> history.put(new Tag("x", snapshot(1), "", "devel")))
          .isInstanceOf(CvmfsException.Rejected.class)
          .hasMessage("there is no branch 'devel'");
    }
  }

  @Test
  void refusesAnotherRepositorysHistory() {
    assertThatThrownBy(() -> History.open(ORIGINAL, new RepositoryName("other.test")))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessage(
            "the history database is of repository 'fixture.lamina.test', expected other.test");
  }

  @Test
  void refusesWhatIsNoHistory() {
    assertThatThrownBy(() -> History.open(new byte[0], Fixture.NAME))
        .isInstanceOf(CvmfsException.Corrupt.class);
    assertThatThrownBy(() -> History.open(Fixture.file(".cvmfsreflog"), Fixture.NAME))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("lacks the tables [branches, tags]");
    assertThatThrownBy(
            () -> History.open(Arrays.copyOf(ORIGINAL, ORIGINAL.length - 4096), Fixture.NAME))
        .isInstanceOf(CvmfsException.class);
    byte[] wal = ORIGINAL.clone();
    wal[18] = 2;
    wal[19] = 2;
    assertThatThrownBy(() -> History.open(wal, Fixture.NAME))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("write-ahead-log");
  }

  @Test
  void refusesATriggerInTheDatabase() {
    byte[] trapped =
        changed(ORIGINAL, "CREATE TRIGGER trap AFTER INSERT ON tags BEGIN DELETE FROM tags; END");

    assertThatThrownBy(() -> History.open(trapped, Fixture.NAME))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("has a trigger 'trap'");
  }

  @Test
  void refusesAnUnknownSchema() {
    byte[] newer = changed(ORIGINAL, "UPDATE properties SET value = '2.0' WHERE key = 'schema'");

    assertThatThrownBy(() -> History.open(newer, Fixture.NAME))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessage("the history database has schema 2.0, only 1.0 is supported");
  }

  @Test
  void saysWhichTagIsBroken() {
    byte[] broken = changed(ORIGINAL, "UPDATE tags SET hash = NULL WHERE name = 'first'");

    try (History history = History.open(broken, Fixture.NAME)) {
      assertThatThrownBy(history::tags)
          .isInstanceOf(CvmfsException.Corrupt.class)
          .hasMessageContaining("bad row for tag 'first'");
    }
  }

  static byte[] changed(byte[] database, String sql) {
    try (MemoryDatabase opened = MemoryDatabase.open("the database", database, List.of())) {
      opened.update(sql);
      return opened.bytes();
    }
  }

  static ContentHash hash(long number) {
    byte[] bytes = ByteBuffer.allocate(8).putLong(number).array();
    return ContentHash.of(HashAlgorithm.SHA1, HashAlgorithm.SHA1.newDigest().digest(bytes));
  }

  static byte[] inflate(byte[] object) {
    try (InflaterInputStream in = new InflaterInputStream(new ByteArrayInputStream(object))) {
      return in.readAllBytes();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static byte[] manyChanges() {
    byte[] bytes;
    try (History history = History.create(Fixture.NAME)) {
      history.advance(snapshot(1), Optional.empty(), 5);
      bytes = history.toBytes();
    }
    for (int revision : IntStream.rangeClosed(2, 30).toArray()) {
      try (History history = History.open(bytes, Fixture.NAME)) {
        history.put(Tag.of("named/" + revision % 7, snapshot(revision), "x".repeat(revision)));
        history.advance(snapshot(revision), Optional.of(hash(revision)), 5);
        bytes = history.toBytes();
      }
    }
    return bytes;
  }

  private static Tag.Snapshot snapshot(long revision) {
    return new Tag.Snapshot(hash(revision), 57344, revision, 1700000000 + revision);
  }
}
