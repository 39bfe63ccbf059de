package io.lamina.node.events;

import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.Received;
import io.lamina.messaging.Topic;
import io.lamina.messaging.TopicFollower;
import io.lamina.messaging.event.Event;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Hears of publications from the journal, {@code lamina.published}. Source:
 * docs/protocol/topics.md. Thread-safe.
 */
public final class KafkaPublications implements PublicationSource {
  private static final String NAME = "node-publications";
  private static final long REMEMBER_SECONDS = 5;

  private final KafkaSettings kafka;
  private final PositionsFile file;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("publications-positions").factory());

  /** Guarded by this. */
  private Map<Integer, Long> remembered = Map.of();

  private volatile @Nullable TopicFollower follower;

  /**
   * @param positions file that remembers how far the journal was read
   */
  public KafkaPublications(KafkaSettings kafka, Path positions) {
    this.kafka = kafka;
    this.file = new PositionsFile(positions, kafka.bootstrapServers());
  }

  @Override
  public String name() {
    return "kafka";
  }

  @Override
  public synchronized void start(PublicationListener listener) {
    remembered = file.read();
    TopicFollower fresh =
        new TopicFollower(
            kafka,
            NAME,
            Topic.PUBLISHED,
            remembered,
            new TopicFollower.Reader() {
              @Override
              public void accept(Received record) {
                if (record.event().orElse(null) instanceof Event.TransactionPublished published) {
                  listener.published(published.repository().value(), published.revision());
                }
              }

              @Override
              public void missed() {
                listener.missed();
              }
            });
    follower = fresh;
    fresh.start();
    timer.scheduleWithFixedDelay(
        this::remember, REMEMBER_SECONDS, REMEMBER_SECONDS, TimeUnit.SECONDS);
  }

  private synchronized void remember() {
    TopicFollower running = follower;
    if (running != null) {
      Map<Integer, Long> now = running.progress().positions();
      if (!now.equals(remembered)) {
        file.write(now);
        remembered = now;
      }
    }
  }

  @Override
  public Progress progress() {
    TopicFollower running = follower;
    if (running == null) {
      return new Progress(false, java.util.OptionalLong.empty());
    }
    TopicFollower.Progress now = running.progress();
    return new Progress(now.isConnected(), now.behindRecords());
  }

  @Override
  public void close() {
    timer.shutdownNow();
    TopicFollower running = follower;
    if (running != null) {
      running.close();
      remember();
    }
  }
}
