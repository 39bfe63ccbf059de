package io.lamina.gateway.webhook;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.access.Caller;
import io.lamina.gateway.access.Role;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.request.RequestView;
import io.lamina.gateway.request.Submissions;
import io.lamina.gateway.request.TraceContext;
import io.lamina.gateway.webhook.PushRules.Decision;
import io.lamina.image.Digest;
import io.lamina.image.policy.ImagePolicy;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes conversions of what registries report, each once, however often it is reported and to
 * whichever gateway. Thread-safe, never blocks.
 *
 * <p>Source: docs/webhooks.md and docs/adr/0052-registries-report-pushes.md.
 */
public final class Webhooks {
  private static final Logger LOG = LoggerFactory.getLogger(Webhooks.class);

  /** A delivery that was understood: what it asks for, and what of it asks for nothing. */
  public static final class Delivery {
    private final Webhook hook;
    private final List<Decision.Ask> asks = new ArrayList<>();
    private final List<LeftOut> leftOut = new ArrayList<>();

    private Delivery(Webhook hook) {
      this.hook = hook;
    }

    /** Where its images are to be published, if it asks for any. */
    public Optional<RepositoryName> repository() {
      return asks.isEmpty() ? Optional.empty() : Optional.of(hook.target().repository());
    }
  }

  private final WebhookDoor door;
  private final PushRules rules;
  private final int maxEvents;
  private final Submissions submissions;
  private final MeterRegistry metrics;

  /**
   * Reads the secrets.
   *
   * @param policy the site's own; converters have the last word
   * @throws GatewayException.Fatal if a secret cannot be used
   */
  public Webhooks(
      WebhookSettings settings,
      ImagePolicy policy,
      Submissions submissions,
      Clock clock,
      MeterRegistry metrics) {
    this.door = new WebhookDoor(settings.hooks(), metrics);
    this.rules =
        new PushRules(
            policy,
            settings.hooks().stream().flatMap(hook -> hook.target().thin().stream()).toList(),
            clock);
    this.maxEvents = settings.maxEvents();
    this.submissions = submissions;
    this.metrics = metrics;
    settings.hooks().stream()
        .filter(hook -> hook.authentication() instanceof Authentication.Query)
        .forEach(
            hook ->
                LOG.atWarn()
                    .addKeyValue("webhook", hook.name())
                    .log("this webhook's secret is in its address, where proxies log it"));
  }

  /**
   * Lets in whoever knows a webhook's secret, before the body is read. Where the body is signed,
   * {@link #open} has the last word.
   *
   * @param tokens of the query
   * @throws GatewayException.Refused for an unknown webhook as for a wrong secret
   */
  public Webhook admit(@Nullable String name, Headers headers, List<String> tokens) {
    return door.admit(name, headers, tokens);
  }

  /**
   * Understands a delivery; asks for nothing yet.
   *
   * @throws GatewayException.Refused if its signature is wrong, or it cannot be understood
   */
  public Delivery open(Webhook hook, Headers headers, byte[] body) {
    door.checkSignature(hook, headers, body);
    Digest whole = Digest.sha256(body);
    Delivery delivery = new Delivery(hook);
    for (Reported event : hook.format().reader().read(object(body), maxEvents)) {
      switch (event) {
        case Reported.Other other -> delivery.leftOut.add(other.leftOut());
        case Reported.Pushed pushed -> {
          switch (rules.decide(hook, pushed, whole)) {
            case Decision.Ask ask -> delivery.asks.add(ask);
            case Decision.Leave leave -> delivery.leftOut.add(leave.leftOut());
          }
        }
      }
    }
    return delivery;
  }

  static JsonObject object(byte[] body) {
    try {
      JsonObject json = Buffer.buffer(body).toJsonObject();
      if (json != null) {
        return json;
      }
    } catch (RuntimeException e) {
      // One message below for whatever the parser says of it.
    }
    throw new GatewayException.Refused(
        ProblemType.INVALID_REQUEST, "the body is not a JSON object");
  }

  /**
   * Asks for what a delivery asks for, one after the other.
   *
   * @return fails with {@link GatewayException}; what was asked for before that is known when the
   *     delivery comes again
   */
  public CompletionStage<WebhookAnswer> submit(Delivery delivery, TraceContext trace) {
    Webhook hook = delivery.hook;
    Caller caller =
        new Caller(
            WebhookSettings.caller(hook.name()),
            Role.SUBMITTER,
            Optional.of(Set.of(hook.target().repository())),
            hook.target().tenant());
    List<RequestView> accepted = new ArrayList<>();
    List<RequestView> known = new ArrayList<>();
    CompletionStage<Void> all = CompletableFuture.completedStage(null);
    for (Decision.Ask ask : delivery.asks) {
      String key = Digest.sha256(ask.event().getBytes(StandardCharsets.UTF_8)).hex();
      all =
          all.thenCompose(before -> submissions.submitOnce(caller, key, ask.request(), trace))
              .thenAccept(made -> (made.replayed() ? known : accepted).add(made.request()));
    }
    return all.thenApply(
        done -> {
          WebhookAnswer answer = new WebhookAnswer(hook.name(), accepted, known, delivery.leftOut);
          report(answer);
          return answer;
        });
  }

  private void report(WebhookAnswer answer) {
    count(answer.webhook(), "accepted", answer.accepted().size());
    count(answer.webhook(), "known", answer.known().size());
    answer.leftOut().forEach(each -> count(answer.webhook(), each.reason().text(), 1));
    boolean isRemarkable =
        !answer.accepted().isEmpty()
            || answer.leftOut().stream().anyMatch(each -> each.reason().isRemarkable());
    (isRemarkable ? LOG.atInfo() : LOG.atDebug())
        .addKeyValue("webhook", answer.webhook())
        .addKeyValue("accepted", answer.accepted().size())
        .addKeyValue("known", answer.known().size())
        .addKeyValue("leftOut", answer.leftOut().stream().map(l -> l.reason().text()).toList())
        .log("delivery of a registry");
  }

  private void count(String webhook, String outcome, int events) {
    if (events > 0) {
      metrics
          .counter("gateway.webhook.events", "webhook", webhook, "outcome", outcome)
          .increment(events);
    }
  }
}
