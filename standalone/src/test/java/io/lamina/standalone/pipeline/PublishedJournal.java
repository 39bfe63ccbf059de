package io.lamina.standalone.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.TableReader;
import io.lamina.messaging.Topic;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.messaging.event.RequestId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What the journal topic says of one repository. */
record PublishedJournal(List<TransactionPublished> transactions) {
  PublishedJournal {
    transactions = List.copyOf(transactions);
  }

  /** All that is committed to the topic now, in the topic's order. */
  static PublishedJournal read(KafkaSettings kafka, RepositoryName repository) throws Exception {
    return new PublishedJournal(
        said(kafka, Topic.PUBLISHED, repository, TransactionPublished.class));
  }

  /** What was said of a repository on any topic until now. */
  static <E extends Event> List<E> said(
      KafkaSettings kafka, Topic topic, RepositoryName repository, Class<E> kind) throws Exception {
    List<E> read = Collections.synchronizedList(new ArrayList<>());
    try (TableReader reader =
        new TableReader(
            kafka,
            topic.topicName() + "-of-" + repository,
            topic,
            record ->
                record
                    .event()
                    .filter(event -> event.repository().equals(repository))
                    .filter(kind::isInstance)
                    .map(kind::cast)
                    .ifPresent(read::add),
            new SimpleMeterRegistry())) {
      reader.start();
      reader.caughtUp().get(60, TimeUnit.SECONDS);
    }
    return List.copyOf(read);
  }

  /** Every transaction follows from the one before, and the last one is what clients see. */
  void assertUnbrokenUpTo(Manifest head) {
    assertThat(transactions)
        .isNotEmpty()
        .isSortedAccordingTo(Comparator.comparingLong(TransactionPublished::revision));
    for (int i = 0; i < transactions.size(); i++) {
      TransactionPublished transaction = transactions.get(i);
      assertThat(transaction.revision()).isEqualTo(i + 1L);
      assertThat(transaction.changes()).as(transaction.toString()).isNotEmpty();
      if (i > 0) {
        assertThat(transaction.previousRoot()).isEqualTo(transactions.get(i - 1).root());
      }
    }
    assertThat(transactions.getLast().root()).isEqualTo(head.rootCatalog());
    assertThat(transactions.getLast().revision()).isEqualTo(head.revision());
  }

  /** Each request in one transaction, and none more than once. */
  void assertEachOnce(Collection<String> requests) {
    List<String> said =
        transactions.stream()
            .flatMap(transaction -> transaction.requests().stream())
            .map(RequestId::value)
            .toList();
    assertThat(said).containsExactlyInAnyOrderElementsOf(requests);
  }

  /** No tree was hung in twice, and no change was made again. */
  void assertNothingPublishedTwice() {
    Map<RepositoryPath, Integer> grafts = new HashMap<>();
    Map<CatalogChange, Integer> changes = new HashMap<>();
    for (TransactionPublished transaction : transactions) {
      for (CatalogChange change : transaction.changes()) {
        changes.merge(change, 1, Integer::sum);
        if (change instanceof CatalogChange.Attach) {
          grafts.merge(change.path(), 1, Integer::sum);
        }
      }
    }
    assertThat(grafts.values()).isNotEmpty().containsOnly(1);
    assertThat(changes.values()).containsOnly(1);
  }

  /** Paths of the trees that were hung in. */
  List<String> grafts() {
    return transactions.stream()
        .flatMap(transaction -> transaction.changes().stream())
        .filter(CatalogChange.Attach.class::isInstance)
        .map(change -> change.path().toString())
        .toList();
  }
}
