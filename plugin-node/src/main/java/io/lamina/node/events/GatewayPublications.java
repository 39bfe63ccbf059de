package io.lamina.node.events;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.node.gateway.GatewayConnection;
import io.lamina.node.gateway.GatewayFailure;
import io.lamina.node.gateway.ServerEvent;
import java.time.Duration;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hears of publications from a gateway's live events, for nodes that do not reach Kafka. Source:
 * docs/api.md, "Live events". Thread-safe.
 */
public final class GatewayPublications implements PublicationSource {
  private static final Logger LOG = LoggerFactory.getLogger(GatewayPublications.class);
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
  private static final Duration STOP = Duration.ofSeconds(2);
  private static final int MAX_ID_CHARS = 200;

  private final GatewayConnection gateway;
  private final Thread thread =
      Thread.ofPlatform().daemon().name("publications").unstarted(this::run);
  private volatile PublicationListener listener = new Nobody();
  private volatile boolean isConnected;

  /** Owned by the thread. */
  private String lastId = "";

  public GatewayPublications(GatewayConnection gateway) {
    this.gateway = gateway;
  }

  @Override
  public String name() {
    return "gateway";
  }

  @Override
  public void start(PublicationListener publications) {
    listener = publications;
    thread.start();
  }

  /** What waits in the gateway is not told, and is little: it cuts off who does not keep up. */
  @Override
  public Progress progress() {
    return new Progress(isConnected, OptionalLong.empty());
  }

  private void run() {
    Duration pause = FIRST_PAUSE;
    while (true) {
      boolean wasConnected = false;
      try {
        gateway.follow(
            "/api/v1/events",
            lastId,
            () -> isConnected = true,
            event -> {
              take(event);
              return true;
            });
        wasConnected = isConnected;
        isConnected = false;
        LOG.atInfo().addKeyValue("gateway", gateway.base()).log("stream of events ended");
      } catch (GatewayFailure e) {
        wasConnected = isConnected;
        isConnected = false;
        LOG.atWarn()
            .addKeyValue("cause", e.getMessage())
            .addKeyValue("pauseSeconds", pause.toSeconds())
            .log("publications cannot be heard; trying again");
      } catch (InterruptedException e) {
        isConnected = false;
        Thread.currentThread().interrupt();
        return;
      } catch (RuntimeException e) { // the thread's top
        isConnected = false;
        LOG.atError().setCause(e).log("publications cannot be heard; trying again");
      }
      pause = wasConnected ? FIRST_PAUSE : pause;
      try {
        Thread.sleep(pause);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      pause =
          pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0
              ? LONGEST_PAUSE
              : pause.multipliedBy(2);
    }
  }

  private void take(ServerEvent event) {
    if (!event.id().isEmpty() && event.id().length() <= MAX_ID_CHARS) {
      lastId = event.id();
    }
    switch (event.kind()) {
      case "published" -> published(event);
      case "reset" -> listener.missed();
      default -> {
        // requests and their progress
      }
    }
  }

  private void published(ServerEvent event) {
    try {
      String repository = new RepositoryName(event.data().path("repository").asText()).value();
      listener.published(repository, event.data().path("revision").asLong());
    } catch (CvmfsException.Rejected e) {
      LOG.atWarn().addKeyValue("cause", e.getMessage()).log("event passed over");
    }
  }

  @Override
  public void close() {
    if (thread.getState() == Thread.State.NEW) {
      return;
    }
    thread.interrupt();
    try {
      thread.join(STOP);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Before the start. */
  private static final class Nobody implements PublicationListener {
    @Override
    public void published(String repository, long revision) {}

    @Override
    public void missed() {}
  }
}
