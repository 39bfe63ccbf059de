package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.messaging.event.Event;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class EventRecordsTest {
  private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  private final EventRecords records =
      new EventRecords("gateway", Clock.fixed(SampleEvents.TIME, ZoneOffset.UTC));

  static Iterable<Event> events() {
    return SampleEvents.all();
  }

  private static ConsumerRecord<byte[], byte[]> received(ProducerRecord<byte[], byte[]> sent) {
    ConsumerRecord<byte[], byte[]> record =
        new ConsumerRecord<>(sent.topic(), 2, 7L, sent.key(), sent.value());
    sent.headers().forEach(record.headers()::add);
    return record;
  }

  private static Map<String, String> text(Headers headers) {
    Map<String, String> map = new TreeMap<>();
    headers.forEach(h -> map.put(h.key(), new String(h.value(), StandardCharsets.UTF_8)));
    return map;
  }

  @Test
  void travelsAsACloudEventInBinaryMode() {
    Outgoing outgoing =
        Outgoing.of(SampleEvents.cancel("a.example.org", "r-1")).tracedAs(Optional.of(TRACE));

    ProducerRecord<byte[], byte[]> record = records.encode(outgoing, null);

    assertThat(record.topic()).isEqualTo("lamina.repository");
    assertThat(record.partition()).isNull();
    assertThat(new String(record.key(), StandardCharsets.UTF_8)).isEqualTo("a.example.org");
    assertThat(new String(record.value(), StandardCharsets.UTF_8))
        .isEqualTo("{\"request\":\"r-1\",\"repository\":\"a.example.org\"}");
    Map<String, String> headers = text(record.headers());
    assertThat(headers.remove("ce_id")).matches("[0-9a-f]{32}");
    assertThat(headers)
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "ce_specversion", "1.0",
                "ce_type", "io.lamina.cancel-requested.v1",
                "ce_source", "/lamina/gateway",
                "ce_subject", "a.example.org",
                "ce_time", "2026-01-02T03:04:05.000006Z",
                "content-type", "application/json",
                "traceparent", TRACE));
  }

  @Test
  void givesTheSameEventTheSameId() {
    Outgoing one = Outgoing.of(SampleEvents.cancel("a.example.org", "r-1"));
    Outgoing other = Outgoing.of(SampleEvents.cancel("a.example.org", "r-2"));

    assertThat(text(records.encode(one, null).headers()).get("ce_id"))
        .isEqualTo(text(records.encode(one, 3).headers()).get("ce_id"))
        .isNotEqualTo(text(records.encode(other, null).headers()).get("ce_id"));
  }

  @ParameterizedTest
  @MethodSource("events")
  void readsBackEveryEventAtItsPlace(Event event) {
    Outgoing outgoing = Outgoing.of(event).tracedAs(Optional.of(TRACE));

    Received read = EventRecords.decode(received(records.encode(outgoing, 2)));

    assertThat(read.event().orElseThrow()).usingRecursiveComparison().isEqualTo(event);
    assertThat(read.key()).isEqualTo(Outgoing.keyOf(event));
    assertThat(read.traceParent()).contains(TRACE);
    assertThat(read.position()).hasToString(Outgoing.topicOf(event).topicName() + "-2@7");
  }

  @Test
  void readsATombstone() {
    Event.PendingWork note = new Event.PendingWork(SampleEvents.work(5));

    Received read = EventRecords.decode(received(records.encode(Outgoing.deleting(note), 2)));

    assertThat(read.event()).isEmpty();
    assertThat(read.key()).startsWith("images.example.org/work/layer/");
  }

  @Test
  void leavesOutATraceThatIsNone() {
    ProducerRecord<byte[], byte[]> record =
        records.encode(Outgoing.of(SampleEvents.cancel("a.b", "r")), null);
    record.headers().add("traceparent", "<script>".getBytes(StandardCharsets.UTF_8));

    assertThat(EventRecords.decode(received(record)).traceParent()).isEmpty();
  }

  @Test
  void saysWhichRecordIsNoEvent() {
    ConsumerRecord<byte[], byte[]> bare =
        new ConsumerRecord<>("lamina.repository", 2, 7L, new byte[0], new byte[] {1, 2, 3});
    assertThatThrownBy(() -> EventRecords.decode(bare))
        .isInstanceOf(MessagingException.Corrupt.class)
        .hasMessageContaining("lamina.repository-2@7")
        .hasMessageContaining("not a CloudEvent");

    ProducerRecord<byte[], byte[]> foreign =
        records.encode(Outgoing.of(SampleEvents.cancel("a.b", "r")), null);
    foreign.headers().remove("ce_type").add("ce_type", "org.other.thing".getBytes());
    assertThatThrownBy(() -> EventRecords.decode(received(foreign)))
        .isInstanceOf(MessagingException.Corrupt.class)
        .hasMessageContaining("org.other.thing");

    ProducerRecord<byte[], byte[]> spoiled =
        records.encode(Outgoing.of(SampleEvents.cancel("a.b", "r")), null);
    spoiled.headers().remove("ce_time").add("ce_time", "yesterday".getBytes());
    assertThatThrownBy(() -> EventRecords.decode(received(spoiled)))
        .isInstanceOf(MessagingException.Corrupt.class);
  }
}
