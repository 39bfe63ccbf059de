package io.lamina.standalone;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.GatewayProcess;
import io.lamina.image.ImageSources;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.TopicSettings;
import io.lamina.messaging.Topics;
import io.lamina.messaging.broker.EmbeddedBroker;
import io.lamina.repository.Repositories;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Everything in one process: broker, gateway, converter and publisher on one data folder. What a
 * killed process has left is taken up again at the next start. Thread-safe.
 */
public final class EmbeddedLamina implements AutoCloseable {
  private static final Duration READY_TIMEOUT = Duration.ofSeconds(60);

  private final PrometheusMeterRegistry metrics = ProcessMetrics.registry();
  private final Repositories repositories;
  private final KafkaSettings kafka;
  private final Path data;
  private final ImageSources images;
  private final Processes processes;
  private final GatewayProcess gateway;

  /**
   * Starts everything as usual and returns when it takes work.
   *
   * @param data absolute; made if it is missing; one process at a time
   * @param port of the gateway, 0 for any free one
   */
  public static EmbeddedLamina start(Path data, int port) {
    return start(EmbeddedSettings.usual(data, port));
  }

  /** Starts everything and returns when it takes work. */
  public static EmbeddedLamina start(EmbeddedSettings settings) {
    DataFolderLock lock = DataFolderLock.take(settings.data());
    EmbeddedBroker broker;
    try {
      broker = EmbeddedBroker.start(EmbeddedBroker.Settings.in(settings.data().resolve("kafka")));
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
    return new EmbeddedLamina(settings, lock, broker);
  }

  private EmbeddedLamina(EmbeddedSettings settings, DataFolderLock lock, EmbeddedBroker broker) {
    this.data = settings.data();
    this.repositories = RepositoryAccess.in(data);
    this.kafka = KafkaSettings.of(broker.bootstrapServers(), "lamina-embedded");
    this.processes = new Processes(kafka, data, metrics, settings.clock(), settings.random());
    processes.keep(lock);
    processes.keep(broker);
    try {
      BrokerAddress.write(data, broker.bootstrapServers());
      new Topics(kafka, TopicSettings.embedded()).ensure();
      ImageAccess access =
          processes.keep(
              new ImageAccess(
                  settings.registries(),
                  settings.local(),
                  settings.converter().admission().policy(),
                  settings.signatures()));
      this.images = settings.sources().apply(access);
      processes.startPublisher(settings.publisher());
      processes.startConverter(settings.converter(), images, access.registries());
      this.gateway = processes.startGateway(settings.gateway(), true);
      awaitReady();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void awaitReady() {
    long deadline = System.nanoTime() + READY_TIMEOUT.toNanos();
    try {
      while (!gateway.isReady()) {
        if (System.nanoTime() > deadline) {
          throw new IllegalStateException(
              "the gateway is not ready after " + READY_TIMEOUT.toSeconds() + " s");
        }
        TimeUnit.MILLISECONDS.sleep(20);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while starting", e);
    }
  }

  /** Where the gateway listens. */
  public URI address() {
    return URI.create(gateway.address());
  }

  /** Images as this process may read them. */
  public ImageSources images() {
    return images;
  }

  /** The broker, for those who read its topics. */
  public KafkaSettings kafka() {
    return kafka;
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

  @Override
  public void close() {
    processes.close();
  }
}
