package io.lamina.journal;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.JournalRecord;
import io.lamina.messaging.JournalTopic;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.MessagingException;
import io.lamina.messaging.Received;
import io.lamina.messaging.Topic;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** The journal topic of a cluster. Each reading ends where the topic ended when it began. */
public final class TopicJournal implements Journal {
  private final JournalTopic topic;
  private final ConcurrentMap<String, Collection<Integer>> partitions = new ConcurrentHashMap<>();

  public TopicJournal(KafkaSettings kafka) {
    this.topic = new JournalTopic(kafka);
  }

  @Override
  public List<RepositoryName> repositories() {
    SortedMap<String, Collection<Integer>> found = translated(topic::repositories);
    List<RepositoryName> names = new ArrayList<>();
    found.forEach(
        (key, where) -> {
          try {
            names.add(new RepositoryName(key));
            partitions.put(key, List.copyOf(where));
          } catch (CvmfsException.Rejected e) {
            throw new JournalException.Corrupt(
                "a record of " + this + " has a key that is no repository: " + e.getMessage(), e);
          }
        });
    names.sort(null);
    return names;
  }

  @Override
  public long read(RepositoryName repository, Sink sink) {
    JournalChain chain = new JournalChain(repository);
    long[] count = {0};
    translated(
        () -> {
          topic.read(
              repository.value(),
              partitions.getOrDefault(repository.value(), List.of()),
              (at, record) -> {
                JournalEntry entry = follow(chain, at, record);
                count[0]++;
                return sink.accept(entry);
              });
          return count[0];
        });
    return count[0];
  }

  private static JournalEntry follow(
      JournalChain chain, Received.Position at, JournalRecord record) {
    return chain.follow("record " + at, record.type(), record.value(), record.writtenAt());
  }

  private interface Reading<T> {
    T run();
  }

  private static <T> T translated(Reading<T> reading) {
    try {
      return reading.run();
    } catch (MessagingException e) {
      String message = String.valueOf(e.getMessage());
      throw switch (e) {
        case MessagingException.Corrupt _ -> new JournalException.Corrupt(message, e);
        case MessagingException.Rejected _, MessagingException.Fatal _ ->
            new JournalException.Rejected(message, e);
        case MessagingException.Retryable _,
            MessagingException.OutcomeUnknown _,
            MessagingException.PartitionLost _ ->
            new JournalException.Retryable(message, e);
      };
    }
  }

  @Override
  public String toString() {
    return "topic " + Topic.PUBLISHED.topicName();
  }
}
