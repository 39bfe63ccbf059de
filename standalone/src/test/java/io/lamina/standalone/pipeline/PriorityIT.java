package io.lamina.standalone.pipeline;

import static io.lamina.standalone.pipeline.Cluster.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.messaging.EventProducer;
import io.lamina.messaging.FailurePolicy;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.QueueWorker;
import io.lamina.messaging.TableReader;
import io.lamina.messaging.Topic;
import io.lamina.messaging.TopicSettings;
import io.lamina.messaging.Topics;
import io.lamina.messaging.broker.EmbeddedBroker;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.Precedence;
import io.lamina.messaging.event.Precedence.Priority;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.StoredFile;
import io.lamina.publisher.PublisherProcess;
import io.lamina.publisher.PublisherSettings;
import io.lamina.repository.Repositories;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.standalone.RepositoryAccess;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A real broker, a real publisher, and converters that are the bottleneck. */
@Timeout(600)
@SuppressWarnings("NullAway.Init")
class PriorityIT {
  private static final RepositoryName REPOSITORY = new RepositoryName("turns.lamina.example");
  private static final Instant TIME = Instant.parse("2026-01-02T03:04:05Z");
  private static final int BULK_WINDOW = 16;
  private static final int IMAGES = 1_000;

  @TempDir Path folder;

  private final List<AutoCloseable> open = new ArrayList<>();
  private final Map<RequestId, RequestStatus> statuses = new ConcurrentHashMap<>();
  private final List<Event.Work> worked = Collections.synchronizedList(new ArrayList<>());
  private final Semaphore mayWork = new Semaphore(0);
  private EventProducer producer;

  @BeforeEach
  void start() throws Exception {
    EmbeddedBroker broker =
        keep(EmbeddedBroker.start(EmbeddedBroker.Settings.in(folder.resolve("kafka"))));
    KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers(), "turns");
    new Topics(kafka, TopicSettings.embedded()).ensure();
    Repositories repositories = RepositoryAccess.in(folder.resolve("data"));
    RepositoryAccess.create(
            repositories,
            REPOSITORY,
            Optional.empty(),
            RepositoryDefinition.Settings.DEFAULT,
            Clock.systemUTC())
        .close();
    producer = keep(new EventProducer(kafka, Clock.systemUTC(), Duration.ofSeconds(60)));
    keep(new TableReader(
            kafka,
            "statuses",
            Topic.STATUS,
            record ->
                record
                    .event()
                    .filter(RequestStatus.class::isInstance)
                    .map(RequestStatus.class::cast)
                    .ifPresent(status -> statuses.put(status.request(), status)),
            new SimpleMeterRegistry()))
        .start();
    keep(new QueueWorker(
            kafka,
            QueueWorker.Settings.of("converter", Topic.LAYERS, Topics.CONVERTERS, 8)
                .withStopTimeout(Duration.ofMillis(100)),
            delivery -> {
              Event.Work work = (Event.Work) delivery.record().event().orElseThrow();
              mayWork.acquireUninterruptibly();
              worked.add(work);
              return List.of(
                  Outgoing.of(
                      new Event.WorkFailed(work.repository(), work.work(), "nothing to fetch")));
            },
            FailurePolicy.standard(),
            new SimpleMeterRegistry(),
            Clock.systemUTC(),
            new Random(1)))
        .start();
    keep(new PublisherProcess(
            PublisherSettings.DEFAULT.withWindows(64, BULK_WINDOW),
            new PublisherProcess.Surroundings(
                kafka, repositories, Clock.systemUTC(), new Random(2), new SimpleMeterRegistry())))
        .start();
  }

  @AfterEach
  void stop() throws Exception {
    mayWork.release(1_000_000);
    for (AutoCloseable part : open.reversed()) {
      part.close();
    }
  }

  private <T extends AutoCloseable> T keep(T part) {
    open.add(part);
    return part;
  }

  private static byte[] sha256(String text) throws Exception {
    return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
  }

  private static LayerDescriptor layer(String name) throws Exception {
    Digest digest = Digest.ofBytes(sha256(name));
    return new LayerDescriptor(
        new Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", digest, 10), digest);
  }

  private static Event image(String tenant, int number) throws Exception {
    String name = tenant + "-" + number;
    StoredFile file =
        new StoredFile(ContentHash.parse("0123456789abcdef0123456789abcdef01234567"), 1);
    return new Event.ImagePlanned(
        new RequestId(name),
        REPOSITORY,
        "docker://registry.example.org/" + name + ":1",
        "registry.example.org/" + name + ":1",
        List.of(
            new PlannedPlatform(
                Platform.LINUX_AMD64,
                Digest.ofBytes(sha256("manifest " + name)),
                file,
                Digest.ofBytes(sha256("config " + name)),
                file,
                List.of(layer(tenant + "/" + number)),
                List.of())),
        Optional.empty(),
        TIME,
        TIME,
        Optional.of(new Precedence(Priority.BULK, tenant)));
  }

  private void mirror(String tenant, int images) throws Exception {
    List<Outgoing> plans = new ArrayList<>();
    for (int i = 0; i < images; i++) {
      plans.add(Outgoing.of(image(tenant, i)));
    }
    producer.send(plans);
    await(
        tenant + "'s requests are known",
        () ->
            statuses.keySet().stream().filter(id -> id.value().startsWith(tenant + "-")).count()
                == images);
  }

  @Test
  void aCommitGoesBeforeAThousandBulkRequests() throws Exception {
    mirror("mirror", IMAGES);
    mayWork.release(5);
    await("some work", () -> worked.size() == 5);
    LayerDescriptor commit = layer("commit");
    RequestId id = new RequestId("commit");

    producer.send(Outgoing.of(new Event.DiffCommitRequested(id, REPOSITORY, commit, TIME)));
    await("the commit is taken up", () -> statuses.containsKey(id));
    mayWork.release(BULK_WINDOW + 3);
    await("the commit's answer", () -> Objects.requireNonNull(statuses.get(id)).state().isFinal());

    List<String> order = worked.stream().map(work -> work.work().id()).toList();
    assertThat(order.indexOf(commit.blob().digest().hex())).isLessThan(5 + BULK_WINDOW + 3);
    assertThat(statuses.values().stream().filter(status -> !status.state().isFinal()))
        .as("bulk requests that still wait")
        .hasSizeGreaterThan(IMAGES - 50);
    mayWork.release(2 * IMAGES);
    await("the end of all", () -> statuses.values().stream().allMatch(s -> s.state().isFinal()));
    assertThat(worked).hasSize(IMAGES + 1);
  }

  @Test
  void tenantsShareEvenlyThoughOneAskedFirstAndForMore() throws Exception {
    mirror("greedy", 500);
    mirror("modest", 60);

    mayWork.release(BULK_WINDOW + 100);
    await("as much work", () -> worked.size() == BULK_WINDOW + 100);

    List<String> modest = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      modest.add(layer("modest/" + i).blob().digest().hex());
    }
    List<Event.Work> after = List.copyOf(worked).subList(BULK_WINDOW, BULK_WINDOW + 100);
    assertThat(after.stream().filter(work -> modest.contains(work.work().id())).count())
        .isBetween(40L, 60L);
  }
}
