package io.lamina.journal;

import static io.lamina.journal.TestJournals.ONE;
import static io.lamina.journal.TestJournals.TWO;
import static io.lamina.journal.TestJournals.chain;
import static io.lamina.journal.TestJournals.entry;
import static io.lamina.journal.TestJournals.event;
import static io.lamina.journal.TestJournals.file;
import static io.lamina.journal.TestJournals.read;
import static io.lamina.journal.TestJournals.revisions;
import static io.lamina.journal.TestJournals.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.messaging.event.Event.TransactionPublished;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JournalFileTest {
  private static final byte[] TWO_REPOSITORIES = file(chain(ONE, 1, 3), chain(TWO, 5, 6));

  @TempDir Path folder;

  @Test
  void hasTheBytesOfTheGoldenFile() throws IOException {
    if ("write".equals(System.getProperty("lamina.golden"))) {
      Files.write(Path.of("src/test/resources/journal/two-repositories.journal"), TWO_REPOSITORIES);
    }
    try (InputStream golden =
        JournalFileTest.class.getResourceAsStream("/journal/two-repositories.journal")) {
      assertThat(golden).isNotNull();
      assertThat(new String(TWO_REPOSITORIES, StandardCharsets.UTF_8))
          .isEqualTo(new String(golden.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  @Test
  void givesBackWhatWasWritten() {
    JournalFile journal = write(folder, TWO_REPOSITORIES);

    assertThat(journal.repositories()).containsExactly(ONE, TWO);
    assertThat(revisions(journal, ONE)).containsExactly(1L, 2L, 3L);
    List<JournalEntry> second = read(journal, TWO);
    assertThat(second)
        .extracting(JournalEntry::event)
        .containsExactly(event(TWO, 5), event(TWO, 6));
    assertThat(second)
        .extracting(JournalEntry::writtenAt)
        .isEqualTo(chain(TWO, 5, 6).stream().map(JournalEntry::writtenAt).toList());
    assertThat(file(read(journal, ONE), second)).isEqualTo(TWO_REPOSITORIES);
  }

  @Test
  void keepsBytesThatThisReleaseDoesNotKnow() {
    JournalEntry known = entry(event(ONE, 1));
    String json = new String(known.value(), StandardCharsets.UTF_8);
    byte[] newer =
        (json.substring(0, json.length() - 1) + ",\"ofTheFuture\":{\"a\":[1]}}")
            .getBytes(StandardCharsets.UTF_8);
    byte[] bytes =
        file(List.of(new JournalEntry(known.event(), known.type(), newer, known.writtenAt())));

    JournalEntry read = read(write(folder, bytes), ONE).getFirst();

    assertThat(read.event()).isEqualTo(known.event());
    assertThat(read.value()).isEqualTo(newer);
  }

  @Test
  void noticesEveryCut() {
    for (int length = 0; length < TWO_REPOSITORIES.length; length += length < 40 ? 1 : 17) {
      JournalFile journal = write(folder, Arrays.copyOf(TWO_REPOSITORIES, length));
      int cut = length;
      assertThatThrownBy(journal::repositories)
          .as("cut after %d bytes", cut)
          .isInstanceOf(JournalException.class)
          .hasMessageMatching(
              cut <= "lamina-journal".length() ? "(?s).*no journal file.*" : "(?s).*is cut off.*");
    }
  }

  @Test
  void saysAfterWhichRevisionItIsCutOff() {
    String text = new String(TWO_REPOSITORIES, StandardCharsets.ISO_8859_1);
    int third = text.indexOf("transaction 3 ");

    assertThatThrownBy(
            () -> write(folder, Arrays.copyOf(TWO_REPOSITORIES, third + 200)).repositories())
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining("is cut off after " + (third + 200) + " bytes")
        .hasMessageContaining(ONE + " after revision 2");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void noticesEveryChangedByte(long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < 40; i++) {
      byte[] changed = TWO_REPOSITORIES.clone();
      changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));

      assertThatThrownBy(() -> write(folder, changed).repositories())
          .isInstanceOf(JournalException.class);
    }
  }

  @Test
  void noticesLinesThatAreLeftOutOrMoved() {
    String text = new String(TWO_REPOSITORIES, StandardCharsets.ISO_8859_1);
    int second = text.indexOf("transaction 2 ");
    int third = text.indexOf("transaction 3 ");
    int end = text.indexOf("end 3 ");
    String without = text.substring(0, second) + text.substring(third);
    String swapped =
        text.substring(0, second)
            + text.substring(third, end)
            + text.substring(second, third)
            + text.substring(end);

    for (String changed : List.of(without, swapped, text + "x", text + text)) {
      assertThatThrownBy(
              () -> write(folder, changed.getBytes(StandardCharsets.ISO_8859_1)).repositories())
          .isInstanceOf(JournalException.Corrupt.class);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''                     | no journal file",
        "PK archive             | no journal file",
        "lamina-journalist      | no journal file",
        "lamina-journal x       | has no version",
        "lamina-journal 2       | version 2 of the format; this release reads 1",
        "lamina-journal 1       | is cut off",
      })
  void refusesWhatIsNoJournal(String content, String reason) {
    byte[] bytes = (content.isEmpty() ? "" : content + "\n").getBytes(StandardCharsets.UTF_8);

    assertThatThrownBy(() -> write(folder, bytes).repositories())
        .isInstanceOf(JournalException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void refusesALineWithoutAnEnd() {
    byte[] bytes = ("lamina-journal 1\n" + "x".repeat(1 << 20)).getBytes(StandardCharsets.UTF_8);

    assertThatThrownBy(() -> write(folder, bytes).repositories())
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining("too long");
  }

  @Test
  void refusesTransactionsThatDoNotFollow() {
    TransactionPublished two = event(ONE, 2);
    TransactionPublished elsewhere =
        new TransactionPublished(
            ONE,
            2,
            two.timestampSeconds(),
            TestJournals.root(TWO, 1),
            two.root(),
            two.rootSizeBytes(),
            two.changes(),
            two.requests());
    TransactionPublished earlier =
        new TransactionPublished(
            ONE, 2, 0, two.previousRoot(), two.root(), 1, two.changes(), two.requests());

    requireRefused(chain(ONE, 1, 1), entry(event(ONE, 1)), "doubled or out of order");
    requireRefused(chain(ONE, 1, 2), entry(event(ONE, 1)), "doubled or out of order");
    requireRefused(chain(ONE, 1, 1), entry(event(ONE, 3)), "after revision 1: what lies between");
    requireRefused(chain(ONE, 1, 1), entry(elsewhere), "begins on root");
    requireRefused(chain(ONE, 1, 1), entry(earlier), "earlier time");
  }

  private void requireRefused(List<JournalEntry> good, JournalEntry bad, String reason) {
    List<JournalEntry> entries = new ArrayList<>(good);
    entries.add(bad);

    assertThatThrownBy(() -> write(folder, file(entries)).repositories())
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining(reason);
  }

  @Test
  void handsOverNoMoreThanIsWanted() {
    JournalFile journal = write(folder, TWO_REPOSITORIES);
    List<Long> seen = new ArrayList<>();

    long count =
        journal.read(
            ONE,
            entry -> {
              seen.add(entry.event().revision());
              return seen.size() < 2;
            });

    assertThat(seen).containsExactly(1L, 2L);
    assertThat(count).isEqualTo(2);
  }
}
