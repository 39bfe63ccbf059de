package io.lamina.gateway.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.fuzzing.FuzzTarget;
import io.lamina.fuzzing.Fuzzer;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.image.Digest;
import io.lamina.image.ImageReference;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.settings.Settings;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Deliveries as whoever has a webhook's secret may write them. */
@Timeout(86_400)
class WebhookFuzzTest {
  private static final int MAX_EVENTS = 100;

  @TempDir Path folder;

  @Test
  void asksForNothingButImagesOfItsRegistryWhateverItReads() {
    Map<String, Webhook> hooks =
        WebhookSettings.from(Settings.of("test", Deliveries.settings(folder))).hooks().stream()
            .collect(Collectors.toMap(Webhook::name, Function.identity()));
    PushRules rules = new PushRules(ImagePolicy.OPEN, List.of(), Deliveries.CLOCK);
    // The format stands before the body, so that bodies meet the formats of others.
    List<byte[]> corpus =
        Stream.of(
                "distribution\n" + Deliveries.DISTRIBUTION,
                "distribution\n" + Deliveries.many(3),
                "harbor\n" + Deliveries.HARBOR,
                "harbor\n" + Deliveries.HARBOR_CLOUD_EVENT,
                "docker-hub\n" + Deliveries.DOCKER_HUB,
                "github\n" + Deliveries.GITHUB,
                "quay\n" + Deliveries.QUAY)
            .map(WebhookFuzzTest::utf8)
            .toList();
    FuzzTarget target =
        new FuzzTarget(
            "webhook",
            input -> read(input, hooks, rules),
            Set.of(GatewayException.Refused.class),
            corpus,
            Stream.of(
                    "{",
                    "[",
                    "null",
                    "-1",
                    "1e999",
                    "\"\"",
                    "/../",
                    "\\u0000",
                    "\\ud800",
                    "@sha256:",
                    "evil.example.org/",
                    ":",
                    "0001-01-01T00:00:00Z",
                    "+999999999-12-31T23:59:59Z")
                .map(WebhookFuzzTest::utf8)
                .toList(),
            UnaryOperator.identity(),
            new FuzzTarget.Limits(8 << 20, 400, MAX_EVENTS, 0));

    Fuzzer.Report report = Fuzzer.run(target, Fuzzer.seed(), Fuzzer.Until.standard(5000));

    System.out.println(report);
    assertThat(report.answers()).isPositive();
    assertThat(report.signatures()).isGreaterThan(5);
  }

  /** What is asked for is of the webhook's registry, and can be written and read again. */
  private static long read(byte[] input, Map<String, Webhook> hooks, PushRules rules) {
    int end = 0;
    while (end < input.length && input[end] != '\n') {
      end++;
    }
    Webhook hook = hooks.get(new String(input, 0, end, StandardCharsets.UTF_8));
    byte[] body = Arrays.copyOfRange(input, Math.min(end + 1, input.length), input.length);
    if (hook == null) {
      return 0;
    }
    List<Reported> events = hook.format().reader().read(Webhooks.object(body), MAX_EVENTS);
    Digest whole = Digest.sha256(body);
    for (Reported event : events) {
      if (event instanceof Reported.Pushed pushed
          && rules.decide(hook, pushed, whole) instanceof PushRules.Decision.Ask ask) {
        ImageReference.Registry image = (ImageReference.Registry) ask.request().image();
        assertThat(image.host()).isEqualTo(hook.source().registry());
        assertThat(ImageReference.parse(image.canonical())).isEqualTo(image);
      }
    }
    return events.size();
  }

  private static byte[] utf8(String text) {
    return Buffer.buffer(text).getBytes();
  }
}
