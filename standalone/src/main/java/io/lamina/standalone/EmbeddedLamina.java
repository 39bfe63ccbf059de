package io.lamina.standalone;

import io.lamina.converter.CataloguedStores;
import io.lamina.converter.ConverterProcess;
import io.lamina.converter.ConverterSettings;
import io.lamina.converter.StandardCrafts;
import io.lamina.converter.layer.PipelineSettings;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.GatewayPorts;
import io.lamina.gateway.GatewayProcess;
import io.lamina.gateway.kafka.KafkaEventFeed;
import io.lamina.gateway.kafka.KafkaRequestLog;
import io.lamina.gateway.settings.GatewaySettings;
import io.lamina.image.ImageSources;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.thin.ThinImagePusher;
import io.lamina.messaging.EventProducer;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.TopicSettings;
import io.lamina.messaging.Topics;
import io.lamina.messaging.broker.EmbeddedBroker;
import io.lamina.publisher.PublisherProcess;
import io.lamina.publisher.PublisherSettings;
import io.lamina.repository.Repositories;
import io.lamina.settings.Settings;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.URI;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;

/**
 * Everything in one process: broker, gateway, converter and publisher on one data folder, listening on
 * loopback. What a killed process has left is taken up again at the next start. Thread-safe.
 */
public final class EmbeddedLamina implements AutoCloseable {
  private static final Duration SEND_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration READY_TIMEOUT = Duration.ofSeconds(60);

  /** Kept over restarts: after a kill the groups give the same member its partitions back at once. */
  private static final String INSTANCE = "embedded";

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();
  private final PrometheusMeterRegistry metrics =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Repositories repositories;
  private final Path data;
  private final ImageAccess images;
  private final GatewayProcess gateway;

  /**
   * Starts everything and returns when it takes work.
   *
   * @param data absolute; made if it is missing; one process at a time
   * @param port of the gateway, 0 for any free one
   */
  public static EmbeddedLamina start(Path data, int port) {
    return start(data, port, Clock.systemUTC(), new SecureRandom());
  }

  /** As {@link #start(Path, int)}, with everything that varies given. */
  public static EmbeddedLamina start(Path data, int port, Clock clock, RandomGenerator random) {
    return new EmbeddedLamina(data, port, clock, random);
  }

  private EmbeddedLamina(Path data, int port, Clock clock, RandomGenerator random) {
    this.data = data;
    this.repositories = RepositoryAccess.in(data);
    try {
      keep(DataFolderLock.take(data));
      EmbeddedBroker broker =
          keep(EmbeddedBroker.start(EmbeddedBroker.Settings.in(data.resolve("kafka"))));
      KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers(), "lamina-" + INSTANCE);
      new Topics(kafka, TopicSettings.embedded()).ensure();
      CataloguedStores stores = keep(new CataloguedStores(repositories));
      this.images = keep(ImageAccess.asThisUser(System.getenv()));
      startPublisher(kafka, clock, random);
      startConverter(kafka, stores, clock, random);
      this.gateway = startGateway(kafka, stores, port, clock, random);
      awaitReady();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void startPublisher(KafkaSettings kafka, Clock clock, RandomGenerator random) {
    PublisherProcess publisher =
        keep(
            new PublisherProcess(
                PublisherSettings.DEFAULT.withInstance(INSTANCE),
                new PublisherProcess.Surroundings(kafka, repositories, clock, random, metrics)));
    publisher.start();
  }

  private void startConverter(
      KafkaSettings kafka, CataloguedStores stores, Clock clock, RandomGenerator random) {
    StandardCrafts crafts =
        keep(
            new StandardCrafts(
                PipelineSettings.byDefault(),
                LayerLimits.DEFAULT,
                new ThinImagePusher(images.registries())));
    ConverterSettings settings =
        ConverterSettings.from(
            Settings.of("lamina up", Map.of("converter.instance", INSTANCE)));
    ConverterProcess converter =
        keep(
            new ConverterProcess(
                settings,
                new ConverterProcess.Surroundings(kafka, stores, images, clock, random, metrics),
                crafts.crafts()));
    converter.start();
  }

  private GatewayProcess startGateway(
      KafkaSettings kafka, CataloguedStores stores, int port, Clock clock, RandomGenerator random) {
    GatewaySettings settings =
        GatewaySettings.from(
            Settings.of(
                "lamina up",
                Map.of(
                    "gateway.listen.port",
                    Integer.toString(port),
                    "gateway.images.local",
                    "true",
                    "gateway.stratum.folder",
                    data.resolve("cvmfs").toString(),
                    "gateway.uploads.folder",
                    data.resolve("uploads").toString())));
    EventProducer producer = keep(new EventProducer(kafka, clock, SEND_TIMEOUT));
    KafkaRequestLog log =
        keep(new KafkaRequestLog(producer, settings.limits().requestsInFlight()));
    return keep(
        GatewayProcess.start(
            settings,
            new GatewayPorts(
                log,
                new KafkaEventFeed(kafka, metrics),
                Optional.of(new FolderRepositories(repositories, clock)),
                stores::find),
            metrics,
            clock,
            random));
  }

  private void awaitReady() {
    long deadline = System.nanoTime() + READY_TIMEOUT.toNanos();
    try {
      while (!gateway.isReady()) {
        if (System.nanoTime() > deadline) {
          throw new IllegalStateException(
              "the gateway is not ready after " + READY_TIMEOUT.toSeconds() + " s",
              new TimeoutException());
        }
        TimeUnit.MILLISECONDS.sleep(20);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while starting", e);
    }
  }

  private <T extends AutoCloseable> T keep(T part) {
    parts.push(part);
    return part;
  }

  /** Where the gateway listens. */
  public URI address() {
    return URI.create(gateway.address());
  }

  /** Images as this process may read them. */
  public ImageSources images() {
    return images;
  }

  /** What all parts have measured. */
  public PrometheusMeterRegistry metrics() {
    return metrics;
  }

  public Path repositoryFolder(RepositoryName name) {
    return repositories.localFolder(name);
  }

  public Path publicKey(RepositoryName name) {
    return data.resolve("keys").resolve(name + ".pub");
  }

  /** Stops the parts in the reverse order of their start; each within its own bound. */
  @Override
  public void close() {
    RuntimeException failure = null;
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (Exception e) {
        if (failure == null) {
          failure = new IllegalStateException("a part did not stop cleanly: " + e.getMessage(), e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
