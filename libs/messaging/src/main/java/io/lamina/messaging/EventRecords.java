package io.lamina.messaging;

import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.core.data.BytesCloudEventData;
import io.cloudevents.kafka.KafkaMessageFactory;
import io.cloudevents.rw.CloudEventRWException;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.EventJson;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/**
 * Events as Kafka records: CloudEvents in binary mode, the trace context in a header of its own.
 *
 * <p>Source: docs/protocol/events.md, "Records". Immutable, thread-safe.
 */
public final class EventRecords {
  static final String TRACE_HEADER = "traceparent";
  private static final String TYPE_HEADER = "ce_type";
  private static final Pattern TRACE_PARENT = Pattern.compile("[0-9a-f-]{1,128}");
  private static final int ID_BYTES = 16;

  private final URI source;
  private final Clock clock;

  /**
   * @param process becomes the CloudEvents source {@code /lamina/<process>}
   */
  public EventRecords(String process, Clock clock) {
    this.source = URI.create("/lamina/" + process);
    this.clock = clock;
  }

  /**
   * @param partition null lets the key decide
   */
  ProducerRecord<byte[], byte[]> encode(Outgoing outgoing, @Nullable Integer partition) {
    byte[] key = outgoing.key().getBytes(StandardCharsets.UTF_8);
    String topic = outgoing.topic().topicName();
    ProducerRecord<byte[], byte[]> record =
        outgoing
            .event()
            .map(event -> write(event, topic, partition, key))
            .orElseGet(() -> new ProducerRecord<>(topic, partition, key, null));
    outgoing
        .traceParent()
        .ifPresent(
            trace -> record.headers().add(TRACE_HEADER, trace.getBytes(StandardCharsets.US_ASCII)));
    return record;
  }

  private ProducerRecord<byte[], byte[]> write(
      Event event, String topic, @Nullable Integer partition, byte[] key) {
    byte[] data = EventJson.encode(event);
    CloudEvent cloudEvent =
        cloudEvent(EventJson.type(event), key, data, event.repository().value(), clock.instant());
    return KafkaMessageFactory.<byte[]>createWriter(topic, partition, key).writeBinary(cloudEvent);
  }

  /**
   * What was said at another time, with its own bytes and its own time.
   *
   * @param key the repository
   */
  ProducerRecord<byte[], byte[]> repeat(
      Topic topic, String key, String type, byte[] data, Instant writtenAt) {
    byte[] keyBytes = key.getBytes(StandardCharsets.UTF_8);
    return KafkaMessageFactory.<byte[]>createWriter(
            topic.topicName(), null, writtenAt.toEpochMilli(), keyBytes)
        .writeBinary(cloudEvent(type, keyBytes, data, key, writtenAt));
  }

  private CloudEvent cloudEvent(
      String type, byte[] key, byte[] data, String subject, Instant time) {
    return CloudEventBuilder.v1()
        .withId(id(type, key, data))
        .withType(type)
        .withSource(source)
        .withTime(time.atOffset(ZoneOffset.UTC))
        .withSubject(subject)
        .withDataContentType("application/json")
        .withData(BytesCloudEventData.wrap(data))
        .build();
  }

  /** The same event has the same id however often it is said. */
  private static String id(String type, byte[] key, byte[] data) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(type.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
      digest.update(key);
      digest.update((byte) 0);
      return HexFormat.of().formatHex(digest.digest(data), 0, ID_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this JVM has no SHA-256", e);
    }
  }

  /**
   * @throws MessagingException.Corrupt if the record is no event that this release knows
   */
  public static Received decode(ConsumerRecord<byte[], byte[]> record) {
    Received.Position position = position(record);
    String key = record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8);
    try {
      Optional<Event> event =
          record.value() == null
              ? Optional.empty()
              : Optional.of(readEvent(record.headers(), record.value()));
      return new Received(
          position,
          key,
          event,
          traceParent(record.headers()),
          Instant.ofEpochMilli(record.timestamp()));
    } catch (MessagingException.Corrupt e) {
      throw new MessagingException.Corrupt("record " + position + ": " + e.getMessage(), e);
    }
  }

  /** The CloudEvents type of a record; empty if it has none. */
  static String type(ConsumerRecord<byte[], byte[]> record) {
    Header header = record.headers().lastHeader(TYPE_HEADER);
    return header == null || header.value() == null
        ? ""
        : new String(header.value(), StandardCharsets.UTF_8);
  }

  static Received.Position position(ConsumerRecord<byte[], byte[]> record) {
    return new Received.Position(record.topic(), record.partition(), record.offset());
  }

  private static Event readEvent(Headers headers, byte[] value) {
    try {
      CloudEvent event = KafkaMessageFactory.createReader(headers, value).toEvent();
      return EventJson.decode(event.getType(), value);
    } catch (CloudEventRWException | IllegalArgumentException | IllegalStateException e) {
      throw new MessagingException.Corrupt("not a CloudEvent: " + e.getMessage(), e);
    }
  }

  /** What is no trace context is left out rather than passed on. */
  private static Optional<String> traceParent(Headers headers) {
    Header header = headers.lastHeader(TRACE_HEADER);
    if (header == null || header.value() == null) {
      return Optional.empty();
    }
    String text = new String(header.value(), StandardCharsets.US_ASCII);
    return TRACE_PARENT.matcher(text).matches() ? Optional.of(text) : Optional.empty();
  }
}
