package io.lamina.gateway.kafka;

import io.lamina.gateway.request.Readiness.Check;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.Topic;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Asks the brokers every few seconds whether they are there and have the topics. Thread-safe. */
final class TopicProbe implements AutoCloseable {
  private static final Duration PAUSE_UP = Duration.ofSeconds(5);
  private static final Duration PAUSE_DOWN = Duration.ofMillis(500);
  private static final Duration TIMEOUT = Duration.ofSeconds(3);
  private static final List<String> TOPICS =
      Arrays.stream(Topic.values()).map(Topic::topicName).toList();

  private final KafkaSettings kafka;
  private final Thread thread;
  private final CountDownLatch stop = new CountDownLatch(1);
  private volatile Runnable whenUp = () -> {};
  private volatile Check latest = new Check("kafka", false, "not asked yet");

  TopicProbe(KafkaSettings kafka) {
    this.kafka = kafka;
    this.thread = Thread.ofPlatform().daemon().name("gateway-kafka-probe").unstarted(this::run);
  }

  /**
   * @param firstUp called once, when the topics have been seen for the first time
   */
  void start(Runnable firstUp) {
    whenUp = firstUp;
    thread.start();
  }

  Check check() {
    return latest;
  }

  private void run() {
    Map<String, Object> config = new HashMap<>(kafka.clientProperties());
    config.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers());
    config.put(AdminClientConfig.CLIENT_ID_CONFIG, kafka.clientName() + "-probe");
    boolean seen = false;
    try (Admin admin = Admin.create(config)) {
      do {
        latest = ask(admin);
        if (latest.isUp() && !seen) {
          seen = true;
          whenUp.run();
        }
      } while (!stop.await(
          (latest.isUp() ? PAUSE_UP : PAUSE_DOWN).toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) { // the thread's top: settings that no client can be made of
      latest = new Check("kafka", false, "no client can be made: " + e.getMessage());
    }
  }

  private static Check ask(Admin admin) throws InterruptedException {
    try {
      admin.describeTopics(TOPICS).allTopicNames().get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      return new Check("kafka", true, "brokers answer and have all topics");
    } catch (TimeoutException e) {
      return new Check("kafka", false, "no broker answered within " + TIMEOUT.toSeconds() + " s");
    } catch (ExecutionException e) {
      return new Check(
          "kafka",
          false,
          e.getCause() instanceof UnknownTopicOrPartitionException
              ? "topics are missing; a converter or publisher makes them when it starts"
              : "brokers answer with an error: " + e.getCause());
    }
  }

  @Override
  public void close() {
    stop.countDown();
    thread.interrupt();
    try {
      thread.join(TIMEOUT.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
