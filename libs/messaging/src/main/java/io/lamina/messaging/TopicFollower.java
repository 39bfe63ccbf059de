package io.lamina.messaging;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows a topic outside of any group, from remembered positions or from its end, for those who
 * can live without the broker and without single records: while the broker, the topic or the rights
 * to it are missing it tries again without end, a record that is no event is passed over, and a
 * failure of the reader is logged. One platform thread owns the consumer and calls the reader.
 *
 * <p>{@link #start}, {@link #progress} and {@link #close} are thread-safe.
 */
public final class TopicFollower implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TopicFollower.class);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
  private static final Duration PARTITIONS_CHECK = Duration.ofMinutes(5);
  private static final Duration STOP = Duration.ofSeconds(2);
  private static final int MAX_POLL_RECORDS = 500;

  /** Takes what is read, on the follower's thread. */
  public interface Reader {
    /** The records of each partition come in order. */
    void accept(Received record);

    /**
     * There may be records that {@link #accept} will never see: reading begins, now or again, and
     * not everything since the last record was remembered.
     */
    void missed();
  }

  /**
   * How far it is. Immutable.
   *
   * @param isConnected whether a broker is connected
   * @param behindRecords committed records that are not read yet, as last known; empty before the
   *     first answer
   * @param positions of the next record of each partition
   */
  public record Progress(
      boolean isConnected, OptionalLong behindRecords, Map<Integer, Long> positions) {
    public Progress {
      positions = Map.copyOf(positions);
    }
  }

  private final String name;
  private final Topic topic;
  private final Reader reader;
  private final KafkaClients clients;
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final Thread thread;

  /** Owned by the thread. */
  private final TreeMap<Integer, Long> positions;

  private volatile Progress progress;
  private volatile @Nullable KafkaConsumer<byte[], byte[]> consumer;

  /**
   * @param name in thread names, client ids and logs
   * @param remembered positions by partition; a partition without one is followed from its end
   */
  public TopicFollower(
      KafkaSettings kafka, String name, Topic topic, Map<Integer, Long> remembered, Reader reader) {
    this.name = name;
    this.topic = topic;
    this.reader = reader;
    this.clients = new KafkaClients(kafka);
    this.positions = new TreeMap<>(remembered);
    this.progress = new Progress(false, OptionalLong.empty(), positions);
    this.thread = Thread.ofPlatform().daemon().name(name + "-follower").unstarted(this::run);
  }

  public void start() {
    thread.start();
  }

  public Progress progress() {
    return progress;
  }

  @Override
  public void close() {
    stopping.countDown();
    KafkaConsumer<byte[], byte[]> current = consumer;
    if (current != null) {
      current.wakeup();
    }
    try {
      if (thread.getState() != Thread.State.NEW && !thread.join(STOP)) {
        thread.interrupt();
        thread.join(STOP);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isStopping() {
    return stopping.getCount() == 0;
  }

  private void run() {
    Duration pause = FIRST_PAUSE;
    try {
      while (!isStopping()) {
        String cause;
        try (KafkaConsumer<byte[], byte[]> opened = clients.plainConsumer(name, MAX_POLL_RECORDS)) {
          consumer = opened;
          if (isStopping()) {
            return;
          }
          List<TopicPartition> partitions = assign(opened);
          pause = FIRST_PAUSE;
          follow(opened, partitions);
          continue;
        } catch (WakeupException e) {
          continue; // stopping
        } catch (KafkaException | MessagingException e) {
          cause = e.toString();
        } finally {
          consumer = null;
          progress = new Progress(false, progress.behindRecords(), positions);
        }
        LOG.atWarn()
            .addKeyValue("follower", name)
            .addKeyValue("cause", cause)
            .addKeyValue("pauseSeconds", pause.toSeconds())
            .log("topic cannot be followed; trying again");
        if (stopping.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
          return;
        }
        pause =
            pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0
                ? LONGEST_PAUSE
                : pause.multipliedBy(2);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (org.apache.kafka.common.errors.InterruptException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) { // the thread's top
      LOG.atError().addKeyValue("follower", name).setCause(e).log("follower has stopped");
    }
  }

  private List<TopicPartition> partitions(KafkaConsumer<byte[], byte[]> from) {
    List<TopicPartition> partitions = new ArrayList<>();
    from.partitionsFor(topic.topicName())
        .forEach(info -> partitions.add(new TopicPartition(info.topic(), info.partition())));
    if (partitions.isEmpty()) {
      throw new MessagingException.Rejected("there is no topic " + topic.topicName() + " yet");
    }
    return partitions;
  }

  private List<TopicPartition> assign(KafkaConsumer<byte[], byte[]> to) {
    List<TopicPartition> partitions = partitions(to);
    to.assign(partitions);
    Map<TopicPartition, Long> first = to.beginningOffsets(partitions);
    Map<TopicPartition, Long> end = to.endOffsets(partitions);
    for (TopicPartition partition : partitions) {
      long last = end.getOrDefault(partition, 0L);
      Long wanted = positions.get(partition.partition());
      boolean isThere =
          wanted != null && wanted >= first.getOrDefault(partition, 0L) && wanted <= last;
      long position = wanted != null && isThere ? wanted : last;
      to.seek(partition, position);
      positions.put(partition.partition(), position);
    }
    report(to, partitions, end);
    guarded(reader::missed);
    return partitions;
  }

  /** Returns when the topic has other partitions than before. */
  private void follow(KafkaConsumer<byte[], byte[]> from, List<TopicPartition> partitions) {
    long checked = System.nanoTime();
    while (!isStopping()) {
      for (ConsumerRecord<byte[], byte[]> record : from.poll(POLL)) {
        take(record);
      }
      for (TopicPartition partition : partitions) {
        positions.put(partition.partition(), from.position(partition));
      }
      report(from, partitions, Map.of());
      if (System.nanoTime() - checked > PARTITIONS_CHECK.toNanos() && progress.isConnected()) {
        checked = System.nanoTime();
        if (partitions(from).size() != partitions.size()) {
          return;
        }
      }
    }
  }

  private void take(ConsumerRecord<byte[], byte[]> record) {
    Received received;
    try {
      received = EventRecords.decode(record);
    } catch (MessagingException.Corrupt e) {
      LOG.atWarn()
          .addKeyValue("follower", name)
          .addKeyValue("position", EventRecords.position(record))
          .addKeyValue("cause", e.getMessage())
          .log("record is no event; passed over");
      return;
    }
    guarded(() -> reader.accept(received));
  }

  private void guarded(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException e) { // what follows is worth more than one record
      LOG.atError().addKeyValue("follower", name).setCause(e).log("reader failed; going on");
    }
  }

  /**
   * @param ends where known; else what the consumer heard with its last records
   */
  private void report(
      KafkaConsumer<byte[], byte[]> from,
      List<TopicPartition> partitions,
      Map<TopicPartition, Long> ends) {
    long behind = 0;
    boolean isKnown = true;
    for (TopicPartition partition : partitions) {
      Long end = ends.get(partition);
      OptionalLong lag =
          end == null
              ? from.currentLag(partition)
              : OptionalLong.of(
                  Math.max(0, end - positions.getOrDefault(partition.partition(), 0L)));
      isKnown &= lag.isPresent();
      behind += lag.orElse(0);
    }
    progress =
        new Progress(
            isConnected(from),
            isKnown ? OptionalLong.of(behind) : progress.behindRecords(),
            positions);
  }

  private static boolean isConnected(KafkaConsumer<byte[], byte[]> consumer) {
    for (Metric metric : consumer.metrics().values()) {
      if (metric.metricName().name().equals("connection-count")
          && metric.metricName().group().equals("consumer-metrics")) {
        return metric.metricValue() instanceof Number count && count.doubleValue() > 0;
      }
    }
    return false;
  }
}
