package io.lamina.messaging.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.fuzzing.FuzzTarget;
import io.lamina.fuzzing.Fuzzer;
import io.lamina.messaging.MessagingException;
import io.lamina.messaging.SampleEvents;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Records as anybody who can write to a topic may write them. */
@Timeout(86_400)
class EventFuzzTest {
  @Test
  void answersAsDocumentedWhateverItReads() {
    // The type stands before the body, so that bodies meet the types of others.
    List<byte[]> corpus =
        SampleEvents.all().stream()
            .map(
                event ->
                    utf8(
                        EventJson.type(event)
                            + "\n"
                            + new String(EventJson.encode(event), StandardCharsets.UTF_8)))
            .toList();
    FuzzTarget target =
        new FuzzTarget(
            "event",
            EventFuzzTest::read,
            Set.of(MessagingException.Corrupt.class),
            corpus,
            Stream.of("{", "[", "null", "-1", "\"\"", "/../", ".v2", "\\u0000", "sha256:", "+", "Z")
                .map(EventFuzzTest::utf8)
                .toList(),
            UnaryOperator.identity(),
            new FuzzTarget.Limits(8 << 20, 400, 0, 64));

    Fuzzer.Report report = Fuzzer.run(target, Fuzzer.seed(), Fuzzer.Until.standard(2000));

    System.out.println(report);
    assertThat(report.answers()).isPositive();
    assertThat(report.signatures()).isGreaterThan(20);
  }

  /** What is read can be written, and is the same when it is read again. */
  private static long read(byte[] input) {
    String text = new String(input, StandardCharsets.UTF_8);
    int end = text.indexOf('\n');
    String type = end < 0 ? "" : text.substring(0, end);
    Event event = EventJson.decode(type, utf8(text.substring(end + 1)));
    byte[] written = EventJson.encode(event);
    assertThat(EventJson.decode(EventJson.type(event), written)).isEqualTo(event);
    return written.length;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
