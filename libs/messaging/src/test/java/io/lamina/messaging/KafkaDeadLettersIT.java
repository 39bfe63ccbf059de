package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Dead letters on a real broker: how they come to be, and how they are settled. */
@SuppressWarnings("NullAway.Init")
class KafkaDeadLettersIT {
  @RegisterExtension static final BrokerExtension BROKER = new BrokerExtension();

  private static int names;

  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<Received> layers = Collections.synchronizedList(new ArrayList<>());
  private final List<Received> repository = Collections.synchronizedList(new ArrayList<>());
  private final List<Received> conversions = Collections.synchronizedList(new ArrayList<>());
  private final List<Received> statuses = Collections.synchronizedList(new ArrayList<>());
  private EventProducer producer;
  private String name;

  @BeforeEach
  void openAll() {
    name = "t" + names++;
    producer =
        keep(new EventProducer(BROKER.kafka("test"), Clock.systemUTC(), Duration.ofSeconds(60)));
    read(Topic.LAYERS, layers);
    read(Topic.REPOSITORY, repository);
    read(Topic.CONVERSIONS, conversions);
    read(Topic.STATUS, statuses);
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable closeable : open.reversed()) {
      closeable.close();
    }
  }

  private <T extends AutoCloseable> T keep(T part) {
    open.add(part);
    return part;
  }

  private void read(Topic topic, List<Received> sink) {
    keep(new TableReader(
            BROKER.kafka("reader"), "read-" + topic, topic, sink::add, new SimpleMeterRegistry()))
        .start();
  }

  private KafkaDeadLetters office() throws Exception {
    KafkaDeadLetters office =
        keep(
            new KafkaDeadLetters(
                BROKER.kafka("office"),
                KafkaDeadLetters.Settings.standard(),
                Clock.systemUTC(),
                new SimpleMeterRegistry()));
    office.start();
    office.caughtUp().get(60, TimeUnit.SECONDS);
    return office;
  }

  private DeadLetter only(DeadLetterOffice office) throws Exception {
    Waiting.until("a dead letter of " + name, () -> mine(office).size() == 1);
    return mine(office).getFirst();
  }

  /** Letters of other tests are on the topic as well. */
  private List<DeadLetter> mine(DeadLetterOffice office) {
    return office.page(
        letter ->
            letter.repository().map(r -> r.value().startsWith(name + ".")).orElse(false)
                || letter.key().startsWith(name),
        Optional.empty(),
        1000);
  }

  private io.lamina.cvmfs.RepositoryName repo() {
    return new io.lamina.cvmfs.RepositoryName(name + ".example.org");
  }

  private Event.LayerRequested work(int number) {
    Event.LayerRequested sample = SampleEvents.work(number);
    return new Event.LayerRequested(
        repo(), sample.layer(), sample.image(), sample.timestampSeconds());
  }

  /** Works the queue off; what the switch says decides whether it can. */
  private void worker(AtomicBoolean broken) {
    QueueWorker worker =
        keep(
            new QueueWorker(
                BROKER.kafka("worker"),
                QueueWorker.Settings.of("w-" + name, Topic.LAYERS, Topics.CONVERTERS, 2)
                    .withMaxDeliveries(2)
                    .withRenewInterval(Duration.ofMillis(500))
                    .withPauses(new Retries(2, Duration.ofMillis(10), Duration.ofMillis(50))),
                new QueueHandler() {
                  @Override
                  public List<Outgoing> handle(Delivery delivery) {
                    Event.Work asked = (Event.Work) delivery.record().event().orElseThrow();
                    if (broken.get()) {
                      throw new IllegalStateException("the disk of " + name + " is upside down");
                    }
                    return List.of(
                        Outgoing.of(
                            new Event.WorkFailed(asked.repository(), asked.work(), "handled")));
                  }

                  @Override
                  public List<Outgoing> abandoned(Received record, Throwable cause) {
                    Event.Work asked = (Event.Work) record.event().orElseThrow();
                    return List.of(
                        Outgoing.of(
                            new Event.WorkFailed(
                                asked.repository(),
                                asked.work(),
                                String.valueOf(cause.getMessage()))));
                  }
                },
                FailurePolicy.standard(),
                new SimpleMeterRegistry(),
                Clock.systemUTC(),
                new Random(1)));
    worker.start();
  }

  private List<Event> saidOn(List<Received> topic) {
    synchronized (topic) {
      return topic.stream()
          .flatMap(r -> r.event().stream())
          .filter(event -> event.repository().equals(repo()))
          .toList();
    }
  }

  @Test
  void tellsWhereARecordWasAndWhyItFailed() throws Exception {
    worker(new AtomicBoolean(true));
    producer.send(Outgoing.of(work(1)));

    DeadLetter letter = only(office());

    assertThat(letter.original().topic()).isEqualTo("lamina.layers");
    assertThat(letter.id()).isEqualTo("lamina.layers-0-" + letter.original().offset());
    assertThat(letter.key()).isEqualTo(repo() + "/layer/" + "%064x".formatted(1));
    assertThat(letter.kind()).contains("layer-requested");
    assertThat(letter.attempts()).isEqualTo(2);
    assertThat(letter.cause()).isEqualTo("java.lang.IllegalStateException");
    assertThat(letter.message()).contains("upside down");
    assertThat(letter.group()).isEqualTo(Topics.CONVERTERS);
    assertThat(letter.retryOf()).isEmpty();
  }

  @Test
  void putsARecordBackOnceHoweverOftenAndWhereverItIsAsked() throws Exception {
    AtomicBoolean broken = new AtomicBoolean(true);
    worker(broken);
    producer.send(Outgoing.of(work(2)).tracedAs(Optional.of("00-aa-bb-01")));
    KafkaDeadLetters one = office();
    KafkaDeadLetters other = office();
    DeadLetter letter = only(one);
    only(other);
    broken.set(false);

    List<CompletableFuture<Optional<DeadLetter.State>>> asked = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      KafkaDeadLetters office = i % 2 == 0 ? one : other;
      asked.add(CompletableFuture.supplyAsync(() -> patiently(() -> office.retry(letter.id()))));
    }

    for (CompletableFuture<Optional<DeadLetter.State>> answer : asked) {
      assertThat(answer.get(120, TimeUnit.SECONDS)).contains(DeadLetter.State.RETRIED);
    }
    Waiting.until(
        "the result",
        () ->
            saidOn(repository).stream()
                .anyMatch(e -> e instanceof Event.WorkFailed f && f.reason().equals("handled")));
    assertThat(saidOn(layers)).hasSize(2).containsOnly(work(2));
    synchronized (layers) {
      assertThat(
              layers.stream()
                  .filter(r -> r.event().equals(Optional.of(work(2))))
                  .toList()
                  .getLast()
                  .traceParent())
          .contains("00-aa-bb-01");
    }
    assertThat(saidOn(repository))
        .filteredOn(Event.WorkRetried.class::isInstance)
        .containsExactly(new Event.WorkRetried(repo(), work(2).work(), Optional.of(work(2))));
    assertThat(mine(office())).isEmpty();
    assertThat(office().state(letter.id()))
        .as("after a restart")
        .contains(DeadLetter.State.RETRIED);
  }

  /** As a caller does whom another gateway got in the way of. */
  private static <T> T patiently(java.util.function.Supplier<T> step) {
    for (int i = 0; ; i++) {
      try {
        return step.get();
      } catch (MessagingException.Retryable | MessagingException.OutcomeUnknown e) {
        if (i == 20) {
          throw e;
        }
      }
    }
  }

  @Test
  void saysWhichLetterARecordWasThatFailsAgain() throws Exception {
    worker(new AtomicBoolean(true));
    producer.send(Outgoing.of(work(3)));
    KafkaDeadLetters office = office();
    DeadLetter letter = only(office);

    office.retry(letter.id());

    Waiting.until(
        "another letter",
        () -> mine(office).size() == 1 && !mine(office).getFirst().id().equals(letter.id()));
    assertThat(mine(office).getFirst().retryOf()).contains(letter.id());
  }

  @Test
  void dropsALetterForEver() throws Exception {
    worker(new AtomicBoolean(true));
    producer.send(Outgoing.of(work(4)));
    KafkaDeadLetters office = office();
    DeadLetter letter = only(office);

    assertThat(office.drop(letter.id())).contains(DeadLetter.State.DROPPED);

    assertThat(office.retry(letter.id())).contains(DeadLetter.State.DROPPED);
    assertThat(mine(office())).isEmpty();
    assertThat(saidOn(layers)).hasSize(1);
  }

  @Test
  void survivesTheBrokersAndItsOwnRestart() throws Exception {
    worker(new AtomicBoolean(true));
    producer.send(Outgoing.of(work(5)));
    KafkaDeadLetters office = office();
    DeadLetter letter = only(office);

    BROKER.restart();

    assertThat(patiently(() -> office.content(letter)).orElseThrow().event()).contains(work(5));
    KafkaDeadLetters restarted = office();
    assertThat(patiently(() -> restarted.retry(letter.id()))).contains(DeadLetter.State.RETRIED);
  }

  @Test
  void takesARequestUpAgainThatFailedByItsRecord() throws Exception {
    Event.ConversionRequested asked =
        new Event.ConversionRequested(
            new RequestId("request-" + name),
            repo(),
            "docker://registry.example.org/a:1",
            List.of(io.lamina.image.Platform.LINUX_AMD64),
            Optional.empty(),
            SampleEvents.TIME);
    letter(Outgoing.of(asked));
    KafkaDeadLetters office = office();

    office.retry(only(office).id());

    Waiting.until("the request", () -> saidOn(conversions).contains(asked));
    Waiting.until("the status", () -> !saidOn(statuses).isEmpty());
    RequestStatus status = (RequestStatus) saidOn(statuses).getFirst();
    assertThat(status.state()).isEqualTo(RequestStatus.State.ACCEPTED);
    assertThat(status.detail().orElseThrow()).startsWith("tried again, as lamina.conversions-0-");
    assertThat(status.acceptedAt()).isEqualTo(asked.acceptedAt());
  }

  @Test
  void plansAnImageAnewInsteadOfPuttingAnOldPlanBack() throws Exception {
    Event.ImagePlanned sample = SampleEvents.planned();
    Event.ImagePlanned plan =
        new Event.ImagePlanned(
            new RequestId("request-" + name),
            repo(),
            sample.image(),
            sample.publicName(),
            sample.platforms(),
            sample.thinTarget(),
            sample.acceptedAt(),
            sample.plannedAt());
    letter(Outgoing.of(plan));
    KafkaDeadLetters office = office();

    office.retry(only(office).id());

    Waiting.until("the request", () -> !saidOn(conversions).isEmpty());
    Event.ConversionRequested asked = (Event.ConversionRequested) saidOn(conversions).getFirst();
    assertThat(asked.request()).isEqualTo(plan.request());
    assertThat(asked.image()).isEqualTo(plan.image());
    assertThat(asked.platforms()).containsExactly(plan.platforms().getFirst().platform());
    assertThat(saidOn(repository)).isEmpty();
  }

  /** Makes a letter as if the record had been set aside. */
  private void letter(Outgoing outgoing) {
    ProducerRecord<byte[], byte[]> record =
        new EventRecords("test", Clock.systemUTC()).encode(outgoing, null);
    org.apache.kafka.clients.consumer.ConsumerRecord<byte[], byte[]> failed =
        new org.apache.kafka.clients.consumer.ConsumerRecord<>(
            record.topic(), 0, 1000 + names, record.key(), record.value());
    record.headers().forEach(failed.headers()::add);
    producer.sendRecords(
        List.of(
            DeadLetters.of(
                failed,
                "group",
                3,
                new IllegalStateException("broken"),
                Clock.systemUTC().instant())));
  }

  @Test
  void doesNotPutARecordWhereNoRequestsAre() throws Exception {
    org.apache.kafka.clients.consumer.ConsumerRecord<byte[], byte[]> forged =
        new org.apache.kafka.clients.consumer.ConsumerRecord<>(
            "lamina.published", 0, 7, name.getBytes(StandardCharsets.UTF_8), new byte[] {1});
    producer.sendRecords(
        List.of(
            DeadLetters.of(
                forged, "g", 1, new IllegalStateException("x"), Clock.systemUTC().instant())));
    KafkaDeadLetters office = office();

    assertThatThrownBy(() -> office.retry("lamina.published-0-7"))
        .isInstanceOf(MessagingException.Rejected.class)
        .hasMessageContaining("lamina.published");
    assertThat(office.drop("lamina.published-0-7")).contains(DeadLetter.State.DROPPED);
  }

  @Test
  void tellsThoseWhoWaitForARecordThatCannotBeRead() throws Exception {
    worker(new AtomicBoolean(false));
    String id = "%064x".formatted(77);
    producer.sendRecords(
        List.of(
            new ProducerRecord<>(
                Topic.LAYERS.topicName(),
                (repo() + "/layer/" + id).getBytes(StandardCharsets.UTF_8),
                "not an event".getBytes(StandardCharsets.UTF_8))));

    Waiting.until(
        "the failure",
        () ->
            saidOn(repository).stream()
                .anyMatch(
                    e ->
                        e instanceof Event.WorkFailed failed
                            && failed.work().equals(new WorkKey(WorkKey.Kind.LAYER, id))
                            && failed.reason().contains("not a CloudEvent")));
    DeadLetter letter = only(office());
    assertThat(letter.kind()).isEmpty();
    assertThat(letter.key()).isEqualTo(repo() + "/layer/" + id);
    assertThat(letter.attempts()).isEqualTo(1);
  }

  @Test
  void forgetsTheOldestBeyondItsBound() throws Exception {
    for (int i = 0; i < 5; i++) {
      names++;
      letter(Outgoing.of(work(i)));
    }
    KafkaDeadLetters small =
        keep(
            new KafkaDeadLetters(
                BROKER.kafka("small"),
                new KafkaDeadLetters.Settings(2, 2, Duration.ofSeconds(20)),
                Clock.systemUTC(),
                new SimpleMeterRegistry()));
    small.start();
    small.caughtUp().get(60, TimeUnit.SECONDS);

    assertThat(small.waiting()).isEqualTo(2);
    assertThat(mine(small)).hasSize(2).isSortedAccordingTo(Collections.reverseOrder());
  }
}
