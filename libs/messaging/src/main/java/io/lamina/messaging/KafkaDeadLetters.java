package io.lamina.messaging;

import io.lamina.messaging.event.Event;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The dead letters of a cluster: folds the topic into a bounded table, and settles each letter in
 * one Kafka transaction that puts the record back and removes the letter.
 *
 * <p>All offices share one transactional id. Whoever settles something first fences the others,
 * which ends what they had begun, and then reads on to the end of the topic: so it knows everything
 * that was settled before, and nobody else can settle anything until it is fenced itself.
 *
 * <p>Source: docs/protocol/topics.md, "Dead letters". Thread-safe.
 */
public final class KafkaDeadLetters implements DeadLetterOffice, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaDeadLetters.class);
  private static final String TRANSACTIONAL_ID = "lamina.dead-letters";
  private static final int MAX_ATTEMPTS = 3;
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Set<String> PUT_BACK_TO =
      Set.of(Topic.CONVERSIONS.topicName(), Topic.LAYERS.topicName(), Topic.REPOSITORY.topicName());

  /**
   * @param maxLetters held in memory, up to 6 kB each; the oldest are forgotten first, and can be
   *     seen again when newer ones are settled and the process is started anew
   * @param maxSettled of which it is remembered what became of them
   * @param timeout of each step that waits for the brokers
   */
  public record Settings(int maxLetters, int maxSettled, Duration timeout) {
    public static Settings standard() {
      return new Settings(10_000, 10_000, Duration.ofSeconds(20));
    }
  }

  private final Settings settings;
  private final Clock clock;
  private final KafkaClients clients;
  private final TableReader reader;

  // The table, guarded by its own lock.
  private final ReentrantLock table = new ReentrantLock();
  private final Map<String, DeadLetter> byId = new HashMap<>();
  private final NavigableMap<DeadLetter.Place, DeadLetter> byAge = new TreeMap<>();
  private final LinkedHashMap<String, DeadLetter.State> settled = new LinkedHashMap<>();

  // One settles at a time. Guards the producer; taken before the table's lock.
  private final ReentrantLock desk = new ReentrantLock();
  private @Nullable KafkaProducer<byte[], byte[]> producer;

  public KafkaDeadLetters(
      KafkaSettings kafka, Settings settings, Clock clock, MeterRegistry meters) {
    this.settings = settings;
    this.clock = clock;
    this.clients = new KafkaClients(kafka);
    this.reader = TableReader.raw(kafka, "dead-letters", Topic.DEAD_LETTERS, this::fold, meters);
    Gauge.builder("dead.letters.waiting", this, KafkaDeadLetters::waiting).register(meters);
  }

  /** Begins to read; the topics must exist. */
  public void start() {
    reader.start();
  }

  /** Completes when all letters that were there at the start have been read. */
  public CompletableFuture<Void> caughtUp() {
    return reader.caughtUp();
  }

  // ---- the table ----------------------------------------------------------------------------

  private void fold(ConsumerRecord<byte[], byte[]> record) {
    if (record.value() == null) {
      if (record.key() != null) {
        String id = new String(record.key(), StandardCharsets.UTF_8);
        if (DeadLetters.isId(id)) {
          DeadLetter.State state = DeadLetters.settled(record);
          locked(() -> settle(id, state));
        }
      }
      return;
    }
    Optional<DeadLetter> letter = DeadLetters.read(record);
    if (letter.isEmpty()) {
      LOG.atWarn()
          .addKeyValue("record", EventRecords.position(record))
          .log("a record among the dead letters is none; passed over");
      return;
    }
    locked(() -> insert(letter.get()));
  }

  private boolean insert(DeadLetter letter) {
    settled.remove(letter.id());
    remove(letter.id());
    byId.put(letter.id(), letter);
    byAge.put(letter.place(), letter);
    while (byId.size() > settings.maxLetters()) {
      remove(byAge.firstEntry().getValue().id());
    }
    return true;
  }

  private boolean settle(String id, DeadLetter.State state) {
    remove(id);
    settled.putLast(id, state);
    while (settled.size() > settings.maxSettled()) {
      settled.pollFirstEntry();
    }
    return true;
  }

  private void remove(String id) {
    DeadLetter known = byId.remove(id);
    if (known != null) {
      byAge.remove(known.place());
    }
  }

  @Override
  public List<DeadLetter> page(
      Predicate<DeadLetter> filter, Optional<DeadLetter.Place> olderThan, int limit) {
    checkCaughtUp();
    return locked(
        () ->
            olderThan
                .map(place -> byAge.headMap(place, false))
                .orElse(byAge)
                .descendingMap()
                .values()
                .stream()
                .filter(filter)
                .limit(limit)
                .toList());
  }

  @Override
  public Optional<DeadLetter> find(String id) {
    checkCaughtUp();
    return locked(() -> Optional.ofNullable(byId.get(id)));
  }

  @Override
  public Optional<DeadLetter.State> state(String id) {
    checkCaughtUp();
    return locked(
        () ->
            byId.containsKey(id)
                ? Optional.of(DeadLetter.State.WAITING)
                : Optional.ofNullable(settled.get(id)));
  }

  @Override
  public int waiting() {
    return locked(byId::size);
  }

  private void checkCaughtUp() {
    CompletableFuture<Void> reached = reader.caughtUp();
    if (!reached.isDone() || reached.isCompletedExceptionally()) {
      throw new MessagingException.Retryable("the dead letters have not been read yet", null);
    }
  }

  private <T> T locked(Supplier<T> step) {
    table.lock();
    try {
      return step.get();
    } finally {
      table.unlock();
    }
  }

  // ---- contents -----------------------------------------------------------------------------

  @Override
  public Optional<Content> content(DeadLetter letter) {
    return atDesk(() -> record(letter))
        .map(record -> new Content(record.value(), DeadLetters.event(record)));
  }

  private Optional<ConsumerRecord<byte[], byte[]>> record(DeadLetter letter) {
    Received.Position at = letter.stored();
    TopicPartition partition = new TopicPartition(at.topic(), at.partition());
    try (KafkaConsumer<byte[], byte[]> consumer = clients.plainConsumer("dead-letter", 1)) {
      consumer.assign(List.of(partition));
      consumer.seek(partition, at.offset());
      long deadline = System.nanoTime() + settings.timeout().toNanos();
      // Compaction or retention may have taken it: then the next record has another offset.
      while (consumer.position(partition) <= at.offset()) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          return record.offset() == at.offset() && record.value() != null
              ? Optional.of(record)
              : Optional.empty();
        }
        if (System.nanoTime() > deadline) {
          throw new MessagingException.Retryable(
              "could not read " + at + " within " + settings.timeout(), null);
        }
      }
      return Optional.empty();
    } catch (KafkaException e) {
      throw KafkaFailures.translate("read " + at, e);
    }
  }

  // ---- settling -----------------------------------------------------------------------------

  @Override
  public Optional<DeadLetter.State> retry(String id) {
    return atDesk(() -> settleAsOwner(id, DeadLetter.State.RETRIED));
  }

  @Override
  public Optional<DeadLetter.State> drop(String id) {
    return atDesk(() -> settleAsOwner(id, DeadLetter.State.DROPPED));
  }

  private Optional<DeadLetter.State> settleAsOwner(String id, DeadLetter.State state) {
    for (int attempt = 1; ; attempt++) {
      try {
        return settleOnce(id, state);
      } catch (MessagingException.PartitionLost e) {
        // Another office settled something since; what it was is read before the next attempt.
        if (attempt == MAX_ATTEMPTS) {
          throw new MessagingException.Retryable(
              "others settle dead letters at the same time: " + e.getMessage(), e);
        }
      }
    }
  }

  private Optional<DeadLetter.State> settleOnce(String id, DeadLetter.State state) {
    checkCaughtUp();
    KafkaProducer<byte[], byte[]> current = owner();
    Optional<DeadLetter> letter = find(id);
    if (letter.isEmpty()) {
      return state(id);
    }
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    if (state == DeadLetter.State.RETRIED) {
      Optional<ConsumerRecord<byte[], byte[]>> record = record(letter.get());
      if (record.isEmpty()) {
        locked(() -> settle(id, DeadLetter.State.DROPPED));
        return state(id);
      }
      records.addAll(putBack(letter.get(), record.get()));
    }
    records.add(DeadLetters.tombstone(id, state));
    commit(current, records, id);
    locked(() -> settle(id, state));
    LOG.atInfo()
        .addKeyValue("letter", id)
        .addKeyValue("state", state)
        .addKeyValue("kind", letter.get().kind().orElse("unknown"))
        .addKeyValue("repository", letter.get().repository().map(Object::toString).orElse(""))
        .log("dead letter settled");
    return Optional.of(state);
  }

  private List<ProducerRecord<byte[], byte[]>> putBack(
      DeadLetter letter, ConsumerRecord<byte[], byte[]> record) {
    if (!PUT_BACK_TO.contains(letter.original().topic())) {
      throw new MessagingException.Rejected(
          "dead letter "
              + letter.id()
              + " says that it comes from topic '"
              + letter.original().topic()
              + "', whose records are not put back; known: "
              + PUT_BACK_TO.stream().sorted().collect(Collectors.joining(", ")));
    }
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    ProducerRecord<byte[], byte[]> original = DeadLetters.original(record, letter);
    Optional<Event> event = DeadLetters.event(record);
    if (event.isEmpty()) {
      return List.of(original);
    }
    Revival revival = Revival.of(event.get(), letter, clock.instant());
    Received cause = EventRecords.decode(record);
    EventRecords encoder = new EventRecords("dead-letters", clock);
    revival.before().forEach(said -> records.add(encoder.encode(said.causedBy(cause), null)));
    if (revival.putsBack()) {
      records.add(original);
    }
    return records;
  }

  /** The producer that nobody has fenced yet, knowing all that was settled before it. */
  private KafkaProducer<byte[], byte[]> owner() {
    KafkaProducer<byte[], byte[]> known = producer;
    if (known != null) {
      return known;
    }
    KafkaProducer<byte[], byte[]> opened = clients.transactionalProducer(TRANSACTIONAL_ID);
    try {
      opened.initTransactions();
      readToTheEnd();
    } catch (KafkaException e) {
      opened.close(Duration.ZERO);
      throw new MessagingException.Retryable(
          "could not become the one who settles dead letters: " + e.getMessage(), e);
    } catch (MessagingException e) {
      opened.close(Duration.ZERO);
      throw e;
    }
    producer = opened;
    return opened;
  }

  /** As far as anything is written, committed or not: what is open there is waited for. */
  private void readToTheEnd() {
    try {
      Map<TopicPartition, Long> ends = LogEnds.of(clients, Topic.DEAD_LETTERS, settings.timeout());
      if (!reader.awaitFolded(ends, settings.timeout())) {
        throw new MessagingException.Retryable(
            "the dead letters could not be read to their end within " + settings.timeout(), null);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MessagingException.Retryable("interrupted", e);
    }
  }

  private void commit(
      KafkaProducer<byte[], byte[]> current,
      List<ProducerRecord<byte[], byte[]>> records,
      String id) {
    try {
      current.beginTransaction();
      records.forEach(current::send);
      current.flush();
      finish(current, id);
    } catch (KafkaException | IllegalStateException e) {
      producer = null;
      String message = "settling dead letter " + id + " did not succeed: " + e.getMessage();
      throw switch (e) {
        case ProducerFencedException _, InvalidProducerEpochException _ -> {
          current.close(Duration.ZERO);
          yield new MessagingException.PartitionLost(message, e);
        }
        default -> {
          abort(current);
          yield new MessagingException.Retryable(message, e);
        }
      };
    }
  }

  private void finish(KafkaProducer<byte[], byte[]> current, String id) {
    try {
      current.commitTransaction();
    } catch (org.apache.kafka.common.errors.TimeoutException e) {
      // Whoever is next ends it, one way or the other.
      producer = null;
      current.close(Duration.ZERO);
      throw new MessagingException.OutcomeUnknown(
          "no answer to the commit that settles dead letter " + id, e);
    }
  }

  /** So that readers of committed records need not wait until it times out. */
  private static void abort(KafkaProducer<byte[], byte[]> current) {
    try (current) {
      current.abortTransaction();
    } catch (KafkaException | IllegalStateException e) {
      LOG.atDebug().setCause(e).log("a transaction is left to its timeout or to the next office");
    }
  }

  private <T> T atDesk(Supplier<T> step) {
    try {
      if (!desk.tryLock(settings.timeout().toMillis(), TimeUnit.MILLISECONDS)) {
        throw new MessagingException.Retryable("other dead letters are being settled", null);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MessagingException.Retryable("interrupted", e);
    }
    try {
      return step.get();
    } finally {
      desk.unlock();
    }
  }

  @Override
  public void close() {
    reader.close();
    desk.lock();
    try {
      if (producer != null) {
        producer.close(Duration.ofSeconds(1));
        producer = null;
      }
    } finally {
      desk.unlock();
    }
  }
}
