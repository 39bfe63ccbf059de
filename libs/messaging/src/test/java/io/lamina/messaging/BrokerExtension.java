package io.lamina.messaging;

import io.lamina.messaging.broker.EmbeddedBroker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.commons.io.file.PathUtils;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A broker in a temporary folder for one test class, with the topics made. */
@SuppressWarnings("NullAway.Init")
final class BrokerExtension implements BeforeAllCallback, AfterAllCallback {
  static final Duration LOCK = Duration.ofSeconds(2);
  static final int PARTITIONS = 3;

  private Path folder;
  private EmbeddedBroker broker;

  @Override
  public void beforeAll(ExtensionContext context) throws IOException {
    start();
  }

  void start() throws IOException {
    folder = Files.createTempDirectory("lamina-broker");
    broker =
        EmbeddedBroker.start(
            new EmbeddedBroker.Settings(
                folder, 0, Map.of("group.share.min.record.lock.duration.ms", "1000")));
    topics().ensure();
  }

  Topics topics() {
    return new Topics(kafka("topics"), topicSettings());
  }

  static TopicSettings topicSettings() {
    return TopicSettings.embedded().withPartitions(PARTITIONS).withLockDuration(LOCK);
  }

  KafkaSettings kafka(String name) {
    return KafkaSettings.of(broker.bootstrapServers(), name);
  }

  /** Stops the broker and starts it again on the same folder and port. */
  void restart() {
    int port = broker.port();
    broker.close();
    broker =
        EmbeddedBroker.start(
            new EmbeddedBroker.Settings(
                folder, port, Map.of("group.share.min.record.lock.duration.ms", "1000")));
  }

  @Override
  public void afterAll(ExtensionContext context) throws IOException {
    stop();
  }

  void stop() throws IOException {
    broker.close();
    PathUtils.delete(folder);
  }
}
