package io.lamina.node.graphdriver;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.fuzzing.FuzzTarget;
import io.lamina.fuzzing.Fuzzer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bodies of the engine's calls as whoever reaches the socket may write them. */
@Timeout(86_400)
class RequestFuzzTest {
  private static final long MAX_ID = 0xffff_fffeL;

  static Stream<FuzzTarget> targets() {
    return Stream.of(
        target(
            "driver session",
            RequestFuzzTest::readSession,
            "{\"Home\":\"/var/lib/docker/x\",\"Opts\":[\"size=10G\",\"overlay2.size=1\"],"
                + "\"UIDMaps\":[{\"container_id\":0,\"host_id\":100000,\"size\":65536}],"
                + "\"GIDMaps\":null}"),
        target(
            "driver layer",
            body -> RequestJson.layer(DriverCall.CREATE, body).storageOptions().size(),
            "{\"ID\":\"ab12-init\",\"Parent\":\"cd34\",\"MountLabel\":\"\","
                + "\"StorageOpt\":{\"size\":\"1G\"}}"));
  }

  private static FuzzTarget target(String name, FuzzTarget.Reader reader, String sample) {
    return new FuzzTarget(
        name,
        reader,
        Set.of(DriverException.class),
        List.of(utf8(sample), utf8("{}")),
        Stream.of("{", "[", "null", "\"container_id\":9223372036854775807", "\\u0000", "../", "=")
            .map(RequestFuzzTest::utf8)
            .toList(),
        UnaryOperator.identity(),
        new FuzzTarget.Limits(4 << 20, 400, 0, 1));
  }

  @ParameterizedTest
  @MethodSource("targets")
  void answersAsDocumentedWhateverItReads(FuzzTarget target) {
    Fuzzer.Report report = Fuzzer.run(target, Fuzzer.seed(), Fuzzer.Until.standard(5000));

    System.out.println(report);
    assertThat(report.answers()).isPositive();
    assertThat(report.signatures()).isGreaterThan(5);
  }

  private static long readSession(byte[] body) {
    Session session = RequestJson.session(DriverCall.INIT, body);
    for (IdRange range : session.userIds()) {
      assertThat(range.containerId()).isBetween(0L, MAX_ID);
      assertThat(range.hostId()).isBetween(0L, MAX_ID);
      assertThat(range.size()).isBetween(1L, MAX_ID + 1);
    }
    EngineOptions.parse(session.options());
    return session.options().size();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
