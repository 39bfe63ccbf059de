package io.lamina.standalone;

import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.TopicSettings;
import io.lamina.messaging.Topics;
import io.lamina.messaging.broker.EmbeddedBroker;
import io.lamina.settings.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * A cluster as a command reaches it: the one that a settings file names, or a data folder's own
 * broker, which runs as long as this is open. Thread-safe.
 */
public final class KafkaAccess implements AutoCloseable {
  private final KafkaSettings kafka;
  private final TopicSettings topics;
  private final AutoCloseable[] held;

  private KafkaAccess(KafkaSettings kafka, TopicSettings topics, AutoCloseable... held) {
    this.kafka = kafka;
    this.topics = topics;
    this.held = held;
  }

  /**
   * As the processes with this settings file.
   *
   * @throws io.lamina.settings.SettingsException if the file cannot be used
   */
  public static KafkaAccess ofSettings(Path settingsFile, Map<String, String> environment) {
    ProcessSettings settings =
        ProcessSettings.from(Settings.read(settingsFile, environment), "journal");
    return new KafkaAccess(settings.kafka(), settings.topics());
  }

  /**
   * The broker of a data folder: that of the process that works on it, or else one that runs as
   * long as this is open.
   *
   * @throws IllegalStateException if a process works on it that has no broker
   */
  public static KafkaAccess ofDataFolder(Path data) {
    Path folder = data.resolve("kafka");
    if (!Files.isDirectory(folder)) {
      throw new IllegalStateException(
          "there is no broker's folder " + folder + "; name the settings file with --config");
    }
    DataFolderLock lock;
    try {
      lock = DataFolderLock.take(data);
    } catch (IllegalStateException e) {
      return new KafkaAccess(
          KafkaSettings.of(BrokerAddress.read(data).orElseThrow(() -> e), "lamina-journal"),
          TopicSettings.embedded());
    }
    try {
      EmbeddedBroker broker = EmbeddedBroker.start(EmbeddedBroker.Settings.in(folder));
      return new KafkaAccess(
          KafkaSettings.of(broker.bootstrapServers(), "lamina-journal"),
          TopicSettings.embedded(),
          broker,
          lock);
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  public KafkaSettings kafka() {
    return kafka;
  }

  /** Makes the topics that are missing. */
  public void ensureTopics() {
    new Topics(kafka, topics).ensure();
  }

  @Override
  public void close() {
    for (AutoCloseable one : held) {
      try {
        one.close();
      } catch (Exception e) { // brokers and locks declare none
        throw new IllegalStateException("cannot close " + one, e);
      }
    }
  }
}
