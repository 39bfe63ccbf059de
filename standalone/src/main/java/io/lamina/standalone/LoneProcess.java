package io.lamina.standalone;

import io.lamina.converter.ConverterSettings;
import io.lamina.gateway.settings.GatewaySettings;
import io.lamina.image.registry.RegistrySettings;
import io.lamina.image.signature.SignaturePolicy;
import io.lamina.journal.site.SiteLag;
import io.lamina.journal.site.SiteProcess;
import io.lamina.messaging.Topics;
import io.lamina.publisher.PublisherSettings;
import io.lamina.settings.Settings;
import io.lamina.status.ListenAddress;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * One process of the pipeline alone, against a real Kafka, as its settings file says. Thread-safe.
 */
public final class LoneProcess implements AutoCloseable {
  /** Which one. */
  public enum Kind {
    GATEWAY,
    CONVERTER,
    PUBLISHER,
    /** Follows another site's journal. */
    SITE;

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final Processes processes;
  private final CompletableFuture<Void> stopped;
  private final String description;

  private LoneProcess(Processes processes, CompletableFuture<Void> stopped, String description) {
    this.processes = processes;
    this.stopped = stopped;
    this.description = description;
  }

  /**
   * Reads the settings, makes the topics that are missing, and starts.
   *
   * @throws io.lamina.settings.SettingsException if the file cannot be used
   */
  public static LoneProcess start(Kind kind, Path settingsFile, Map<String, String> environment) {
    Settings text = Settings.read(settingsFile, environment);
    ProcessSettings common = ProcessSettings.from(text, kind.word());
    // A gateway tells of itself where it listens anyway.
    Optional<ListenAddress> status =
        kind == Kind.GATEWAY ? Optional.empty() : ProcessSettings.status(text);
    Clock clock = Clock.systemUTC();
    PrometheusMeterRegistry metrics = ProcessMetrics.registry();
    Processes processes =
        new Processes(common.kafka(), common.dataFolder(), metrics, clock, new SecureRandom());
    try {
      LoneProcess process =
          switch (kind) {
            case GATEWAY -> {
              GatewaySettings settings = GatewaySettings.from(text);
              boolean hasKeys = text.flag("gateway.repositories.create", false);
              text.refuseOthers();
              new Topics(common.kafka(), common.topics()).ensure();
              String address = processes.startGateway(settings, hasKeys).address();
              yield new LoneProcess(processes, new CompletableFuture<>(), "gateway at " + address);
            }
            case CONVERTER -> {
              ConverterSettings settings = ConverterSettings.from(text);
              RegistrySettings registries = ProcessSettings.registries(text, environment);
              SignaturePolicy signatures = ProcessSettings.signatures(text);
              text.refuseOthers();
              new Topics(common.kafka(), common.topics()).ensure();
              ImageAccess images =
                  processes.keep(
                      new ImageAccess(
                          registries, common.local(), settings.admission().policy(), signatures));
              yield new LoneProcess(
                  processes,
                  processes.startConverter(settings, images, images.registries()),
                  "converter");
            }
            case PUBLISHER -> {
              PublisherSettings settings = ProcessSettings.publisher(text);
              text.refuseOthers();
              new Topics(common.kafka(), common.topics()).ensure();
              yield new LoneProcess(processes, processes.startPublisher(settings), "publisher");
            }
            case SITE -> {
              SiteAccess site = SiteAccess.from(text);
              text.refuseOthers();
              new Topics(common.kafka(), common.topics()).ensure();
              yield new LoneProcess(
                  processes,
                  processes.startSite(site.settings(), site),
                  "follower of site " + site.settings().name());
            }
          };
      status.ifPresent(processes::tellStatus);
      return process;
    } catch (RuntimeException e) {
      processes.close();
      throw e;
    }
  }

  /**
   * How far a site is behind the other one that this settings file names; runs nothing. Blocks.
   *
   * @throws io.lamina.settings.SettingsException if the file cannot be used
   */
  public static SiteLag.Snapshot siteLag(Path settingsFile, Map<String, String> environment) {
    Settings text = Settings.read(settingsFile, environment);
    ProcessSettings common = ProcessSettings.from(text, "sites");
    SiteAccess site = SiteAccess.from(text);
    // Of the process, which does not run here.
    ProcessSettings.status(text);
    text.refuseOthers();
    return SiteLag.once(
        site.settings(),
        new SiteProcess.Surroundings(
            common.kafka(),
            RepositoryAccess.in(common.dataFolder()),
            site,
            Clock.systemUTC(),
            new SecureRandom(),
            new SimpleMeterRegistry()));
  }

  /** What runs, for people. */
  public String description() {
    return description;
  }

  /** Completes, exceptionally, when the process cannot go on. */
  public CompletableFuture<Void> stopped() {
    return stopped;
  }

  @Override
  public void close() {
    processes.close();
  }
}
