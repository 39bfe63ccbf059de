package io.lamina.gateway;

import io.lamina.gateway.access.AccessPolicy;
import io.lamina.gateway.access.AccessTokens;
import io.lamina.gateway.http.GatewayServices;
import io.lamina.gateway.http.HttpEdge;
import io.lamina.gateway.http.Waiting;
import io.lamina.gateway.live.LiveEvents;
import io.lamina.gateway.live.LiveNews;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.repository.Journal;
import io.lamina.gateway.request.StatusTable;
import io.lamina.gateway.request.Submissions;
import io.lamina.gateway.settings.GatewaySettings;
import io.lamina.gateway.stratum.StratumFiles;
import io.lamina.gateway.upload.SpooledUploads;
import io.lamina.gateway.webhook.Webhooks;
import io.lamina.messaging.event.Event;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Vertx;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running gateway: reads what is known from the topics, and serves HTTP from the first moment;
 * {@code /health/ready} says when it has caught up and takes work.
 *
 * <p>Thread-safe. Close it to stop; what is under way is finished within the shutdown timeout.
 */
public final class GatewayProcess implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GatewayProcess.class);
  private static final int MAX_LAYERS = 250_000;

  private final Vertx vertx;
  private final HttpEdge edge;
  private final GatewayPorts ports;
  private final String address;

  private GatewayProcess(Vertx vertx, HttpEdge edge, GatewayPorts ports, String address) {
    this.vertx = vertx;
    this.edge = edge;
    this.ports = ports;
    this.address = address;
  }

  /**
   * Starts a gateway; returns when it listens.
   *
   * @param metrics what {@code /metrics} shows; other parts of the process may register there too
   * @throws GatewayException.Fatal if settings, files or the port cannot be used
   */
  public static GatewayProcess start(
      GatewaySettings settings,
      GatewayPorts ports,
      PrometheusMeterRegistry metrics,
      Clock clock,
      RandomGenerator random) {
    AccessPolicy access = new AccessPolicy(settings.tokensFile().map(AccessTokens::read));
    LiveEvents live =
        new LiveEvents(
            Long.toString(random.nextLong() >>> 1, 36), settings.limits().eventHistory());
    LiveNews news = new LiveNews(live);
    StatusTable table = new StatusTable(settings.limits().knownRequests(), clock, news);
    Journal journal = new Journal(MAX_LAYERS, news::published);
    Submissions submissions =
        new Submissions(ports.log(), table, settings.limits().backlog(), clock, random);
    gauges(metrics, table, live);
    GatewayServices services =
        new GatewayServices(
            settings,
            access,
            submissions,
            table,
            journal,
            live,
            new SpooledUploads(ports.stores(), settings.spoolFolder(), clock),
            new Webhooks(settings.webhooks(), settings.images(), submissions, clock, metrics),
            ports.deadLetters(),
            ports.directory(),
            new StratumFiles(settings.stratumFolder(), ports.stores()),
            ports.feed(),
            metrics,
            random);
    Vertx vertx = Vertx.vertx();
    try {
      HttpEdge edge = HttpEdge.start(vertx, services);
      String address =
          (settings.tls().isPresent() ? "https://" : "http://")
              + settings.listen().host()
              + ":"
              + edge.port();
      ports
          .feed()
          .start(
              event -> fold(event, table, journal),
              () -> {
                table.goLive();
                journal.goLive();
                LOG.atInfo()
                    .addKeyValue("requests", table.size())
                    .addKeyValue("unfinished", table.unfinished())
                    .log("gateway has caught up and takes work");
              });
      LOG.atInfo().addKeyValue("address", address).log("gateway listens");
      if (settings.tls().isEmpty() && settings.tokensFile().isPresent() && !settings.isLoopback()) {
        LOG.atWarn()
            .addKeyValue("address", address)
            .log("tokens are sent in clear text: set gateway.tls.*, or end TLS in front of it");
      }
      return new GatewayProcess(vertx, edge, ports, address);
    } catch (RuntimeException e) {
      closeVertx(vertx);
      throw e;
    }
  }

  private static void fold(Event event, StatusTable table, Journal journal) {
    switch (event) {
      case Event.RequestStatus status -> table.apply(status);
      case Event.WorkProgress progress -> table.apply(progress);
      case Event.TransactionPublished transaction -> journal.apply(transaction);
      // Not on the topics that the feed reads; a newer release may say more there.
      default ->
          LOG.atDebug().addKeyValue("event", event.getClass()).log("event not for a gateway");
    }
  }

  private static void gauges(PrometheusMeterRegistry metrics, StatusTable table, LiveEvents live) {
    Gauge.builder("gateway.requests.unfinished", table, StatusTable::unfinished).register(metrics);
    Gauge.builder("gateway.requests.known", table, StatusTable::size).register(metrics);
    Gauge.builder("gateway.requests.forgotten", table, StatusTable::forgotten).register(metrics);
    Gauge.builder("gateway.live.watching", live, LiveEvents::watching).register(metrics);
  }

  /** Where it listens: {@code http://HOST:PORT}, the port being the real one. */
  public String address() {
    return address;
  }

  public int port() {
    return edge.port();
  }

  /** Whether it takes work. */
  public boolean isReady() {
    return ports.feed().isReady();
  }

  @Override
  public void close() {
    edge.close();
    ports.feed().close();
    closeVertx(vertx);
    LOG.atInfo().addKeyValue("address", address).log("gateway stopped");
  }

  private static void closeVertx(Vertx vertx) {
    try {
      Waiting.on(vertx.close(), Duration.ofSeconds(10));
    } catch (ExecutionException | TimeoutException e) {
      LOG.atWarn().setCause(e).log("event loops did not stop in time");
    }
  }
}
