package io.lamina.messaging;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;

/**
 * Failed records as they are set aside: key, value and headers unchanged, and headers that say
 * where the record was, who gave up and why.
 *
 * <p>Source: docs/protocol/topics.md, "Dead letters". Stateless.
 */
final class DeadLetters {
  static final String TOPIC = "lamina-dead-topic";
  static final String PARTITION = "lamina-dead-partition";
  static final String OFFSET = "lamina-dead-offset";
  static final String GROUP = "lamina-dead-group";
  static final String ATTEMPTS = "lamina-dead-attempts";
  static final String CAUSE = "lamina-dead-cause";
  static final String MESSAGE = "lamina-dead-message";
  static final String TIME = "lamina-dead-time";
  private static final String PREFIX = "lamina-dead-";
  private static final int MAX_MESSAGE_CHARS = 4096;

  private DeadLetters() {}

  static ProducerRecord<byte[], byte[]> of(
      ConsumerRecord<byte[], byte[]> failed,
      String group,
      int attempts,
      Throwable cause,
      Instant now) {
    ProducerRecord<byte[], byte[]> letter =
        new ProducerRecord<>(Topic.DEAD_LETTERS.topicName(), failed.key(), failed.value());
    Headers headers = letter.headers();
    failed
        .headers()
        .forEach(
            header -> {
              if (!header.key().startsWith(PREFIX)) {
                headers.add(header);
              }
            });
    add(headers, TOPIC, failed.topic());
    add(headers, PARTITION, String.valueOf(failed.partition()));
    add(headers, OFFSET, String.valueOf(failed.offset()));
    add(headers, GROUP, group);
    add(headers, ATTEMPTS, String.valueOf(attempts));
    add(headers, CAUSE, cause.getClass().getName());
    add(headers, MESSAGE, shortened(String.valueOf(cause.getMessage())));
    add(headers, TIME, now.toString());
    return letter;
  }

  private static void add(Headers headers, String name, String value) {
    headers.add(name, value.getBytes(StandardCharsets.UTF_8));
  }

  private static String shortened(String text) {
    return text.length() <= MAX_MESSAGE_CHARS ? text : text.substring(0, MAX_MESSAGE_CHARS) + "…";
  }
}
