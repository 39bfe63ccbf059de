package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.messaging.event.Event;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.extension.RegisterExtension;

@SuppressWarnings("NullAway.Init")
class PartitionedWorkerIT {
  @RegisterExtension static final BrokerExtension BROKER = new BrokerExtension();

  private static final Retries QUICK =
      new Retries(3, Duration.ofMillis(10), Duration.ofMillis(100));

  private final List<AutoCloseable> open = new ArrayList<>();
  private String group = "";
  private EventProducer producer;

  @BeforeEach
  void nameTheGroup(TestInfo test) {
    group = "it." + test.getTestMethod().orElseThrow().getName();
    producer = new EventProducer(BROKER.kafka("test"), Clock.systemUTC(), Duration.ofSeconds(20));
    open.add(producer);
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable closeable : open.reversed()) {
      closeable.close();
    }
  }

  /** Records what it saw; commits each batch with nothing else. */
  private static class Recorder implements PartitionHandler {
    final PartitionScope scope;
    final List<String> seen;

    Recorder(PartitionScope scope, List<String> seen) {
      this.scope = scope;
      this.seen = seen;
    }

    @Override
    public void handle(List<Received> batch) {
      batch.forEach(r -> seen.add(request(r)));
      scope.commit(List.of());
    }
  }

  private static String request(Received record) {
    return ((Event.CancelRequested) record.event().orElseThrow()).request().value();
  }

  private PartitionedWorker.Settings settings(String name) {
    return PartitionedWorker.Settings.of(name, Topic.REPOSITORY, group)
        .withRetries(QUICK)
        .withIdleInterval(Duration.ofMillis(200));
  }

  private PartitionedWorker worker(String name, PartitionHandler.Factory handlers) {
    return worker(settings(name), handlers, FailurePolicy.standard());
  }

  private PartitionedWorker worker(
      PartitionedWorker.Settings settings,
      PartitionHandler.Factory handlers,
      FailurePolicy policy) {
    PartitionedWorker worker =
        new PartitionedWorker(
            BROKER.kafka(settings.name()),
            settings,
            handlers,
            policy,
            new SimpleMeterRegistry(),
            Clock.systemUTC(),
            new Random(1));
    open.add(worker);
    worker.start();
    return worker;
  }

  private List<String> send(String prefix, int count) {
    List<String> requests = IntStream.range(0, count).mapToObj(i -> prefix + "-" + i).toList();
    producer.send(
        requests.stream()
            .map(r -> Outgoing.of(SampleEvents.cancel("repo" + r.hashCode() % 7 + ".org", r)))
            .toList());
    return requests;
  }

  @Test
  void handsEveryRecordToItsPartitionInOrder() throws Exception {
    List<String> seen = Collections.synchronizedList(new ArrayList<>());
    List<String> sent = send("order", 50);

    worker("w1", scope -> new Recorder(scope, seen));

    Waiting.until("all records", () -> seen.size() >= 50 && seen.containsAll(sent));
    assertThat(seen.stream().filter(sent::contains)).doesNotHaveDuplicates().hasSize(50);
  }

  @Test
  void redeliversWhatWasNotCommittedAndCommitsEventsAndOffsetsTogether() throws Exception {
    List<String> sent = send("txn", 20);
    AtomicInteger crashes = new AtomicInteger(3);
    Set<String> effects = ConcurrentHashMap.newKeySet();
    List<String> committed = Collections.synchronizedList(new ArrayList<>());
    TableReader reader =
        new TableReader(
            BROKER.kafka("reader"),
            "reader",
            Topic.STATUS,
            r -> committed.add(r.key()),
            new SimpleMeterRegistry());
    open.add(reader);
    reader.start();

    worker(
        settings("w1"),
        scope ->
            batch -> {
              List<Received> mine = batch.stream().filter(r -> sent.contains(request(r))).toList();
              mine.forEach(r -> effects.add(request(r)));
              if (!mine.isEmpty() && crashes.getAndDecrement() > 0) {
                throw new IllegalStateException("crash between effect and commit");
              }
              scope.commit(
                  mine.stream()
                      .map(
                          r ->
                              Outgoing.of(
                                  new Event.WorkProgress(
                                      SampleEvents.REPOSITORY,
                                      new io.lamina.messaging.event.WorkKey(
                                          io.lamina.messaging.event.WorkKey.Kind.THIN, request(r)),
                                      1,
                                      1,
                                      SampleEvents.TIME)))
                      .toList());
            },
        FailurePolicy.standard());

    List<String> expected = sent.stream().map(r -> SampleEvents.REPOSITORY + "/thin/" + r).toList();
    Waiting.until("all events", () -> committed.containsAll(expected));
    assertThat(effects).containsAll(sent);
    assertThat(committed.stream().filter(expected::contains)).doesNotHaveDuplicates();
  }

  @Test
  void setsAPoisonRecordAsideAndGoesOn() throws Exception {
    List<String> sent = send("poison", 20);
    List<String> seen = Collections.synchronizedList(new ArrayList<>());
    List<Received> letters = Collections.synchronizedList(new ArrayList<>());
    List<String> told = Collections.synchronizedList(new ArrayList<>());
    TableReader reader =
        new TableReader(
            BROKER.kafka("letters"),
            "letters",
            Topic.DEAD_LETTERS,
            letters::add,
            new SimpleMeterRegistry());
    open.add(reader);
    reader.start();

    worker(
        settings("w1"),
        scope ->
            new PartitionHandler() {
              @Override
              public void handle(List<Received> batch) {
                for (Received record : batch) {
                  if (request(record).equals("poison-7")) {
                    throw new IllegalStateException("cannot digest poison-7");
                  }
                }
                batch.forEach(r -> seen.add(request(r)));
                scope.commit(List.of());
              }

              @Override
              public List<Outgoing> abandoned(Received record, Throwable cause) {
                told.add(request(record));
                return List.of();
              }
            },
        FailurePolicy.standard());

    Waiting.until(
        "all others",
        () -> seen.containsAll(sent.stream().filter(r -> !r.equals("poison-7")).toList()));
    Waiting.until(
        "the dead letter", () -> letters.stream().anyMatch(r -> request(r).equals("poison-7")));
    assertThat(told).containsExactly("poison-7");
    assertThat(seen.stream().filter(sent::contains)).doesNotHaveDuplicates().hasSize(19);
  }

  @Test
  void sharesPartitionsAmongWorkersAndTakesOverThoseOfOneThatLeft() throws Exception {
    List<String> seen1 = Collections.synchronizedList(new ArrayList<>());
    List<String> seen2 = Collections.synchronizedList(new ArrayList<>());
    Set<Integer> partitions2 = ConcurrentHashMap.newKeySet();
    PartitionedWorker first = worker("w1", scope -> new Recorder(scope, seen1));
    send("early", 10);
    Waiting.until("the first worker", () -> !seen1.isEmpty());

    worker(
        "w2",
        scope -> {
          partitions2.add(scope.partition());
          return new Recorder(scope, seen2);
        });
    Waiting.until("a partition for the second", () -> !partitions2.isEmpty());
    assertThat(partitions2.size()).isLessThan(BrokerExtension.PARTITIONS);
    first.close();
    Waiting.until("all partitions", () -> partitions2.size() == BrokerExtension.PARTITIONS);
    List<String> late = send("late", 10);

    Waiting.until("all records", () -> seen2.containsAll(late));
    List<String> both = new ArrayList<>(seen1);
    both.addAll(seen2);
    assertThat(both).doesNotHaveDuplicates();
  }

  @Test
  void restoresNotesOfTheFormerOwner() throws Exception {
    List<Map<String, Received>> restored = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch noted = new CountDownLatch(1);
    Event.PendingWork keep = new Event.PendingWork(SampleEvents.work(1));
    Event.PendingWork drop = new Event.PendingWork(SampleEvents.work(2));
    producer.send(Outgoing.of(SampleEvents.cancel("notes.example.org", "note-1")));
    PartitionedWorker first =
        worker(
            "w1",
            scope ->
                batch -> {
                  scope.commit(List.of(Outgoing.of(keep), Outgoing.of(drop)));
                  scope.commit(List.of(Outgoing.deleting(drop)));
                  noted.countDown();
                });
    assertThat(noted.await(30, TimeUnit.SECONDS)).isTrue();
    first.close();

    worker(
        "w2",
        scope -> {
          restored.add(scope.restore(Topic.PENDING));
          return batch -> scope.commit(List.of());
        });

    Waiting.until("all partitions", () -> restored.size() == BrokerExtension.PARTITIONS);
    assertThat(restored.stream().flatMap(m -> m.values().stream()))
        .isNotEmpty()
        .allSatisfy(r -> assertThat(r.event()).contains(keep));
  }

  @Test
  void refusesTheCommitOfAFormerOwner() throws Exception {
    List<String> sent = send("zombie", 30);
    CountDownLatch hangs = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    List<Throwable> refused = Collections.synchronizedList(new ArrayList<>());
    List<String> seen = Collections.synchronizedList(new ArrayList<>());
    PartitionedWorker first =
        worker(
            impatient("w1"),
            scope ->
                batch -> {
                  hangs.countDown();
                  awaitUninterruptibly(goOn);
                  try {
                    scope.commit(List.of());
                  } catch (MessagingException.PartitionLost e) {
                    refused.add(e);
                    throw e;
                  }
                },
            FailurePolicy.standard());
    assertThat(hangs.await(30, TimeUnit.SECONDS)).isTrue();

    Thread closer = Thread.ofVirtual().start(first::close);
    worker("w2", scope -> new Recorder(scope, seen));
    Waiting.until("the new owner", () -> seen.containsAll(sent));
    goOn.countDown();

    closer.join();
    Waiting.until("the refusal", () -> !refused.isEmpty());
    assertThat(seen.stream().filter(sent::contains)).doesNotHaveDuplicates();
  }

  @Test
  void refusesToConfirmTheOwnershipOfAFormerOwner() throws Exception {
    List<String> sent = send("confirmed", 30);
    Set<String> effects = ConcurrentHashMap.newKeySet();
    CountDownLatch hangs = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    List<Throwable> refused = Collections.synchronizedList(new ArrayList<>());
    PartitionedWorker first =
        worker(
            impatient("w1"),
            scope ->
                batch -> {
                  scope.confirmOwnership();
                  hangs.countDown();
                  awaitUninterruptibly(goOn);
                  try {
                    scope.confirmOwnership();
                    effects.add("of the former owner");
                  } catch (MessagingException.PartitionLost e) {
                    refused.add(e);
                    throw e;
                  }
                },
            FailurePolicy.standard());
    assertThat(hangs.await(30, TimeUnit.SECONDS)).isTrue();

    Thread closer = Thread.ofVirtual().start(first::close);
    worker(
        "w2",
        scope ->
            batch -> {
              scope.confirmOwnership();
              batch.forEach(r -> effects.add(request(r)));
              scope.commit(List.of());
            });
    Waiting.until("the new owner", () -> effects.containsAll(sent));
    goOn.countDown();

    closer.join();
    Waiting.until("the refusal", () -> !refused.isEmpty());
    assertThat(effects).doesNotContain("of the former owner");
  }

  @Test
  void handsRecordsOverAgainWhenAHandlerFailsAfterItConfirmedItsOwnership() throws Exception {
    List<String> sent = send("again", 10);
    List<String> seen = Collections.synchronizedList(new ArrayList<>());
    AtomicInteger failures = new AtomicInteger(3);

    worker(
        "w1",
        scope ->
            batch -> {
              scope.confirmOwnership();
              scope.confirmOwnership();
              if (failures.getAndDecrement() > 0) {
                throw new IllegalStateException("the storage is away");
              }
              scope.commit(List.of());
              batch.forEach(r -> seen.add(request(r)));
            });

    Waiting.until("all records", () -> seen.containsAll(sent));
    assertThat(seen.stream().filter(sent::contains)).doesNotHaveDuplicates();
  }

  private PartitionedWorker.Settings impatient(String name) {
    return new PartitionedWorker.Settings(
        name,
        Topic.REPOSITORY.topicName(),
        group,
        Optional.empty(),
        100,
        500,
        5000,
        Duration.ofMillis(200),
        Duration.ofMillis(300),
        QUICK);
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    while (true) {
      try {
        latch.await();
        return;
      } catch (InterruptedException e) {
        // as a handler does that is deep in native code
      }
    }
  }

  @Test
  void goesOnWhenTheBrokerComesBack() throws Exception {
    List<String> before = send("before", 5);
    List<String> seen = Collections.synchronizedList(new ArrayList<>());
    worker("w1", scope -> new Recorder(scope, seen));
    Waiting.until("the first records", () -> seen.containsAll(before));

    BROKER.restart();
    List<String> after = send("after", 5);

    Waiting.until("what came after", Duration.ofSeconds(60), () -> seen.containsAll(after));
    assertThat(seen).doesNotHaveDuplicates();
  }

  @Test
  void commitsQuickly() throws Exception {
    List<String> sent = send("quick", 60);
    List<String> seen = Collections.synchronizedList(new ArrayList<>());
    List<Long> micros = Collections.synchronizedList(new ArrayList<>());

    worker(
        settings("w1").withMaxBatch(1),
        scope ->
            batch -> {
              long start = System.nanoTime();
              scope.commit(List.of(Outgoing.of(SampleEvents.all().getLast())));
              micros.add((System.nanoTime() - start) / 1000);
              batch.forEach(r -> seen.add(request(r)));
            },
        FailurePolicy.standard());
    Waiting.until("all records", Duration.ofSeconds(60), () -> seen.containsAll(sent));

    List<Long> sorted = micros.stream().sorted().toList();
    System.out.println(
        "a transaction of one record took "
            + sorted.get(sorted.size() / 2) / 1000
            + " ms (median), "
            + sorted.getLast() / 1000
            + " ms at most");
    assertThat(sorted.get(sorted.size() / 2)).isLessThan(500_000);
  }

  @Test
  void stopsWithTheFailureThatThePolicyCallsFinal() throws Exception {
    producer.send(Outgoing.of(SampleEvents.cancel("fatal.example.org", "fatal-1")));
    PartitionedWorker worker =
        worker(
            settings("w1"),
            scope ->
                batch -> {
                  throw new IllegalStateException("no key");
                },
            failure -> FailurePolicy.Verdict.STOP);

    Waiting.until("the end", () -> worker.stopped().isDone());

    assertThat(worker.stopped()).isCompletedExceptionally();
    assertThat(worker.stopped().exceptionNow())
        .isInstanceOf(MessagingException.Fatal.class)
        .hasMessageContaining("no key");
  }
}
