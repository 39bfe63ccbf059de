package io.lamina.messaging;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a topic as a member of a consumer group: each partition in order, by one {@link
 * PartitionHandler} of its own, effects and offsets committed in one Kafka transaction.
 *
 * <p>One platform thread owns the consumer: it polls, hands records to the partitions' lanes,
 * pauses those that are full, and starts lanes anew after failures. It never waits for work.
 *
 * <p>Source: docs/protocol/topics.md, "Consumer groups". {@link #start} and {@link #close} are
 * thread-safe.
 */
public final class PartitionedWorker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PartitionedWorker.class);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final int MAX_POLL_RECORDS = 500;

  /**
   * @param name in thread names, metrics and logs
   * @param topic by its name
   * @param instance a name that this member keeps over restarts, unique in the group: after a kill
   *     it gets its partitions back at once instead of after the session timeout
   * @param maxBatch most records that a handler gets at once
   * @param maxQueued records per partition above which it is paused
   * @param maxUncommitted records that a handler may have without a commit before it gets no more
   * @param idleInterval after which a handler without records is told so
   * @param stopTimeout how long a batch may go on once the partition is revoked or the worker stops
   */
  public record Settings(
      String name,
      String topic,
      String group,
      Optional<String> instance,
      int maxBatch,
      int maxQueued,
      int maxUncommitted,
      Duration idleInterval,
      Duration stopTimeout,
      Retries retries) {
    public static Settings of(String name, Topic topic, String group) {
      return of(name, topic.topicName(), group);
    }

    /** For a topic that others make and fill, such as the copy of another cluster's journal. */
    public static Settings of(String name, String topic, String group) {
      return new Settings(
          name,
          topic,
          group,
          Optional.empty(),
          100,
          500,
          5_000,
          Duration.ofSeconds(1),
          Duration.ofSeconds(20),
          Retries.STANDARD);
    }

    public Settings withInstance(String newInstance) {
      return new Settings(
          name,
          topic,
          group,
          Optional.of(newInstance),
          maxBatch,
          maxQueued,
          maxUncommitted,
          idleInterval,
          stopTimeout,
          retries);
    }

    public Settings withMaxBatch(int newMaxBatch) {
      return new Settings(
          name,
          topic,
          group,
          instance,
          newMaxBatch,
          maxQueued,
          maxUncommitted,
          idleInterval,
          stopTimeout,
          retries);
    }

    public Settings withIdleInterval(Duration newIdleInterval) {
      return new Settings(
          name,
          topic,
          group,
          instance,
          maxBatch,
          maxQueued,
          maxUncommitted,
          newIdleInterval,
          stopTimeout,
          retries);
    }

    public Settings withRetries(Retries newRetries) {
      return new Settings(
          name,
          topic,
          group,
          instance,
          maxBatch,
          maxQueued,
          maxUncommitted,
          idleInterval,
          stopTimeout,
          newRetries);
    }
  }

  /** All of one partition that this member owns. For the loop's thread alone. */
  private static final class Owned {
    final PartitionTransactions transactions;
    final Setbacks setbacks;
    @Nullable Lane lane;
    long restartAtNanos;
    boolean restartNow;

    Owned(PartitionTransactions transactions, Setbacks setbacks) {
      this.transactions = transactions;
      this.setbacks = setbacks;
    }
  }

  private final KafkaClients clients;
  private final Settings settings;
  private final FailurePolicy policy;
  private final RandomGenerator random;
  private final Lane.Context laneContext;
  private final WorkerMetrics metrics;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Map<TopicPartition, Owned> owned = new ConcurrentHashMap<>();
  private final CompletableFuture<Void> stopped = new CompletableFuture<>();
  private final Thread thread;
  private volatile ConsumerGroupMetadata membership;
  private volatile boolean stopping;

  public PartitionedWorker(
      KafkaSettings kafka,
      Settings settings,
      PartitionHandler.Factory handlers,
      FailurePolicy policy,
      MeterRegistry registry,
      Clock clock,
      RandomGenerator random) {
    this.clients = new KafkaClients(kafka);
    this.settings = settings;
    this.policy = policy;
    this.random = random;
    this.metrics = new WorkerMetrics(registry, settings.name(), this::depth, owned::size);
    this.consumer = clients.groupConsumer(settings.group(), settings.instance(), MAX_POLL_RECORDS);
    this.membership = consumer.groupMetadata();
    this.laneContext =
        new Lane.Context(
            clients,
            new EventRecords(kafka.clientName(), clock),
            settings,
            handlers,
            metrics,
            clock,
            consumer::wakeup);
    this.thread =
        Thread.ofPlatform().name(settings.name() + "-" + settings.group()).unstarted(this::run);
  }

  public void start() {
    thread.start();
  }

  /** Completes when the loop has ended: normally after {@link #close}, else with the failure. */
  public CompletableFuture<Void> stopped() {
    return stopped.copy();
  }

  /** Finishes the batches at hand, leaves the group and returns. Idempotent. */
  @Override
  public void close() {
    stopping = true;
    consumer.wakeup();
    boolean interrupted = false;
    while (true) {
      try {
        if (thread.getState() == Thread.State.NEW) {
          consumer.close();
        } else {
          thread.join();
        }
        break;
      } catch (InterruptedException e) {
        // Leaving partitions behind in an unknown state is worse than the bounded wait.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private int depth() {
    return owned.values().stream()
        .mapToInt(
            o -> {
              Lane lane = o.lane;
              return lane == null ? 0 : lane.depth();
            })
        .sum();
  }

  // ---- the loop's thread --------------------------------------------------------------------

  private void run() {
    Throwable failure = null;
    try {
      consumer.subscribe(List.of(settings.topic()), new Rebalance());
      while (!stopping) {
        turn();
      }
    } catch (Throwable t) { // the thread's top
      failure = t;
    }
    failure = shutDown(failure);
    if (failure == null) {
      stopped.complete(null);
    } else {
      LOG.atError()
          .addKeyValue("worker", settings.name())
          .setCause(failure)
          .log("worker has stopped");
      stopped.completeExceptionally(failure);
    }
  }

  private void turn() {
    try {
      ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
      membership = consumer.groupMetadata();
      for (TopicPartition partition : records.partitions()) {
        Lane lane = laneOf(partition);
        if (lane != null) {
          lane.offer(records.records(partition));
        }
      }
      owned.forEach(this::tend);
      metrics.progress();
    } catch (WakeupException e) {
      // A lane has drained or ended, or the worker stops: the next turn or none sees to it.
    } catch (RetriableException e) {
      LOG.atWarn()
          .addKeyValue("worker", settings.name())
          .addKeyValue("cause", e.toString())
          .log("polling failed; it goes on");
    }
  }

  private @Nullable Lane laneOf(TopicPartition partition) {
    Owned o = owned.get(partition);
    return o == null ? null : o.lane;
  }

  /** Pauses, resumes, restarts: whatever one partition needs now. */
  private void tend(TopicPartition partition, Owned o) {
    Lane lane = o.lane;
    if (lane != null) {
      lane.end().ifPresent(end -> ended(partition, o, end));
    }
    lane = o.lane;
    if (lane == null && (o.restartNow || System.nanoTime() - o.restartAtNanos >= 0)) {
      restart(partition, o);
      lane = o.lane;
    }
    boolean full = lane == null || lane.depth() > settings.maxQueued();
    boolean paused = consumer.paused().contains(partition);
    if (full && !paused) {
      consumer.pause(Set.of(partition));
    } else if (paused && lane != null && lane.depth() <= settings.maxQueued() / 2) {
      consumer.resume(Set.of(partition));
    }
  }

  private void ended(TopicPartition partition, Owned o, Lane.End end) {
    o.lane = null;
    Throwable failure = end.failure();
    if (failure == null) {
      o.restartNow = true;
      return;
    }
    Setbacks.Next next =
        end.inBatch()
            ? o.setbacks.failed(failure, end.lastOffset(), end.alone())
            : o.setbacks.failed(failure);
    switch (next) {
      case Setbacks.Next.Stop _ ->
          throw new MessagingException.Fatal(
              settings.name() + " cannot go on with " + partition + ": " + failure.getMessage(),
              failure);
      case Setbacks.Next.Restart(Duration pause) -> {
        metrics.retried(partition.toString(), failure, pause);
        o.restartNow = pause.isZero();
        o.restartAtNanos = System.nanoTime() + pause.toNanos();
      }
    }
  }

  /** From the committed offset, with a new handler. */
  private void restart(TopicPartition partition, Owned o) {
    consumer.pause(Set.of(partition));
    try {
      if (!o.transactions.isOpen()) {
        o.transactions.open();
      }
      OffsetAndMetadata committed = consumer.committed(Set.of(partition)).get(partition);
      if (committed == null) {
        consumer.seekToBeginning(Set.of(partition));
      } else {
        consumer.seek(partition, committed);
      }
    } catch (MessagingException | RetriableException e) {
      if (policy.judge(KafkaFailures.translate("restart " + partition, e))
          == FailurePolicy.Verdict.STOP) {
        throw e;
      }
      o.restartNow = false;
      o.restartAtNanos = System.nanoTime() + settings.retries().firstPause().toNanos();
      metrics.retried(partition.toString(), e, settings.retries().firstPause());
      return;
    }
    begin(partition, o);
    consumer.resume(Set.of(partition));
  }

  private void begin(TopicPartition partition, Owned o) {
    Lane lane = new Lane(partition, laneContext, o.transactions, o.setbacks);
    o.restartNow = false;
    o.lane = lane;
    lane.start();
  }

  /** Runs in {@code poll}, on the loop's thread. */
  private final class Rebalance implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      membership = consumer.groupMetadata();
      // Fencing former owners comes before the committed offsets are read, which is after this.
      Map<TopicPartition, Owned> assigned = new HashMap<>();
      for (TopicPartition partition : partitions) {
        assigned.put(
            partition,
            new Owned(
                new PartitionTransactions(clients, settings.group(), partition, () -> membership),
                new Setbacks(policy, settings.retries(), random)));
      }
      openAll(assigned);
      assigned.forEach(
          (partition, o) -> {
            owned.put(partition, o);
            if (o.transactions.isOpen()) {
              begin(partition, o);
            } else {
              o.restartNow = true;
              consumer.pause(Set.of(partition));
            }
          });
      LOG.atInfo()
          .addKeyValue("worker", settings.name())
          .addKeyValue("assigned", partitions)
          .addKeyValue("owned", owned.keySet())
          .log("partitions assigned");
    }

    private void openAll(Map<TopicPartition, Owned> assigned) {
      List<Thread> openers = new ArrayList<>();
      assigned.forEach(
          (partition, o) ->
              openers.add(
                  Thread.ofVirtual()
                      .start(
                          () -> {
                            try {
                              o.transactions.open();
                            } catch (MessagingException e) {
                              metrics.retried(partition.toString(), e, Duration.ZERO);
                            }
                          })));
      for (Thread opener : openers) {
        try {
          opener.join();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return;
        }
      }
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      release(partitions, settings.stopTimeout());
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      release(partitions, Duration.ZERO);
    }
  }

  /**
   * Ends the lanes of these partitions: after the batch at hand, or at once where there is no time.
   */
  private void release(Collection<TopicPartition> partitions, Duration timeout) {
    List<Owned> released = new ArrayList<>();
    for (TopicPartition partition : partitions) {
      Owned o = owned.remove(partition);
      if (o != null) {
        released.add(o);
        Lane lane = o.lane;
        if (lane != null) {
          lane.stop();
        }
      }
    }
    long deadline = System.nanoTime() + timeout.toNanos();
    for (Owned o : released) {
      Lane lane = o.lane;
      try {
        if (lane != null && !timeout.isZero()) {
          lane.awaitEnd(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
        }
        o.transactions.close();
        if (lane != null && lane.end().isEmpty()) {
          lane.interrupt();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        o.transactions.close();
      }
    }
    if (!released.isEmpty()) {
      LOG.atInfo()
          .addKeyValue("worker", settings.name())
          .addKeyValue("released", partitions)
          .addKeyValue("owned", owned.keySet())
          .log("partitions released");
    }
  }

  private @Nullable Throwable shutDown(@Nullable Throwable failure) {
    Throwable result = failure;
    try {
      release(List.copyOf(owned.keySet()), settings.stopTimeout());
      consumer.close(
          CloseOptions.timeout(Duration.ofSeconds(5))
              .withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
    } catch (KafkaException e) {
      if (result == null) {
        LOG.atWarn()
            .addKeyValue("worker", settings.name())
            .addKeyValue("cause", e.toString())
            .log("could not leave the group; its session ends by itself");
      } else {
        result.addSuppressed(e);
      }
    }
    return result;
  }
}
