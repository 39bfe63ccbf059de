package io.lamina.messaging;

import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.EventJson;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/**
 * Failed records as they are set aside: value and headers unchanged, and headers that say where the
 * record was, who gave up and why; the key is the letter's id, so that a tombstone removes it.
 *
 * <p>Source: docs/protocol/topics.md, "Dead letters". Stateless.
 */
final class DeadLetters {
  static final String TOPIC = "lamina-dead-topic";
  static final String PARTITION = "lamina-dead-partition";
  static final String OFFSET = "lamina-dead-offset";
  static final String KEY = "lamina-dead-key";
  static final String GROUP = "lamina-dead-group";
  static final String ATTEMPTS = "lamina-dead-attempts";
  static final String CAUSE = "lamina-dead-cause";
  static final String MESSAGE = "lamina-dead-message";
  static final String TIME = "lamina-dead-time";

  /** On a tombstone: what became of the letter. */
  static final String SETTLED = "lamina-dead-settled";

  /** On a record that was put back: the letter that it was. */
  static final String RETRY_OF = "lamina-retry-of";

  private static final String PREFIX = "lamina-dead-";
  private static final Pattern ID =
      Pattern.compile("[A-Za-z0-9._-]{1,200}-[0-9]{1,10}-[0-9]{1,19}");
  private static final int MAX_MESSAGE_CHARS = 4096;
  private static final int MAX_SHOWN_CHARS = 512;

  private DeadLetters() {}

  static String id(String topic, int partition, long offset) {
    return topic + "-" + partition + "-" + offset;
  }

  static boolean isId(String text) {
    return ID.matcher(text).matches();
  }

  static ProducerRecord<byte[], byte[]> of(
      ConsumerRecord<byte[], byte[]> failed,
      String group,
      int attempts,
      Throwable cause,
      Instant now) {
    ProducerRecord<byte[], byte[]> letter =
        new ProducerRecord<>(
            Topic.DEAD_LETTERS.topicName(),
            bytes(id(failed.topic(), failed.partition(), failed.offset())),
            // A tombstone would remove the letter that it is.
            failed.value() == null ? new byte[0] : failed.value());
    Headers headers = letter.headers();
    copy(failed.headers(), headers);
    add(headers, TOPIC, failed.topic());
    add(headers, PARTITION, String.valueOf(failed.partition()));
    add(headers, OFFSET, String.valueOf(failed.offset()));
    headers.add(KEY, failed.key());
    add(headers, GROUP, group);
    add(headers, ATTEMPTS, String.valueOf(attempts));
    add(headers, CAUSE, cause.getClass().getName());
    add(headers, MESSAGE, shortened(String.valueOf(cause.getMessage()), MAX_MESSAGE_CHARS));
    add(headers, TIME, now.toString());
    return letter;
  }

  static ProducerRecord<byte[], byte[]> tombstone(String id, DeadLetter.State state) {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(Topic.DEAD_LETTERS.topicName(), bytes(id), null);
    add(record.headers(), SETTLED, state.name());
    return record;
  }

  /** What became of the letter that a tombstone removes. */
  static DeadLetter.State settled(ConsumerRecord<byte[], byte[]> tombstone) {
    return text(tombstone.headers(), SETTLED).equals(DeadLetter.State.RETRIED.name())
        ? DeadLetter.State.RETRIED
        : DeadLetter.State.DROPPED;
  }

  /** The letter in a record, or empty if it is none. */
  static Optional<DeadLetter> read(ConsumerRecord<byte[], byte[]> record) {
    Headers headers = record.headers();
    try {
      Received.Position original =
          new Received.Position(
              text(headers, TOPIC),
              Integer.parseInt(text(headers, PARTITION)),
              Long.parseLong(text(headers, OFFSET)));
      String id = id(original.topic(), original.partition(), original.offset());
      if (!isId(id)) {
        return Optional.empty();
      }
      Optional<Event> event = event(record);
      byte[] key = key(record);
      return Optional.of(
          new DeadLetter(
              id,
              EventRecords.position(record),
              original,
              key == null
                  ? ""
                  : shortened(new String(key, StandardCharsets.UTF_8), MAX_SHOWN_CHARS),
              event.map(known -> EventJson.kind(known.getClass())),
              event.map(Event::repository),
              Optional.of(text(headers, RETRY_OF)).filter(DeadLetters::isId),
              shortened(text(headers, GROUP), MAX_SHOWN_CHARS),
              Integer.parseInt(text(headers, ATTEMPTS)),
              shortened(text(headers, CAUSE), MAX_SHOWN_CHARS),
              shortened(text(headers, MESSAGE), MAX_MESSAGE_CHARS),
              time(headers, record.timestamp()),
              record.value().length));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  static Optional<Event> event(ConsumerRecord<byte[], byte[]> letter) {
    try {
      return EventRecords.decode(letter).event();
    } catch (MessagingException.Corrupt e) {
      return Optional.empty();
    }
  }

  /** The record as it was, on its way to where it was. */
  static ProducerRecord<byte[], byte[]> original(
      ConsumerRecord<byte[], byte[]> record, DeadLetter letter) {
    ProducerRecord<byte[], byte[]> original =
        new ProducerRecord<>(
            letter.original().topic(),
            key(record),
            // What of() wrote for a tombstone.
            record.value().length == 0 ? null : record.value());
    copy(record.headers(), original.headers());
    original.headers().remove(RETRY_OF);
    add(original.headers(), RETRY_OF, letter.id());
    return original;
  }

  /** Of the record as it was; letters of the first releases had it as their own. */
  private static byte @Nullable [] key(ConsumerRecord<byte[], byte[]> letter) {
    Header header = letter.headers().lastHeader(KEY);
    return header == null ? letter.key() : header.value();
  }

  private static void copy(Headers from, Headers to) {
    from.forEach(
        header -> {
          if (!header.key().startsWith(PREFIX)) {
            to.add(header);
          }
        });
  }

  private static Instant time(Headers headers, long timestampMillis) {
    try {
      return Instant.parse(text(headers, TIME));
    } catch (DateTimeException e) {
      return Instant.ofEpochMilli(timestampMillis);
    }
  }

  private static String text(Headers headers, String name) {
    Header header = headers.lastHeader(name);
    if (header == null || header.value() == null) {
      return "";
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(header.value())).toString();
    } catch (CharacterCodingException e) {
      return "";
    }
  }

  private static void add(Headers headers, String name, String value) {
    headers.add(name, bytes(value));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String shortened(String text, int chars) {
    return text.length() <= chars ? text : text.substring(0, chars) + "…";
  }
}
