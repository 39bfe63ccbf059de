package io.lamina.standalone.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ReferenceRegistry;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import io.lamina.messaging.TableReader;
import io.lamina.messaging.Topic;
import io.lamina.node.docker.SmallDisk;
import io.lamina.standalone.LoneProcess.Kind;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.GatewayException;
import io.lamina.standalone.command.LaminaCommand;
import io.lamina.standalone.process.BrokerProcesses;
import io.lamina.storage.LocalObjectStore;
import io.lamina.storage.testing.FaultyProxy;
import io.lamina.storage.testing.S3Service;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real processes, three brokers, an S3 service and a registry, while a seed decides what breaks and
 * requests go on coming: each request ends, each image is published once and as it is, and nothing
 * is left to do. {@code lamina.seed} chooses the faults, {@code lamina.chaos.seconds} for how long
 * they come. See docs/chaos.md.
 */
@SuppressWarnings("NullAway.Init")
@Timeout(value = 3, unit = TimeUnit.HOURS)
class ChaosIT {
  @RegisterExtension static final S3Service S3 = new S3Service();

  private static final Duration PATIENCE = Duration.ofMinutes(8);
  private static final int BROKERS = 3;
  private static final String BUCKET = "images";
  private static final long DISK_BYTES = 2L << 30;
  private static final int COMPARISONS = 4;
  private static final int CANCELLED_ONE_OF = 12;

  /** More wrong answers of a registry in a row than these are no chance to a converter. */
  private static final int CHANCE = 2;

  /** Files that a killed process may leave on their way: as many as it writes at once. */
  private static final int LEFT_BY_ONE = 64;

  private static final Map<String, Kind> PROCESSES =
      new TreeMap<>(
          Map.of(
              "gateway-1", Kind.GATEWAY,
              "gateway-2", Kind.GATEWAY,
              "converter-1", Kind.CONVERTER,
              "converter-2", Kind.CONVERTER,
              "publisher-1", Kind.PUBLISHER,
              "publisher-2", Kind.PUBLISHER));

  @TempDir(cleanup = CleanupMode.ON_SUCCESS)
  Path folder;

  private final long seed = Long.getLong("lamina.seed", 1);
  private final Duration length = Duration.ofSeconds(Long.getLong("lamina.chaos.seconds", 40));
  private final Map<Fault.Kind, Integer> happened = new ConcurrentSkipListMap<>();

  private ReferenceRegistry registry;
  private FaultyProxy beforeRegistry;
  private FaultyProxy beforeStore;
  private BrokerProcesses brokers;
  private SmallDisk disk;
  private Cluster cluster;
  private volatile long end;

  @Test
  void losesNothingAndPublishesNothingTwiceWhateverBreaks() throws Exception {
    ReferenceRegistry.assumeInstalled();
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting a small disk needs root");
    S3.makeBucket(BUCKET);
    try (ReferenceRegistry images =
            ReferenceRegistry.start(Files.createDirectory(folder.resolve("registry")));
        FaultyProxy registryProxy = new FaultyProxy(port(images.host()));
        FaultyProxy storeProxy = new FaultyProxy(S3.port());
        BrokerProcesses kafka = BrokerProcesses.start(folder.resolve("kafka"), BROKERS);
        SmallDisk smallDisk = SmallDisk.at(folder.resolve("data/cvmfs"), DISK_BYTES);
        Cluster processes =
            new Cluster(folder, new Cluster.Brokers(kafka.bootstrapServers(), BROKERS, () -> {}))) {
      registry = images;
      beforeRegistry = registryProxy;
      beforeStore = storeProxy;
      brokers = kafka;
      cluster = processes;
      disk = smallDisk;
      List<Asked> repositories =
          List.of(inBucket("chaos1.lamina.test"), onDisk("chaos2.lamina.test"));
      cluster.run(PROCESSES);

      long begin = System.nanoTime();
      end = begin + length.toNanos();
      breakThings(repositories);
      long broken = System.nanoTime();
      for (Asked asked : repositories) {
        asked.awaitEnds();
      }
      long done = System.nanoTime();
      int transactions = 0;
      for (Asked asked : repositories) {
        transactions += asked.assertAllPublishedOnce();
      }
      System.out.printf(
          "chaos: seed %d, %d s of faults %s; %d requests (%d cancelled), %d transactions; all ended"
              + " %d s after the last fault%n",
          seed,
          TimeUnit.NANOSECONDS.toSeconds(broken - begin),
          happened,
          repositories.stream().mapToInt(asked -> asked.requests.size()).sum(),
          repositories.stream().mapToInt(asked -> asked.cancelled.size()).sum(),
          transactions,
          TimeUnit.NANOSECONDS.toSeconds(done - broken));
    }
  }

  private static int port(String host) {
    return Integer.parseInt(host.substring(host.lastIndexOf(':') + 1));
  }

  private Asked inBucket(String name) throws IOException {
    String prefix = "site/" + name;
    String location =
        S3.location(beforeStore.port(), BUCKET, prefix, folder.resolve("credentials"));
    return create(name, location, S3.bucket(BUCKET).resolve(prefix), "gateway-1", "gateway-2");
  }

  private Asked onDisk(String name) {
    Path location = disk.folder().resolve(name);
    return create(name, "local:" + location, location, "gateway-2", "gateway-1");
  }

  /**
   * @param gateway that is asked
   * @param other that tells what came of it
   */
  private Asked create(String name, String location, Path files, String gateway, String other) {
    assertThat(
            LaminaCommand.run(
                "repo", "create", name, "--storage", location, "--data", cluster.data().toString()))
        .isZero();
    return new Asked(new TestRepository(name), files, gateway, other);
  }

  /** Until the time is over; at the end all is mended. */
  private void breakThings(List<Asked> repositories)
      throws InterruptedException, ExecutionException {
    List<Future<?>> lanes = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Fault.Lane lane : Fault.Lane.values()) {
        lanes.add(threads.submit(() -> run(lane)));
      }
      for (Asked asked : repositories) {
        lanes.add(threads.submit(asked::keepAsking));
      }
    }
    for (Future<?> lane : lanes) {
      lane.get();
    }
  }

  private Void run(Fault.Lane lane) throws InterruptedException {
    Random random = new Random(31 * seed + lane.ordinal());
    while (System.nanoTime() < end) {
      Fault fault = lane.next(random);
      TimeUnit.NANOSECONDS.sleep(fault.after().toNanos());
      happened.merge(fault.kind(), 1, Integer::sum);
      begin(fault);
      TimeUnit.NANOSECONDS.sleep(fault.length().toNanos());
      mend(fault);
    }
    return null;
  }

  private static String process(Fault fault) {
    List<String> names = List.copyOf(PROCESSES.keySet());
    return names.get(fault.victim() % names.size());
  }

  private void begin(Fault fault) {
    int few = 1 + fault.victim() % 4;
    long somewhere = fault.victim() % 50_000;
    switch (fault.kind()) {
      case KILL -> cluster.kill(process(fault));
      case PAUSE -> cluster.process(process(fault)).pause();
      case KILL_BROKER -> brokers.kill(fault.victim() % BROKERS);
      case PAUSE_BROKER -> brokers.pause(fault.victim() % BROKERS);
      case REGISTRY_AWAY -> beforeRegistry.goAway();
      case REGISTRY_CUTS_REPLIES -> beforeRegistry.cutReplies(few, somewhere);
      case REGISTRY_CORRUPTS_REPLIES ->
          beforeRegistry.corruptReplies(Math.min(few, CHANCE), somewhere);
      case REGISTRY_SLOW -> beforeRegistry.delay(Duration.ofMillis(few * 20L));
      case STORE_AWAY -> beforeStore.goAway();
      case STORE_CUTS_REQUESTS -> beforeStore.cutPuts(few, somewhere);
      case STORE_LOSES_REPLIES -> beforeStore.loseRepliesToPuts(few);
      case STORE_CORRUPTS_REPLIES -> beforeStore.corruptReplies(few, somewhere);
      case STORE_SLOW -> beforeStore.delay(Duration.ofMillis(few * 5L));
      case DISK_FULL -> disk.fill(0);
    }
  }

  private void mend(Fault fault) {
    switch (fault.kind()) {
      case KILL -> cluster.restart(process(fault));
      case PAUSE -> cluster.process(process(fault)).resume();
      case KILL_BROKER -> brokers.restart(fault.victim() % BROKERS);
      case PAUSE_BROKER -> brokers.resume(fault.victim() % BROKERS);
      case REGISTRY_AWAY -> beforeRegistry.comeBack();
      case REGISTRY_CUTS_REPLIES -> beforeRegistry.cutReplies(0, 0);
      case REGISTRY_CORRUPTS_REPLIES -> beforeRegistry.corruptReplies(0, 0);
      case REGISTRY_SLOW -> beforeRegistry.delay(Duration.ZERO);
      case STORE_AWAY -> beforeStore.comeBack();
      case STORE_CUTS_REQUESTS -> beforeStore.cutPuts(0, 0);
      case STORE_LOSES_REPLIES -> beforeStore.loseRepliesToPuts(0);
      case STORE_CORRUPTS_REPLIES -> beforeStore.corruptReplies(0, 0);
      case STORE_SLOW -> beforeStore.delay(Duration.ZERO);
      case DISK_FULL -> disk.free();
    }
  }

  /** What was asked for in one repository, and what must have come of it. For one thread. */
  private final class Asked {
    private final TestRepository repository;
    private final Path files;
    private final String asked;
    private final String told;
    private final Random random;
    private final Map<String, String> requests = new LinkedHashMap<>();
    private final Set<String> cancelled = new TreeSet<>();
    private final Set<String> done = new TreeSet<>();

    Asked(TestRepository repository, Path files, String asked, String told) {
      this.repository = repository;
      this.files = files;
      this.asked = asked;
      this.told = told;
      this.random = new Random(seed * 7 + repository.name().value().hashCode());
    }

    /** Images that share layers with each other and with those of other repositories. */
    Void keepAsking() throws InterruptedException {
      try (GatewayClient gateway = cluster.gateway(asked)) {
        for (int number = 0; System.nanoTime() < end; number++) {
          String name = "app" + number;
          String base = "common" + random.nextInt(3);
          TestImage image =
              ImageBuilder.oci()
                  .layer(Compression.GZIP, SampleImages.base(base))
                  .layer(Compression.GZIP, SampleImages.part("part" + random.nextInt(1_000), 40))
                  .layer(Compression.ZSTD, SampleImages.changes(base, name))
                  .config(SampleImages.settings(repository.name() + name))
                  .build();
          String path = "team/" + repository.name().value().replace('.', '-') + "/" + name;
          registry.push(path, "1", image);
          String reference = "127.0.0.1:" + beforeRegistry.port() + "/" + path + ":1";
          JsonNode accepted =
              cluster.convert(gateway, repository, reference, repository.name() + "." + name);
          String id = accepted.path("id").asText();
          requests.put(id, reference);
          if (random.nextInt(CANCELLED_ONE_OF) == 0) {
            cancelled.add(id);
            cancel(gateway, TestRepository.self(accepted));
          }
          TimeUnit.MILLISECONDS.sleep(random.nextInt(2_000));
        }
      }
      return null;
    }

    /** Once is enough: it may be done already, and it may go unheard. */
    private void cancel(GatewayClient gateway, String self) {
      try {
        gateway.delete(self);
      } catch (GatewayException e) {
        // the answer to "is it over?" decides
      }
    }

    void awaitEnds() {
      try (GatewayClient gateway = cluster.gateway(told)) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        for (String id : requests.keySet()) {
          String state = state(gateway, id, deadline);
          if (state.equals("done")) {
            done.add(id);
          } else {
            assertThat(state).as(id).isEqualTo("cancelled");
            assertThat(cancelled).contains(id);
          }
        }
      }
    }

    private String state(GatewayClient gateway, String id, long deadline) {
      while (true) {
        JsonNode request = null;
        try {
          request = gateway.fetch("/api/v1/conversions/" + id);
          String state = request.path("state").asText();
          if (Set.of("done", "failed", "cancelled", "superseded").contains(state)) {
            assertThat(state).as(request.toString()).isNotEqualTo("failed");
            return state;
          }
        } catch (GatewayException e) {
          assertThat(e.status()).as("request " + id + " is unknown: " + e).isIn(0, 503);
        }
        assertThat(System.nanoTime()).as("it goes on and on: " + request).isLessThan(deadline);
        pause();
      }
    }

    private static void pause() {
      try {
        TimeUnit.MILLISECONDS.sleep(200);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted", e);
      }
    }

    /** How many transactions there were. */
    int assertAllPublishedOnce() throws Exception {
      RepositoryName name = repository.name();
      try (GatewayClient gateway = cluster.gateway(told)) {
        cluster.awaitReady(gateway);
      }
      TestRepository.Place place =
          new TestRepository.Place(
              cluster.gatewayAddress(told) + "/cvmfs/" + name,
              cluster.data().resolve("keys/" + name + ".pub"));
      PublishedJournal journal = PublishedJournal.read(cluster.kafka(), name);
      journal.assertUnbrokenUpTo(repository.read(place, reader -> reader.manifest()));
      journal.assertEachOnce(done);
      journal.assertNothingPublishedTwice();
      repository.assertIntact(place);
      assertShowsWhatIsDone(new TestRepository.Place(files.toString(), place.publicKey()));
      assertThat(notes(name)).as("work that nobody does any more").isEmpty();
      assertThat(unfinishedFiles())
          .as("files that were never finished")
          .isLessThanOrEqualTo((happened.getOrDefault(Fault.Kind.KILL, 0) + 1) * LEFT_BY_ONE);
      return journal.transactions().size();
    }

    private long unfinishedFiles() throws IOException {
      Path unfinished = files.resolve(LocalObjectStore.Settings.STANDARD.temporaryFolder());
      if (Files.notExists(unfinished)) {
        return 0;
      }
      try (Stream<Path> left = Files.walk(unfinished)) {
        return left.filter(Files::isRegularFile).count();
      }
    }

    /** From where the files lie: there are many images, and the gateway has shown every object. */
    private void assertShowsWhatIsDone(TestRepository.Place place) throws Exception {
      List<Future<?>> comparisons = new ArrayList<>();
      try (ExecutorService threads = Executors.newFixedThreadPool(COMPARISONS)) {
        for (String id : done) {
          String image = Optional.ofNullable(requests.get(id)).orElseThrow();
          comparisons.add(threads.submit(() -> repository.assertShows(place, image)));
        }
      }
      for (Future<?> comparison : comparisons) {
        comparison.get();
      }
    }

    /** What the publishers remember as not done. */
    private Set<String> notes(RepositoryName name) throws Exception {
      Set<String> notes = ConcurrentHashMap.newKeySet();
      String prefix = name + "/";
      try (TableReader reader =
          new TableReader(
              cluster.kafka(),
              "notes",
              Topic.PENDING,
              record -> {
                if (record.event().isPresent()) {
                  notes.add(record.key());
                } else {
                  notes.remove(record.key());
                }
              },
              new SimpleMeterRegistry())) {
        reader.start();
        reader.caughtUp().get(60, TimeUnit.SECONDS);
      }
      notes.removeIf(key -> !key.startsWith(prefix) || key.equals(prefix + "journal"));
      return notes;
    }
  }
}
