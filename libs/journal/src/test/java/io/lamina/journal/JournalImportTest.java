package io.lamina.journal;

import static io.lamina.journal.TestJournals.ONE;
import static io.lamina.journal.TestJournals.chain;
import static io.lamina.journal.TestJournals.entry;
import static io.lamina.journal.TestJournals.event;
import static io.lamina.journal.TestJournals.revisions;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.JournalRecord;
import io.lamina.messaging.MessagingException;
import io.lamina.messaging.event.Event.TransactionPublished;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JournalImportTest {
  /** A journal in memory that can be appended to. */
  private static final class MemoryJournal implements Journal {
    private final List<JournalRecord> records = new ArrayList<>();
    private int appends;
    private int failAt = -1;
    private boolean loseReply;

    MemoryJournal(List<JournalEntry> entries) {
      entries.forEach(
          entry ->
              records.add(
                  new JournalRecord(
                      entry.event().repository().value(),
                      entry.type(),
                      entry.value(),
                      entry.writtenAt())));
    }

    void append(List<JournalRecord> batch) {
      if (appends++ == failAt) {
        if (loseReply) {
          records.addAll(batch);
        }
        throw new MessagingException.OutcomeUnknown("the reply was lost", new RuntimeException());
      }
      records.addAll(batch);
    }

    @Override
    public List<RepositoryName> repositories() {
      return List.of(ONE);
    }

    @Override
    public long read(RepositoryName repository, Sink sink) {
      JournalChain chain = new JournalChain(repository);
      long count = 0;
      for (JournalRecord record : records) {
        count++;
        if (!sink.accept(
            chain.follow("a record", record.type(), record.value(), record.writtenAt()))) {
          break;
        }
      }
      return count;
    }
  }

  private static JournalImport.Result run(
      List<JournalEntry> offered, MemoryJournal topic, boolean laterStart) {
    return new JournalImport(new MemoryJournal(offered), topic, topic::append)
        .run(ONE, laterStart, _ -> {});
  }

  private static JournalImport.Result run(List<JournalEntry> offered, MemoryJournal topic) {
    return run(offered, topic, false);
  }

  @Test
  void saysAllToAnEmptyTopicAndNothingTheSecondTime() {
    MemoryJournal topic = new MemoryJournal(List.of());

    JournalImport.Result first = run(chain(ONE, 1, 450), topic);
    JournalImport.Result second = run(chain(ONE, 1, 450), topic);

    assertThat(first.appended()).isEqualTo(450);
    assertThat(second.appended()).isZero();
    assertThat(second.present()).isEqualTo(450);
    assertThat(revisions(topic, ONE)).hasSize(450);
  }

  @Test
  void saysOnlyWhatTheTopicLacks() {
    MemoryJournal topic = new MemoryJournal(chain(ONE, 1, 3));

    JournalImport.Result result = run(chain(ONE, 2, 5), topic);

    assertThat(result.present()).isEqualTo(2);
    assertThat(result.appended()).isEqualTo(2);
    assertThat(revisions(topic, ONE)).containsExactly(1L, 2L, 3L, 4L, 5L);
  }

  @Test
  void goesOnAfterALostReplyWithoutDoublingAnything() {
    for (boolean lost : new boolean[] {false, true}) {
      MemoryJournal topic = new MemoryJournal(List.of());
      topic.failAt = 1;
      topic.loseReply = lost;

      assertThatThrownBy(() -> run(chain(ONE, 1, 500), topic))
          .isInstanceOf(JournalException.Retryable.class)
          .hasMessageContaining("goes on where it was");
      run(chain(ONE, 1, 500), topic);

      assertThat(revisions(topic, ONE)).hasSize(500);
    }
  }

  @Test
  void refusesGaps() {
    MemoryJournal topic = new MemoryJournal(chain(ONE, 1, 2));
    MemoryJournal empty = new MemoryJournal(List.of());

    assertThatThrownBy(() -> run(chain(ONE, 4, 5), topic))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("ends with revision 2")
        .hasMessageContaining("begins with 4");
    assertThatThrownBy(() -> run(chain(ONE, 2, 3), empty))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("import what comes before first");
    assertThat(topic.records).hasSize(2);
    assertThat(empty.records).isEmpty();

    assertThat(run(chain(ONE, 2, 3), empty, true).appended()).isEqualTo(2);
  }

  @Test
  void refusesAnotherHistory() {
    List<JournalEntry> other = new ArrayList<>(chain(ONE, 1, 1));
    TransactionPublished two = event(ONE, 2);
    TransactionPublished otherTwo =
        new TransactionPublished(
            ONE,
            2,
            two.timestampSeconds(),
            two.previousRoot(),
            TestJournals.root(TestJournals.TWO, 2),
            1,
            two.changes(),
            List.of());
    other.add(entry(otherTwo));

    for (List<JournalEntry> there : List.of(chain(ONE, 1, 2), chain(ONE, 1, 3), chain(ONE, 2, 2))) {
      MemoryJournal topic = new MemoryJournal(there);
      assertThatThrownBy(() -> run(other, topic))
          .isInstanceOf(JournalException.Rejected.class)
          .hasMessageContaining("different histories");
      assertThat(topic.records).hasSameSizeAs(there);
    }
    MemoryJournal topic = new MemoryJournal(other);
    assertThatThrownBy(() -> run(chain(ONE, 1, 4), topic))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("different histories");
    assertThatThrownBy(() -> run(chain(ONE, 3, 4), topic))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("different histories");
    assertThat(topic.records).hasSize(2);
  }
}
