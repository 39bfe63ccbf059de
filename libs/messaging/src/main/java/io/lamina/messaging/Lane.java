package io.lamina.messaging;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * One partition's queue and the thread that works it off, from the first record after the committed
 * offset until it is stopped or its handler fails. It is not started twice.
 *
 * <p>A platform thread: handlers spend their time in native code (databases, compression), where a
 * virtual thread would hold on to a carrier that others need.
 */
final class Lane implements PartitionScope {
  private static final Duration RESTORE_TIMEOUT = Duration.ofMinutes(2);
  private static final Duration RESTORE_ASK = Duration.ofSeconds(30);
  private static final Duration RESTORE_POLL = Duration.ofMillis(200);

  /** What a lane needs to know beyond its partition. */
  record Context(
      KafkaClients clients,
      EventRecords records,
      PartitionedWorker.Settings settings,
      PartitionHandler.Factory handlers,
      WorkerMetrics metrics,
      Clock clock,
      Runnable onDrained) {}

  /** A record that the handler has; without its bytes once it is done. */
  private static final class Handed {
    final long offset;
    @Nullable ConsumerRecord<byte[], byte[]> record;

    Handed(ConsumerRecord<byte[], byte[]> record) {
      this.offset = record.offset();
      this.record = record;
    }
  }

  /** How a lane ended. */
  record End(@Nullable Throwable failure, boolean inBatch, long lastOffset, boolean alone) {}

  private final TopicPartition partition;
  private final Context context;
  private final PartitionTransactions transactions;
  private final Setbacks setbacks;
  private final Thread thread;

  // The queue and the flags, guarded by the lock.
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<ConsumerRecord<byte[], byte[]>> queue = new ArrayDeque<>();
  private boolean stopping;
  private @Nullable End end;

  // The rest belongs to the lane's thread.
  private final List<ProducerRecord<byte[], byte[]>> letters = new ArrayList<>();
  private long handedUpTo = -1;
  private long committedUpTo = -1;
  // Handed over since the committed offset, in order; of these, by offset, what is not done.
  private final ArrayDeque<Handed> uncommitted = new ArrayDeque<>();
  private final Map<Long, Handed> undone = new HashMap<>();
  private boolean inBatch;
  private long lastOffset = -1;
  private boolean alone;

  Lane(
      TopicPartition partition,
      Context context,
      PartitionTransactions transactions,
      Setbacks setbacks) {
    this.partition = partition;
    this.context = context;
    this.transactions = transactions;
    this.setbacks = setbacks;
    this.thread =
        Thread.ofPlatform()
            .daemon()
            .name(context.settings().name() + "-lane-" + partition)
            .unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  // ---- for the loop -------------------------------------------------------------------------

  /** Records behind those offered before. */
  void offer(List<ConsumerRecord<byte[], byte[]>> records) {
    lock.lock();
    try {
      if (end == null && !stopping) {
        queue.addAll(records);
        changed.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  int depth() {
    lock.lock();
    try {
      return queue.size();
    } finally {
      lock.unlock();
    }
  }

  Optional<End> end() {
    lock.lock();
    try {
      return Optional.ofNullable(end);
    } finally {
      lock.unlock();
    }
  }

  /** Ends after the batch at hand. */
  void stop() {
    lock.lock();
    try {
      stopping = true;
      queue.clear();
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Ends at once, without commit: the caller has closed the transactions. */
  void interrupt() {
    stop();
    thread.interrupt();
  }

  boolean awaitEnd(Duration timeout) throws InterruptedException {
    return thread.join(timeout);
  }

  // ---- the lane's thread --------------------------------------------------------------------

  private void run() {
    Throwable failure = null;
    try (PartitionHandler handler = context.handlers().open(this)) {
      while (!isStopping()) {
        step(handler);
      }
    } catch (Throwable t) { // the thread's top: the loop decides what follows
      failure = t;
    }
    transactions.rollBack();
    lock.lock();
    try {
      end = new End(failure, inBatch, lastOffset, alone);
      queue.clear();
    } finally {
      lock.unlock();
    }
    context.onDrained().run();
  }

  private void step(PartitionHandler handler) throws InterruptedException {
    List<ConsumerRecord<byte[], byte[]>> taken = take();
    if (taken.isEmpty()) {
      if (!isStopping()) {
        handler.idle();
      }
      return;
    }
    List<Received> batch = new ArrayList<>(taken.size());
    List<ConsumerRecord<byte[], byte[]>> raw = new ArrayList<>(taken.size());
    for (ConsumerRecord<byte[], byte[]> record : taken) {
      Optional<Setbacks.Abandoned> abandoned = setbacks.abandoned(record.offset());
      Received received = null;
      try {
        received = EventRecords.decode(record);
      } catch (MessagingException.Corrupt e) {
        abandoned = Optional.of(abandoned.orElse(new Setbacks.Abandoned(e, 1)));
      }
      if (abandoned.isEmpty() && received != null) {
        batch.add(received);
        raw.add(record);
      } else {
        hand(handler, batch, raw);
        batch = new ArrayList<>();
        raw = new ArrayList<>();
        setAside(handler, record, received, abandoned.orElseThrow());
      }
    }
    hand(handler, batch, raw);
  }

  private void hand(
      PartitionHandler handler, List<Received> batch, List<ConsumerRecord<byte[], byte[]>> raw) {
    if (batch.isEmpty()) {
      return;
    }
    lastOffset = batch.getLast().position().offset();
    alone = batch.size() == 1;
    handedUpTo = lastOffset + 1;
    for (ConsumerRecord<byte[], byte[]> record : raw) {
      Handed handed = new Handed(record);
      uncommitted.add(handed);
      undone.put(handed.offset, handed);
    }
    long start = System.nanoTime();
    inBatch = true;
    handler.handle(List.copyOf(batch));
    inBatch = false;
    context.metrics().batch(batch.size(), Duration.ofNanos(System.nanoTime() - start));
  }

  private void setAside(
      PartitionHandler handler,
      ConsumerRecord<byte[], byte[]> record,
      @Nullable Received received,
      Setbacks.Abandoned abandoned) {
    if (received != null) {
      for (Outgoing event : handler.abandoned(received, abandoned.cause())) {
        letters.add(encode(event.causedBy(received)));
      }
    } else {
      Salvage.of(record, abandoned.cause(), context.clock().instant())
          .forEach(event -> letters.add(encode(event)));
    }
    addLetter(record, abandoned.attempts(), abandoned.cause());
    boolean nothingBefore = uncommitted.isEmpty();
    handedUpTo = record.offset() + 1;
    if (nothingBefore) {
      commit(List.of());
    } else {
      Handed handed = new Handed(record);
      handed.record = null;
      uncommitted.add(handed);
    }
  }

  private void addLetter(ConsumerRecord<byte[], byte[]> record, int attempts, Throwable cause) {
    letters.add(
        DeadLetters.of(
            record, context.settings().group(), attempts, cause, context.clock().instant()));
    context.metrics().deadLetter(partition + "@" + record.offset(), cause);
  }

  /** The next batch; empty after the idle interval, at the bound of uncommitted, or at the end. */
  private List<ConsumerRecord<byte[], byte[]>> take() throws InterruptedException {
    long nanos = context.settings().idleInterval().toNanos();
    boolean full = uncommitted.size() >= context.settings().maxUncommitted();
    List<ConsumerRecord<byte[], byte[]>> taken = new ArrayList<>();
    boolean drained;
    lock.lock();
    try {
      while ((queue.isEmpty() || full) && !stopping && nanos > 0) {
        nanos = changed.awaitNanos(nanos);
      }
      if (!full && !stopping) {
        while (!queue.isEmpty() && taken.size() < context.settings().maxBatch()) {
          boolean single = setbacks.single(queue.peek().offset());
          if (single && !taken.isEmpty()) {
            break;
          }
          taken.add(queue.remove());
          if (single) {
            break;
          }
        }
      }
      drained = !taken.isEmpty() && queue.size() <= context.settings().maxQueued() / 2;
    } finally {
      lock.unlock();
    }
    if (drained) {
      context.onDrained().run();
    }
    return taken;
  }

  // ---- PartitionScope -----------------------------------------------------------------------

  @Override
  public int partition() {
    return partition.partition();
  }

  @Override
  public void commit(List<Outgoing> events) {
    checkThread();
    undone.values().forEach(handed -> handed.record = null);
    undone.clear();
    write(events);
  }

  @Override
  public void commit(List<Outgoing> events, Collection<Received.Position> done) {
    checkThread();
    done.forEach(position -> finish(position));
    write(events);
  }

  @Override
  public void confirmOwnership() {
    checkThread();
    transactions.confirm(uncommitted.isEmpty() ? handedUpTo : uncommitted.getFirst().offset);
  }

  @Override
  public void setAside(Received received, Throwable cause) {
    checkThread();
    addLetter(finish(received.position()), 1, cause);
  }

  private ConsumerRecord<byte[], byte[]> finish(Received.Position position) {
    Handed handed = undone.remove(position.offset());
    if (handed == null || handed.record == null) {
      throw new IllegalStateException(position + " was not handed over or is done already");
    }
    ConsumerRecord<byte[], byte[]> record = handed.record;
    handed.record = null;
    return record;
  }

  private void write(List<Outgoing> events) {
    List<ProducerRecord<byte[], byte[]>> toSend = new ArrayList<>(events.size() + letters.size());
    events.forEach(event -> toSend.add(encode(event)));
    toSend.addAll(letters);
    int finished = 0;
    while (!uncommitted.isEmpty() && uncommitted.getFirst().record == null) {
      uncommitted.removeFirst();
      finished++;
    }
    long next = uncommitted.isEmpty() ? handedUpTo : uncommitted.getFirst().offset;
    boolean moves = next > committedUpTo;
    if (toSend.isEmpty() && !moves) {
      transactions.rollBack();
      return;
    }
    transactions.commit(toSend, moves ? OptionalLong.of(next) : OptionalLong.empty());
    context.metrics().committed(finished);
    letters.clear();
    committedUpTo = next;
    setbacks.progressed(committedUpTo);
  }

  private ProducerRecord<byte[], byte[]> encode(Outgoing event) {
    return context
        .records()
        .encode(event, event.topic() == Topic.PENDING ? (Integer) partition.partition() : null);
  }

  @Override
  public Map<String, Received> restore(Topic topic) {
    checkThread();
    Map<String, Received> latest = new LinkedHashMap<>();
    TopicPartition source = new TopicPartition(topic.topicName(), partition.partition());
    try (KafkaConsumer<byte[], byte[]> consumer =
        context.clients().plainConsumer("restore-" + source, 1000)) {
      consumer.assign(List.of(source));
      consumer.seekToBeginning(List.of(source));
      long endOffset = LogEnds.of(context.clients(), topic, RESTORE_ASK).getOrDefault(source, 0L);
      long deadline = System.nanoTime() + RESTORE_TIMEOUT.toNanos();
      while (consumer.position(source) < endOffset) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(RESTORE_POLL)) {
          Received received = EventRecords.decode(record);
          latest.remove(received.key());
          if (received.event().isPresent()) {
            latest.put(received.key(), received);
          }
        }
        if (isStopping()) {
          throw new MessagingException.PartitionLost(partition + " was given up", null);
        }
        if (System.nanoTime() > deadline) {
          throw new MessagingException.Retryable(
              "could not read " + source + " within " + RESTORE_TIMEOUT, null);
        }
      }
      return latest;
    } catch (org.apache.kafka.common.KafkaException e) {
      throw KafkaFailures.translate("restore the state in " + source, e);
    }
  }

  @Override
  public boolean isStopping() {
    lock.lock();
    try {
      return stopping;
    } finally {
      lock.unlock();
    }
  }

  private void checkThread() {
    if (Thread.currentThread() != thread) {
      throw new IllegalStateException("only for the thread of " + partition);
    }
  }
}
