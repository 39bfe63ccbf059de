package io.lamina.journal;

import static io.lamina.journal.TestJournals.ONE;
import static io.lamina.journal.TestJournals.TWO;
import static io.lamina.journal.TestJournals.chain;
import static io.lamina.journal.TestJournals.event;
import static io.lamina.journal.TestJournals.file;
import static io.lamina.journal.TestJournals.read;
import static io.lamina.journal.TestJournals.revisions;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.messaging.EventProducer;
import io.lamina.messaging.JournalAppender;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.TopicSettings;
import io.lamina.messaging.Topics;
import io.lamina.messaging.broker.EmbeddedBroker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Between a real broker and files. */
@SuppressWarnings("NullAway.Init")
class JournalTopicIT {
  @TempDir Path folder;
  private EmbeddedBroker broker;
  private KafkaSettings kafka;

  @BeforeEach
  void start() {
    broker = EmbeddedBroker.start(EmbeddedBroker.Settings.in(folder.resolve("kafka")));
    kafka = KafkaSettings.of(broker.bootstrapServers(), "test");
    new Topics(kafka, TopicSettings.embedded()).ensure();
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  private List<JournalImport.Result> load(Journal source) {
    try (JournalAppender appender = new JournalAppender(kafka, Clock.systemUTC())) {
      JournalImport run = new JournalImport(source, new TopicJournal(kafka), appender::append);
      return source.repositories().stream().map(name -> run.run(name, false, _ -> {})).toList();
    }
  }

  private byte[] export() throws Exception {
    Path file = folder.resolve("exported.journal");
    TopicJournal topic = new TopicJournal(kafka);
    JournalExport.toFile(topic, topic.repositories(), 1, file, _ -> {});
    assertThat(folder.resolve("exported.journal.part")).doesNotExist();
    return Files.readAllBytes(file);
  }

  @Test
  void whatIsImportedIsExportedByteForByte() throws Exception {
    byte[] bytes = file(chain(ONE, 1, 450), chain(TWO, 1, 20));

    load(TestJournals.write(folder, bytes));

    assertThat(export()).isEqualTo(bytes);
  }

  @Test
  void repeatsNothingAndGoesOnWithWhatPublishersSaid() throws Exception {
    try (EventProducer publisher =
        new EventProducer(kafka, Clock.systemUTC(), Duration.ofSeconds(60))) {
      publisher.send(
          List.of(
              Outgoing.of(event(ONE, 1)), Outgoing.of(event(TWO, 1)), Outgoing.of(event(ONE, 2))));
    }

    List<JournalImport.Result> first =
        load(TestJournals.write(folder, file(chain(ONE, 1, 4), chain(TWO, 1, 1))));
    List<JournalImport.Result> again =
        load(TestJournals.write(folder, file(chain(ONE, 1, 4), chain(TWO, 1, 1))));

    assertThat(first).extracting(JournalImport.Result::appended).containsExactly(2L, 0L);
    assertThat(again).extracting(JournalImport.Result::appended).containsExactly(0L, 0L);
    assertThat(revisions(new TopicJournal(kafka), ONE)).containsExactly(1L, 2L, 3L, 4L);
    assertThat(read(new TopicJournal(kafka), TWO))
        .extracting(JournalEntry::event)
        .containsExactly(event(TWO, 1));
    assertThat(export()).isNotEmpty();
  }

  @Test
  void noticesATopicWithAGapOrADouble() {
    try (EventProducer publisher =
        new EventProducer(kafka, Clock.systemUTC(), Duration.ofSeconds(60))) {
      publisher.send(List.of(Outgoing.of(event(ONE, 1)), Outgoing.of(event(ONE, 3))));
      publisher.send(List.of(Outgoing.of(event(TWO, 1)), Outgoing.of(event(TWO, 1))));
    }
    TopicJournal topic = new TopicJournal(kafka);

    assertThatThrownBy(() -> topic.read(ONE, _ -> true))
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining("after revision 1: what lies between is missing");
    assertThatThrownBy(() -> topic.read(TWO, _ -> true))
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining("doubled");
  }

  @Test
  void aSecondAppenderEndsTheFirst() {
    List<JournalEntry> entries = chain(ONE, 1, 1);
    TopicJournal topic = new TopicJournal(kafka);
    try (JournalAppender first = new JournalAppender(kafka, Clock.systemUTC());
        JournalAppender second = new JournalAppender(kafka, Clock.systemUTC())) {
      Journal source = TestJournals.write(folder, file(entries));

      assertThatThrownBy(
              () -> new JournalImport(source, topic, first::append).run(ONE, false, _ -> {}))
          .isInstanceOf(JournalException.Retryable.class);
      new JournalImport(source, topic, second::append).run(ONE, false, _ -> {});
    }
    assertThat(revisions(topic, ONE)).containsExactly(1L);
  }
}
