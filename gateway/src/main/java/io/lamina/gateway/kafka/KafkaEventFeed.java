package io.lamina.gateway.kafka;

import io.lamina.gateway.request.EventFeed;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.Received;
import io.lamina.messaging.TableReader;
import io.lamina.messaging.Topic;
import io.lamina.messaging.event.Event;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the status topic and the journal from their start, once the topics are there, and follows
 * them. A reader that ends on a failure is not started again: what it has folded may not be folded
 * twice in the wrong order, so the process reports that it is not ready until it is restarted.
 *
 * <p>Thread-safe.
 */
public final class KafkaEventFeed implements EventFeed {
  private static final List<Topic> TOPICS = List.of(Topic.STATUS, Topic.PUBLISHED);

  private final KafkaSettings kafka;
  private final MeterRegistry metrics;
  private final TopicProbe probe;
  private final Runnable whenTopicsAreThere;

  // Guarded by this.
  private final List<TableReader> readers = new ArrayList<>();
  private boolean closed;
  private volatile boolean caughtUp;
  private volatile @Nullable Throwable failure;

  /**
   * @param whenTopicsAreThere called once, when others may read the topics too
   */
  public KafkaEventFeed(KafkaSettings kafka, MeterRegistry metrics, Runnable whenTopicsAreThere) {
    this.kafka = kafka;
    this.whenTopicsAreThere = whenTopicsAreThere;
    this.metrics = metrics;
    this.probe = new TopicProbe(kafka);
  }

  @Override
  public void start(Consumer<Event> fold, Runnable whenCaughtUp) {
    probe.start(() -> read(fold, whenCaughtUp));
  }

  private synchronized void read(Consumer<Event> fold, Runnable whenCaughtUp) {
    if (closed) {
      return;
    }
    whenTopicsAreThere.run();
    List<CompletableFuture<Void>> behind = new ArrayList<>();
    for (Topic topic : TOPICS) {
      TableReader reader =
          new TableReader(
              kafka,
              "gateway-" + topic.name().toLowerCase(java.util.Locale.ROOT),
              topic,
              (Received record) -> record.event().ifPresent(fold),
              metrics);
      readers.add(reader);
      behind.add(reader.caughtUp());
      reader
          .stopped()
          .whenComplete(
              (ended, cause) -> {
                if (cause != null) {
                  failure = cause;
                }
              });
      reader.start();
    }
    CompletableFuture.allOf(behind.toArray(CompletableFuture[]::new))
        .thenRun(
            () -> {
              whenCaughtUp.run();
              caughtUp = true;
            });
  }

  @Override
  public List<Check> checks() {
    Throwable cause = failure;
    return List.of(
        probe.check(),
        new Check(
            "status",
            caughtUp && cause == null,
            cause != null
                ? "reading has ended, restart the gateway: " + cause.getMessage()
                : caughtUp ? "all requests are known" : "reading what is known of requests"));
  }

  @Override
  public void close() {
    probe.close();
    List<TableReader> toClose;
    synchronized (this) {
      closed = true;
      toClose = List.copyOf(readers);
    }
    toClose.forEach(TableReader::close);
  }
}
