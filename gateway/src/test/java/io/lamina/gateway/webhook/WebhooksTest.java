package io.lamina.gateway.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.gateway.InMemoryLog;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.request.StatusListener;
import io.lamina.gateway.request.StatusTable;
import io.lamina.gateway.request.Submissions;
import io.lamina.gateway.request.TraceContext;
import io.lamina.gateway.webhook.LeftOut.Reason;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Precedence;
import io.lamina.settings.Settings;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class WebhooksTest {
  private static final String PINNED = "docker://%s:1.2@" + Deliveries.DIGEST;

  @TempDir Path folder;
  private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
  private final TraceContext trace = TraceContext.continuing(null, new SplittableRandom(1));
  private final Map<String, String> changes = new HashMap<>();
  private InMemoryLog log = new InMemoryLog();
  private ImagePolicy policy = ImagePolicy.OPEN;
  private Clock clock = Deliveries.CLOCK;

  // ---- formats ------------------------------------------------------------------------------

  static List<Arguments> goldenDeliveries() {
    return List.of(
        Arguments.of(
            "distribution",
            Deliveries.DISTRIBUTION,
            List.of(PINNED.formatted("registry.example.org:5000/team/app"))),
        Arguments.of(
            "harbor",
            Deliveries.HARBOR,
            List.of(PINNED.formatted("harbor.example.org/project/team/app"))),
        Arguments.of(
            "harbor",
            Deliveries.HARBOR_CLOUD_EVENT,
            List.of(PINNED.formatted("harbor.example.org/project/team/app"))),
        Arguments.of(
            "docker-hub", Deliveries.DOCKER_HUB, List.of("docker://docker.io/team/app:1.2")),
        Arguments.of("github", Deliveries.GITHUB, List.of("docker://ghcr.io/team/tools/app:1.2")),
        Arguments.of(
            "github",
            Deliveries.GITHUB.replace("\"registry_package\"", "\"package\""),
            List.of("docker://ghcr.io/team/tools/app:1.2")),
        Arguments.of(
            "quay",
            Deliveries.QUAY,
            List.of(
                "docker://quay.example.org/team/app:latest",
                "docker://quay.example.org/team/app:1.2")));
  }

  @ParameterizedTest
  @MethodSource("goldenDeliveries")
  void asksForWhatWasPushed(String format, String body, List<String> images) {
    WebhookAnswer answer = deliver(webhooks(), format, body);

    assertThat(images()).isEqualTo(images);
    assertThat(answer.accepted()).hasSameSizeAs(images);
    assertThat(answer.known()).isEmpty();
    assertThat(answer.leftOut()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("goldenDeliveries")
  void makesNoSecondRequestOfADeliveryThatIsRepeated(
      String format, String body, List<String> images) {
    WebhookAnswer first = deliver(webhooks(), format, body);

    // Another gateway, and later, when the event does not say any more what its tag shows.
    clock = Clock.offset(clock, Duration.ofHours(2));
    WebhookAnswer second = deliver(webhooks(), format, body);

    assertThat(images()).isEqualTo(images);
    assertThat(second.accepted()).isEmpty();
    assertThat(second.known()).isEqualTo(first.accepted());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "distribution | {\"events\": []} | ",
        "harbor | {\"type\": \"DELETE_ARTIFACT\", \"event_data\": {}} | lamina remove",
        "harbor | {\"type\": \"SCANNING_COMPLETED\"} | start nothing",
        "github | {\"zen\": \"Keep it simple.\", \"hook_id\": 1} | neither",
        "github | {\"action\": \"deleted\", \"package\": {\"name\": \"a\"}} | action 'deleted'",
        "docker-hub | {\"push_data\": {\"tag\": \"1\"}} | repository.repo_name",
        "quay | {\"repository\": \"team/app\", \"build_id\": \"1\"} | no updated_tags",
      })
  void startsNothingForWhatIsNoPush(String format, String body, String detail) {
    WebhookAnswer answer = deliver(webhooks(), format, body);

    assertThat(log.events()).isEmpty();
    assertThat(answer.leftOut()).allMatch(left -> left.reason() == Reason.NOT_A_PUSH);
    if (detail != null) {
      assertThat(answer.leftOut())
          .singleElement()
          .satisfies(left -> assertThat(left.detail()).contains(detail));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "action, pull, not-a-push",
    "action, delete, not-a-push",
    "target.mediaType, application/octet-stream, not-an-image",
    "target.mediaType, application/vnd.docker.image.rootfs.diff.tar.gzip, not-an-image",
    "target.tag, '', untagged",
    "target.tag, sha256-abababababababababababababababababababababababababababababababab.sig,"
        + " not-an-image",
    "target.tag, sha256-abababababababababababababababababababababababababababababababab,"
        + " not-an-image",
    "request.host, evil.example.org, other-host",
    "request.host, registry.example.org, other-host",
    "target.repository, ../../etc, malformed",
    "target.repository, team/app@sha256:00, malformed",
    "target.repository, team//app, malformed",
    "target.repository, evil.example.org:80/app, malformed",
    "target.tag, 1.2@sha256:00, malformed",
    "target.tag, '1 2', malformed",
    "timestamp, 2026-11-19T11:59:59Z, too-old",
    "timestamp, 1999-01-01T00:00:00Z, too-old",
    "timestamp, 2026-11-20T12:15:01Z, ahead-of-time",
  })
  void leavesOutWhatItIsNotFor(String field, String value, String reason) {
    WebhookAnswer answer =
        deliver(webhooks(), "distribution", Deliveries.distribution(field, value));

    assertThat(log.events()).isEmpty();
    assertThat(answer.leftOut()).extracting(left -> left.reason().text()).containsExactly(reason);
    assertThat(counted("distribution", reason)).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "distribution | {\"type\": \"PUSH_ARTIFACT\"} | no array 'events'",
        "distribution | {\"events\": {}} | no array 'events'",
        "harbor | {\"type\": \"PUSH_ARTIFACT\"} | no array 'resources'",
        "quay | {\"updated_tags\": \"latest\"} | no array 'updated_tags'",
        "quay | [] | not a JSON object",
        "github | { | not a JSON object",
        "github | null | not a JSON object",
      })
  void refusesBodiesOfAnotherForm(String format, String body, String detail) {
    assertRefused(() -> deliver(webhooks(), format, body), ProblemType.INVALID_REQUEST, detail);
  }

  @Test
  void boundsTheEventsOfOneDelivery() {
    changes.put("gateway.limits.webhook-events", "3");

    assertThat(deliver(webhooks(), "distribution", Deliveries.many(3)).accepted()).hasSize(3);
    assertRefused(
        () -> deliver(webhooks(), "distribution", Deliveries.many(4)),
        ProblemType.TOO_LARGE,
        "4 events, the bound is 3 (gateway.limits.webhook-events)");
    assertThat(images()).hasSize(3);
  }

  // ---- what a tag shows ---------------------------------------------------------------------

  @Test
  void asksTheRegistryWhatATagShowsWhenAnEventIsLate() {
    clock = Clock.offset(clock, Duration.ofMinutes(15));

    deliver(webhooks(), "distribution", Deliveries.DISTRIBUTION);

    assertThat(images()).containsExactly("docker://registry.example.org:5000/team/app:1.2");
  }

  @Test
  void doesNotSetATagBackByAnEventThatWasOvertaken() {
    Webhooks webhooks = webhooks();
    deliver(webhooks, "distribution", Deliveries.DISTRIBUTION);

    String older =
        Deliveries.distribution("timestamp", "2026-11-20T11:59:29Z")
            .replace(Deliveries.DIGEST, "sha256:" + "cd".repeat(32))
            .replace("6c2a4f0e", "00000000");
    deliver(webhooks, "distribution", older);

    assertThat(images())
        .containsExactly(
            PINNED.formatted("registry.example.org:5000/team/app"),
            "docker://registry.example.org:5000/team/app:1.2");
  }

  @Test
  void takesADigestThatCannotBeAskedForAsNone() {
    deliver(webhooks(), "distribution", Deliveries.distribution("target.digest", "sha512:" + "0"));

    assertThat(images()).containsExactly("docker://registry.example.org:5000/team/app:1.2");
  }

  // ---- what the operator has said -----------------------------------------------------------

  @Test
  void makesRequestsAsTheWebhookIsSet() {
    changes.put("gateway.webhook.distribution.platforms", "linux/amd64, linux/arm64/v8");
    changes.put("gateway.webhook.distribution.thin", "thin.example.org/{repository}:{tag}");
    changes.put("gateway.webhook.distribution.priority", "bulk");
    changes.put("gateway.webhook.distribution.tenant", "mirror");

    deliver(webhooks(), "distribution", Deliveries.DISTRIBUTION);

    Event.ConversionRequested asked = asked().getFirst();
    assertThat(asked.repository().value()).isEqualTo(Deliveries.REPOSITORY);
    assertThat(asked.platforms())
        .extracting(Object::toString)
        .containsExactly("linux/amd64", "linux/arm64/v8");
    assertThat(asked.thinTarget()).contains("docker://thin.example.org/team/app:1.2");
    assertThat(asked.precedence()).contains(new Precedence(Precedence.Priority.BULK, "mirror"));
  }

  @Test
  void countsForATenantOfItsOwnUnlessToldOtherwise() {
    deliver(webhooks(), "distribution", Deliveries.DISTRIBUTION);

    assertThat(asked().getFirst().precedence())
        .contains(new Precedence(Precedence.Priority.INTERACTIVE, "webhook:distribution"));
  }

  @Test
  void asksTheRegistryThatIsSetByWhateverNameItIsReported() {
    changes.put("gateway.webhook.distribution.registry-names", "registry.internal, 10.0.0.7:5000");

    deliver(
        webhooks(), "distribution", Deliveries.distribution("request.host", "Registry.internal"));

    assertThat(images()).containsExactly(PINNED.formatted("registry.example.org:5000/team/app"));
  }

  @Test
  void takesOnlyImagesThatMatch() {
    changes.put(
        "gateway.webhook.distribution.images",
        "registry.example.org:5000/other/*,registry.example.org:5000/team/tools");

    WebhookAnswer answer = deliver(webhooks(), "distribution", Deliveries.DISTRIBUTION);

    assertThat(answer.leftOut()).extracting(LeftOut::reason).containsExactly(Reason.NOT_ALLOWED);
    assertThat(log.events()).isEmpty();
  }

  @Test
  void keepsToTheSitesPolicy() {
    policy =
        ImagePolicy.of(
            Optional.empty(), Optional.of("registry.example.org:5000/team/*"), Optional.empty());

    WebhookAnswer answer = deliver(webhooks(), "distribution", Deliveries.DISTRIBUTION);

    assertThat(answer.leftOut())
        .singleElement()
        .satisfies(
            left -> {
              assertThat(left.reason()).isEqualTo(Reason.NOT_ALLOWED);
              assertThat(left.detail()).contains("denied here (images.deny)");
            });
    assertThat(log.events()).isEmpty();
  }

  /** Else each thin image that is pushed would be made thin again, without end. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "registry.example.org:5000/thin/{repository}:{tag}",
        "registry.internal/thin/{repository}:{tag}",
        "registry.example.org:5000/{repository}:{tag}-thin",
      })
  void doesNotConvertThinImagesAgain(String place) {
    changes.put("gateway.webhook.distribution.registry-names", "registry.internal");
    changes.put("gateway.webhook.distribution.thin", place);
    Webhooks webhooks = webhooks();
    deliver(webhooks, "distribution", Deliveries.DISTRIBUTION);
    String thin = asked().getFirst().thinTarget().orElseThrow();

    String name = thin.substring(thin.indexOf('/', "docker://".length()) + 1);
    WebhookAnswer answer =
        deliver(
            webhooks,
            "distribution",
            new JsonObject(
                    Deliveries.distribution(
                        "target.repository", name.substring(0, name.lastIndexOf(':'))))
                .encode()
                .replace("\"1.2\"", "\"" + name.substring(name.lastIndexOf(':') + 1) + "\"")
                .replace("6c2a4f0e", "00000000"));

    assertThat(answer.leftOut()).extracting(LeftOut::reason).containsExactly(Reason.THIN_IMAGE);
    assertThat(images()).hasSize(1);
  }

  // ---- who reports --------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({
    "Authorization, Bearer a secret of some length, true",
    "Authorization, bearer  a secret of some length, true",
    "Authorization, a secret of some length, true",
    "Authorization, Basic cXVheTphIHNlY3JldCBvZiBzb21lIGxlbmd0aA==, true",
    "Authorization, Basic YSBzZWNyZXQgb2Ygc29tZSBsZW5ndGg6, false",
    "Authorization, Basic %%%, false",
    "Authorization, Bearer a secret of some lengt, false",
    "Authorization, Bearer a secret of some length!, false",
    "Authorization, Bearer, false",
    "Authorization, '', false",
    "X-Token, a secret of some length, false",
  })
  void knowsWhoHasTheSecretInAHeader(String header, String value, boolean isKnown) {
    assertThat(isAdmitted("distribution", header, value, List.of())).isEqualTo(isKnown);
    assertThat(isAdmitted("nothing", header, value, List.of())).isFalse();
    assertThat(isAdmitted("docker-hub", header, value, List.of())).isFalse();
    assertThat(isAdmitted("github", header, value, List.of())).isFalse();
  }

  @Test
  void takesTheHeaderThatIsSet() {
    changes.put("gateway.webhook.harbor.header", "X-Registry-Token");

    assertThat(isAdmitted("harbor", "X-Registry-Token", Deliveries.SECRET, List.of())).isTrue();
    assertThat(isAdmitted("harbor", "X-Registry-Token", "Bearer x", List.of())).isFalse();
    assertThat(isAdmitted("harbor", "Authorization", Deliveries.SECRET, List.of())).isFalse();
  }

  @Test
  void takesASecretInTheAddressOnlyWhereItIsSet() {
    List<String> right = List.of(Deliveries.SECRET);

    assertThat(isAdmitted("docker-hub", "X", "", right)).isTrue();
    assertThat(isAdmitted("docker-hub", "X", "", List.of("wrong"))).isFalse();
    assertThat(isAdmitted("docker-hub", "X", "", List.of(Deliveries.SECRET, "x"))).isFalse();
    assertThat(isAdmitted("docker-hub", "X", "", List.of())).isFalse();
    assertThat(isAdmitted("distribution", "X", "", right)).isFalse();
  }

  @Test
  void opensNoBodyThatIsNotSigned() {
    Webhooks webhooks = webhooks();
    Webhook hook = hook("github");
    byte[] body = Deliveries.GITHUB.getBytes(StandardCharsets.UTF_8);
    byte[] other = Deliveries.GITHUB.replace("1.2", "1.3").getBytes(StandardCharsets.UTF_8);
    Headers right =
        header("X-Hub-Signature-256", Deliveries.signature(Deliveries.GITHUB, Deliveries.SECRET));
    Headers wrong =
        header("X-Hub-Signature-256", Deliveries.signature(Deliveries.GITHUB, "another secret"));

    assertThat(webhooks.open(hook, right, body).repository()).isPresent();
    for (Headers headers :
        List.of(
            wrong,
            header("X-Hub-Signature-256", "sha256=00"),
            header("X-Hub-Signature-256", "sha1=" + "0".repeat(40)),
            header("X-Hub-Signature", "x"))) {
      assertRefused(
          () -> webhooks.open(hook, headers, body), ProblemType.UNAUTHENTICATED, "no such");
    }
    assertRefused(() -> webhooks.open(hook, right, other), ProblemType.UNAUTHENTICATED, "no such");
    assertThat(metrics.counter("gateway.webhook.refused", "webhook", "github").count())
        .isEqualTo(5);
  }

  @Test
  void showsNoSecretAnywhere() {
    Webhooks webhooks = webhooks();

    assertThatThrownBy(
            () ->
                webhooks.admit(
                    "distribution", header("Authorization", "Bearer guess-of-a-secret"), List.of()))
        .hasMessageNotContaining("guess-of-a-secret")
        .hasMessageNotContaining(Deliveries.SECRET);
    assertThat(WebhookSecret.read("x", Deliveries.secretFile(folder)).toString())
        .isEqualTo("WebhookSecret[redacted]");
    assertThat(hook("distribution").toString()).doesNotContain(Deliveries.SECRET);
  }

  // ---- parts --------------------------------------------------------------------------------

  private WebhookSettings settings() {
    Map<String, String> all = Deliveries.settings(folder);
    all.putAll(changes);
    return WebhookSettings.from(Settings.of("test", all));
  }

  private Webhook hook(String name) {
    return settings().hooks().stream().filter(h -> h.name().equals(name)).findAny().orElseThrow();
  }

  /** A gateway that has read the log. */
  private Webhooks webhooks() {
    StatusTable table = new StatusTable(1000, clock, StatusListener.NONE);
    log.events().stream()
        .filter(Event.RequestStatus.class::isInstance)
        .forEach(event -> table.apply((Event.RequestStatus) event));
    Submissions submissions = new Submissions(log, table, 1000, clock, new SplittableRandom(1));
    return new Webhooks(settings(), policy, submissions, clock, metrics);
  }

  private WebhookAnswer deliver(Webhooks webhooks, String name, String body) {
    Headers headers = header("X-Hub-Signature-256", Deliveries.signature(body, Deliveries.SECRET));
    return webhooks
        .submit(webhooks.open(hook(name), headers, body.getBytes(StandardCharsets.UTF_8)), trace)
        .toCompletableFuture()
        .join();
  }

  private boolean isAdmitted(String name, String header, String value, List<String> tokens) {
    try {
      return webhooks().admit(name, header(header, value), tokens).name().equals(name);
    } catch (GatewayException.Refused e) {
      assertThat(e.type()).isEqualTo(ProblemType.UNAUTHENTICATED);
      return false;
    }
  }

  private static Headers header(String name, String value) {
    return asked -> asked.equalsIgnoreCase(name) ? value : null;
  }

  private List<Event.ConversionRequested> asked() {
    return log.events().stream()
        .filter(Event.ConversionRequested.class::isInstance)
        .map(Event.ConversionRequested.class::cast)
        .toList();
  }

  private List<String> images() {
    return asked().stream().map(Event.ConversionRequested::image).toList();
  }

  private double counted(String webhook, String outcome) {
    return metrics
        .counter("gateway.webhook.events", "webhook", webhook, "outcome", outcome)
        .count();
  }

  private static void assertRefused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, ProblemType type, String detail) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            GatewayException.Refused.class, e -> assertThat(e.type()).isEqualTo(type))
        .hasMessageContaining(detail);
  }
}
