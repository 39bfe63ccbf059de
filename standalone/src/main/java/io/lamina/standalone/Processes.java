package io.lamina.standalone;

import io.lamina.converter.CataloguedStores;
import io.lamina.converter.ConverterProcess;
import io.lamina.converter.ConverterSettings;
import io.lamina.converter.StandardCrafts;
import io.lamina.gateway.GatewayPorts;
import io.lamina.gateway.GatewayProcess;
import io.lamina.gateway.kafka.KafkaEventFeed;
import io.lamina.gateway.kafka.KafkaRequestLog;
import io.lamina.gateway.repository.RepositoryDirectory;
import io.lamina.gateway.settings.GatewaySettings;
import io.lamina.image.ImageSources;
import io.lamina.image.registry.Registries;
import io.lamina.image.thin.ThinImagePusher;
import io.lamina.journal.site.SiteProcess;
import io.lamina.journal.site.SiteSettings;
import io.lamina.messaging.EventTransactions;
import io.lamina.messaging.KafkaDeadLetters;
import io.lamina.messaging.KafkaSettings;
import io.lamina.publisher.PublisherProcess;
import io.lamina.publisher.PublisherSettings;
import io.lamina.repository.Repositories;
import io.lamina.status.ListenAddress;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;

/**
 * Builds the processes with this software's own parts and stops them in the reverse order. One
 * thread builds; closing is up to any.
 */
final class Processes implements AutoCloseable {
  private final KafkaSettings kafka;
  private final Path dataFolder;
  private final Repositories repositories;
  private final PrometheusMeterRegistry metrics;
  private final Clock clock;
  private final RandomGenerator random;
  private final Deque<AutoCloseable> parts = new ArrayDeque<>();

  /**
   * @param dataFolder with the repositories' definitions, and the keys where they are needed
   */
  Processes(
      KafkaSettings kafka,
      Path dataFolder,
      PrometheusMeterRegistry metrics,
      Clock clock,
      RandomGenerator random) {
    this.kafka = kafka;
    this.dataFolder = dataFolder;
    this.repositories = RepositoryAccess.in(dataFolder);
    this.metrics = metrics;
    this.clock = clock;
    this.random = random;
  }

  /** Completes, exceptionally, when the publisher cannot go on. */
  CompletableFuture<Void> startPublisher(PublisherSettings settings) {
    PublisherProcess publisher =
        keep(
            new PublisherProcess(
                settings,
                new PublisherProcess.Surroundings(
                    kafka, RepositoryAccess.forPublishers(dataFolder), clock, random, metrics)));
    publisher.start();
    return publisher.stopped();
  }

  /** Completes, exceptionally, when the follower of another site cannot go on. */
  CompletableFuture<Void> startSite(SiteSettings settings, SiteProcess.Sources sources) {
    SiteProcess site =
        keep(
            new SiteProcess(
                settings,
                new SiteProcess.Surroundings(
                    kafka, repositories, sources, clock, random, metrics)));
    site.start();
    return site.stopped();
  }

  /**
   * Completes, exceptionally, when the converter cannot go on.
   *
   * @param registries where thin images are pushed to
   */
  CompletableFuture<Void> startConverter(
      ConverterSettings settings, ImageSources images, Registries registries) {
    CataloguedStores stores = keep(new CataloguedStores(repositories));
    StandardCrafts crafts =
        keep(
            new StandardCrafts(
                settings.pipeline(),
                settings.limits(),
                settings.admission().maxEntries(),
                new ThinImagePusher(registries, settings.admission().policy()),
                metrics));
    ConverterProcess converter =
        keep(
            new ConverterProcess(
                settings,
                new ConverterProcess.Surroundings(kafka, stores, images, clock, random, metrics),
                crafts.crafts()));
    converter.start();
    return converter.stopped();
  }

  /**
   * @param createsRepositories whether this process has the right to, and the keys' folder
   */
  GatewayProcess startGateway(GatewaySettings settings, boolean createsRepositories) {
    Optional<RepositoryDirectory> directory =
        createsRepositories
            ? Optional.of(new FolderRepositories(repositories, clock))
            : Optional.empty();
    CataloguedStores stores = keep(new CataloguedStores(repositories));
    EventTransactions transactions = keep(new EventTransactions(kafka, clock, random));
    KafkaRequestLog log =
        keep(new KafkaRequestLog(transactions, settings.limits().requestsInFlight()));
    KafkaDeadLetters letters =
        keep(new KafkaDeadLetters(kafka, KafkaDeadLetters.Settings.standard(), clock, metrics));
    return keep(
        GatewayProcess.start(
            settings,
            new GatewayPorts(
                log,
                new KafkaEventFeed(kafka, metrics, letters::start),
                letters,
                directory,
                stores::find),
            metrics,
            clock,
            random));
  }

  /**
   * Tells health and metrics of what runs here on a port.
   *
   * @throws io.lamina.settings.SettingsException if it cannot listen there
   */
  void tellStatus(ListenAddress address) {
    keep(WorkerStatus.start(address, metrics));
  }

  /** To be closed with the processes, after those that are started later. */
  <T extends AutoCloseable> T keep(T part) {
    parts.push(part);
    return part;
  }

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
