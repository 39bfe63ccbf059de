package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.EventJson;
import io.lamina.messaging.event.WorkKey;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SalvageTest {
  private static final MessagingException CAUSE = new MessagingException.Corrupt("version 9");

  private static List<Optional<Event>> salvage(Topic topic, String key, String type, byte[] value) {
    ConsumerRecord<byte[], byte[]> record =
        new ConsumerRecord<>(topic.topicName(), 0, 1, key.getBytes(StandardCharsets.UTF_8), value);
    record.headers().add("ce_type", type.getBytes(StandardCharsets.UTF_8));
    return Salvage.of(record, CAUSE, SampleEvents.TIME).stream().map(Outgoing::event).toList();
  }

  /** An event of a version that nobody knows yet. */
  private static List<Optional<Event>> salvage(Event event) {
    Outgoing out = Outgoing.of(event);
    return salvage(
        out.topic(),
        out.key(),
        EventJson.type(event).replace(".v1", ".v9"),
        EventJson.encode(event));
  }

  @Test
  void failsTheRequestOfAnUnknownVersion() {
    for (Event event : SampleEvents.all()) {
      List<Optional<Event>> said = salvage(event);
      switch (event) {
        case Event.ConversionRequested _,
            Event.ImagePlanned _,
            Event.DiffCommitRequested _,
            Event.RemovalRequested _,
            Event.CollectionRequested _ -> {
          RequestStatus status = (RequestStatus) said.getFirst().orElseThrow();
          assertThat(status.request()).isEqualTo(SampleEvents.REQUEST);
          assertThat(status.state()).isEqualTo(RequestStatus.State.FAILED);
          assertThat(status.detail()).contains("version 9");
          assertThat(status.acceptedAt()).isEqualTo(SampleEvents.TIME);
        }
        case Event.Work work ->
            assertThat(said)
                .containsExactly(
                    Optional.of(new Event.WorkFailed(work.repository(), work.work(), "version 9")));
        case Event.LayerConverted _ ->
            assertThat(((Event.WorkFailed) said.getFirst().orElseThrow()).work())
                .isEqualTo(new WorkKey(WorkKey.Kind.LAYER, SampleEvents.DIGEST.hex()));
        case Event.FlatMerged _ ->
            assertThat(((Event.WorkFailed) said.getFirst().orElseThrow()).work())
                .isEqualTo(new WorkKey(WorkKey.Kind.FLAT, SampleEvents.DIGEST.hex()));
        case Event.ThinPushed _ ->
            assertThat(((Event.WorkFailed) said.getFirst().orElseThrow()).work())
                .isEqualTo(new WorkKey(WorkKey.Kind.THIN, SampleEvents.REQUEST.value()));
        default -> assertThat(said).isEmpty();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "null",
        "[]",
        "{\"repository\": 1}",
        "{\"repository\": \"../x\", \"request\": \"r\"}",
        "{\"repository\": \"a.org\"}",
        "{\"repository\": \"a.org\", \"request\": \"a b\"}",
        "{\"repository\": \"a.org\", \"request\": \"r\", \"acceptedAt\": \"yesterday\"}",
      })
  void saysNothingWhereNobodyCanBeFound(String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);

    assertThat(salvage(Topic.CONVERSIONS, "k", "io.lamina.conversion-requested.v9", bytes))
        .isEmpty();
    assertThat(salvage(Topic.REPOSITORY, "k", "io.lamina.layer-converted.v9", bytes)).isEmpty();
    assertThat(salvage(Topic.REPOSITORY, "k", "nonsense", bytes)).isEmpty();
    assertThat(salvage(Topic.LAYERS, "a/b/c/d", "", bytes)).isEmpty();
    assertThat(salvage(Topic.LAYERS, "../layer/x", "", bytes)).isEmpty();
  }
}
