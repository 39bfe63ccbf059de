package io.lamina.standalone;

import io.lamina.converter.ConverterSettings;
import io.lamina.converter.plan.Admission;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.GatewayProcess;
import io.lamina.gateway.settings.GatewaySettings;
import io.lamina.image.ImageSources;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.image.registry.RegistrySettings;
import io.lamina.image.source.LocalAccess;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.TopicSettings;
import io.lamina.messaging.Topics;
import io.lamina.messaging.broker.EmbeddedBroker;
import io.lamina.publisher.PublisherSettings;
import io.lamina.repository.Repositories;
import io.lamina.settings.Settings;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.URI;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;

/**
 * Everything in one process: broker, gateway, converter and publisher on one data folder, listening
 * on loopback. What a killed process has left is taken up again at the next start. Thread-safe.
 */
public final class EmbeddedLamina implements AutoCloseable {
  private static final Duration READY_TIMEOUT = Duration.ofSeconds(60);

  /**
   * Kept over restarts: after a kill the groups give the same member its partitions back at once.
   */
  private static final String INSTANCE = "embedded";

  private final PrometheusMeterRegistry metrics = ProcessMetrics.registry();
  private final Repositories repositories;
  private final KafkaSettings kafka;
  private final Path data;
  private final ImageSources images;
  private final Processes processes;
  private final GatewayProcess gateway;

  /**
   * What may differ from the usual. Immutable.
   *
   * @param converter the instance's name is set here
   * @param registries how registries are reached, with whose credentials
   * @param sources gets the usual sources of images, gives those that are read from
   * @param gateway further settings of the gateway
   */
  public record Options(
      Clock clock,
      RandomGenerator random,
      ConverterSettings converter,
      RegistrySettings registries,
      UnaryOperator<ImageSources> sources,
      Map<String, String> gateway) {
    public Options {
      gateway = Map.copyOf(gateway);
    }

    /** What {@code lamina up} runs with: this user's credentials. */
    public static Options usual() {
      return new Options(
          Clock.systemUTC(),
          new SecureRandom(),
          ConverterSettings.DEFAULT.withAdmission(Admission.OPEN.withPolicy(ImagePolicy.PERSONAL)),
          RegistrySettings.fromEnvironment(System.getenv()),
          UnaryOperator.identity(),
          Map.of());
    }

    public Options withClock(Clock other) {
      return new Options(other, random, converter, registries, sources, gateway);
    }

    public Options withRandom(RandomGenerator other) {
      return new Options(clock, other, converter, registries, sources, gateway);
    }

    public Options withConverter(ConverterSettings other) {
      return new Options(clock, random, other, registries, sources, gateway);
    }

    public Options withRegistries(RegistrySettings other) {
      return new Options(clock, random, converter, other, sources, gateway);
    }

    public Options withSources(UnaryOperator<ImageSources> other) {
      return new Options(clock, random, converter, registries, other, gateway);
    }

    public Options withGateway(Map<String, String> other) {
      return new Options(clock, random, converter, registries, sources, other);
    }
  }

  /**
   * Starts everything and returns when it takes work.
   *
   * @param data absolute; made if it is missing; one process at a time
   * @param port of the gateway, 0 for any free one
   */
  public static EmbeddedLamina start(Path data, int port) {
    return start(data, port, Options.usual());
  }

  /** As {@link #start(Path, int)}, with what differs from the usual. */
  public static EmbeddedLamina start(Path data, int port, Options options) {
    DataFolderLock lock = DataFolderLock.take(data);
    EmbeddedBroker broker;
    try {
      broker = EmbeddedBroker.start(EmbeddedBroker.Settings.in(data.resolve("kafka")));
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
    return new EmbeddedLamina(data, port, lock, broker, options);
  }

  private EmbeddedLamina(
      Path data, int port, DataFolderLock lock, EmbeddedBroker broker, Options options) {
    this.data = data;
    this.repositories = RepositoryAccess.in(data);
    this.kafka = KafkaSettings.of(broker.bootstrapServers(), "lamina-" + INSTANCE);
    this.processes = new Processes(kafka, data, metrics, options.clock(), options.random());
    processes.keep(lock);
    processes.keep(broker);
    try {
      BrokerAddress.write(data, broker.bootstrapServers());
      new Topics(kafka, TopicSettings.embedded()).ensure();
      ImageAccess access =
          processes.keep(
              new ImageAccess(
                  options.registries(),
                  LocalAccess.EVERYWHERE,
                  options.converter().admission().policy()));
      this.images = options.sources().apply(access);
      processes.startPublisher(PublisherSettings.DEFAULT.withInstance(INSTANCE));
      processes.startConverter(options.converter().named(INSTANCE), images, access.registries());
      this.gateway = processes.startGateway(gatewaySettings(data, port, options.gateway()), true);
      awaitReady();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private static GatewaySettings gatewaySettings(Path data, int port, Map<String, String> more) {
    Map<String, String> values = new HashMap<>(more);
    values.put("gateway.listen.port", Integer.toString(port));
    values.put("gateway.images.local", "true");
    values.put("gateway.stratum.folder", data.resolve("cvmfs").toString());
    values.put("gateway.uploads.folder", data.resolve("uploads").toString());
    return GatewaySettings.from(Settings.of("lamina up", values));
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
