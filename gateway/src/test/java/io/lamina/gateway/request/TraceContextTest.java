package io.lamina.gateway.request;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TraceContextTest {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private final SplittableRandom random = new SplittableRandom(3);

  @Test
  void continuesTheCallersTraceWithASpanOfItsOwn() {
    TraceContext trace = TraceContext.continuing("00-" + TRACE + "-00f067aa0ba902b7-00", random);

    assertThat(trace.traceparent()).matches("00-" + TRACE + "-[0-9a-f]{16}-00");
    assertThat(trace.parentId()).isNotEqualTo("00f067aa0ba902b7");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "nonsense",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"
      })
  void startsATraceOfItsOwnForWhatIsNone(String header) {
    TraceContext trace = TraceContext.continuing(header, random);

    assertThat(trace.traceparent()).matches("00-[0-9a-f]{32}-[0-9a-f]{16}-01");
    assertThat(trace.traceId()).isNotEqualTo(TRACE);
  }
}
