package io.lamina.converter;

import io.lamina.messaging.EventProducer;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.Received;
import io.lamina.messaging.TableReader;
import io.lamina.messaging.Topic;
import io.lamina.messaging.TopicSettings;
import io.lamina.messaging.Topics;
import io.lamina.messaging.broker.EmbeddedBroker;
import io.lamina.messaging.event.Event;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** A broker with the topics, and everything that is said there about the converters' work. */
final class Cluster implements AutoCloseable {
  static final Duration LOCK = Duration.ofSeconds(3);

  private final EmbeddedBroker broker;
  private final EventProducer producer;
  private final List<TableReader> readers = new ArrayList<>();
  private final List<Received> heard = Collections.synchronizedList(new ArrayList<>());

  Cluster(Path folder) {
    broker =
        EmbeddedBroker.start(
            new EmbeddedBroker.Settings(
                folder, 0, Map.of("group.share.min.record.lock.duration.ms", "1000")));
    new Topics(kafka("topics"), TopicSettings.embedded().withPartitions(3).withLockDuration(LOCK))
        .ensure();
    producer = new EventProducer(kafka("test"), Clock.systemUTC(), Duration.ofSeconds(20));
    for (Topic topic : List.of(Topic.REPOSITORY, Topic.STATUS, Topic.DEAD_LETTERS)) {
      TableReader reader =
          new TableReader(
              kafka("heard-" + topic.name()),
              "heard-" + topic.name(),
              topic,
              heard::add,
              new SimpleMeterRegistry());
      readers.add(reader);
      reader.start();
    }
  }

  KafkaSettings kafka(String name) {
    return KafkaSettings.of(broker.bootstrapServers(), name);
  }

  void say(Event event) {
    producer.send(Outgoing.of(event).tracedAs(Optional.of("00-0123456789abcdef-01")));
  }

  /** Where it does not belong. */
  void sayOn(Topic topic, String key, Event event) {
    producer.send(new Outgoing(topic, key, Optional.of(event), Optional.empty()));
  }

  /** What was heard on a topic, in the order of its arrival. */
  List<Received> on(Topic topic) {
    synchronized (heard) {
      return heard.stream().filter(r -> r.position().topic().equals(topic.topicName())).toList();
    }
  }

  <E extends Event> List<E> all(Class<E> type, Predicate<E> which) {
    synchronized (heard) {
      return heard.stream()
          .filter(r -> !r.position().topic().equals(Topic.DEAD_LETTERS.topicName()))
          .flatMap(r -> r.event().stream())
          .filter(type::isInstance)
          .map(type::cast)
          .filter(which)
          .toList();
    }
  }

  <E extends Event> E await(Class<E> type, Predicate<E> which) throws InterruptedException {
    return Waiting.forValue(type.getSimpleName(), () -> all(type, which).stream().findFirst());
  }

  @Override
  public void close() {
    readers.forEach(TableReader::close);
    producer.close();
    broker.close();
  }
}
