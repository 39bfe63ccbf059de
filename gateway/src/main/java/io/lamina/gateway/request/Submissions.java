package io.lamina.gateway.request;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.access.Caller;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.image.ImageReference;
import io.lamina.image.Platform;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Precedence;
import io.lamina.messaging.event.Precedence.Priority;
import io.lamina.messaging.event.RequestId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * Accepts each request once: writes it to the log, and knows it from then on. Thread-safe, never
 * blocks.
 */
public final class Submissions {
  /** One in so many places of the backlog is not for bulk requests. */
  private static final int RESERVED_PART = 5;

  private static final Duration BACKLOG_RETRY = Duration.ofSeconds(10);

  /** An accepted request, and whether it had been accepted before under its key. */
  public record Accepted(RequestView request, boolean replayed) {}

  private record UnderWay(RequestId id, CompletableFuture<Accepted> answer) {}

  private final RequestLog log;
  private final StatusTable table;
  private final int maxBacklog;
  private final Clock clock;
  private final RandomGenerator random;
  private final AtomicInteger appending = new AtomicInteger();
  private final ConcurrentMap<String, UnderWay> underWay = new ConcurrentHashMap<>();

  public Submissions(
      RequestLog log, StatusTable table, int maxBacklog, Clock clock, RandomGenerator random) {
    this.log = log;
    this.table = table;
    this.maxBacklog = maxBacklog;
    this.clock = clock;
    this.random = random;
  }

  /**
   * Accepts a request, or finds it accepted under the same key.
   *
   * @return fails with {@link GatewayException}
   */
  public CompletionStage<Accepted> submit(
      Caller caller, Optional<String> key, NewRequest request, TraceContext trace) {
    try {
      checkAllowed(caller, request.repository());
      if (key.isEmpty()) {
        return accept(caller, RequestIds.fresh(clock.instant(), random), request, trace);
      }
      String prefix = RequestIds.keyPrefix(caller.name(), key.get());
      RequestId id = RequestIds.derived(prefix, request);
      return acceptOnce(caller, prefix, id, request, trace, known -> checkSame(known, id));
    } catch (GatewayException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  /**
   * Accepts a request, or finds the one that was accepted under the same key, whatever that asked
   * for: for who repeats a key only to say the same again, in words that have changed meanwhile.
   *
   * @return fails with {@link GatewayException}
   */
  public CompletionStage<Accepted> submitOnce(
      Caller caller, String key, NewRequest request, TraceContext trace) {
    try {
      checkAllowed(caller, request.repository());
      String prefix = RequestIds.keyPrefix(caller.name(), key);
      RequestId id = RequestIds.derived(prefix, request);
      return acceptOnce(caller, prefix, id, request, trace, known -> {});
    } catch (GatewayException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  private CompletionStage<Accepted> acceptOnce(
      Caller caller,
      String prefix,
      RequestId id,
      NewRequest request,
      TraceContext trace,
      Consumer<RequestId> checkKnown) {
    CompletableFuture<Accepted> answer = new CompletableFuture<>();
    UnderWay earlier = underWay.putIfAbsent(prefix, new UnderWay(id, answer));
    if (earlier != null) {
      checkKnown.accept(earlier.id());
      return earlier.answer().thenApply(a -> new Accepted(a.request(), true));
    }
    CompletionStage<Accepted> stage;
    try {
      Optional<RequestView> known = table.findByPrefix(prefix);
      known.ifPresent(k -> checkKnown.accept(k.status().request()));
      stage =
          known.isPresent()
              ? CompletableFuture.completedStage(new Accepted(known.get(), true))
              : accept(caller, id, request, trace);
    } catch (GatewayException e) {
      stage = CompletableFuture.failedStage(e);
    }
    stage.whenComplete(
        (accepted, failure) -> {
          // The table knows it before the next one with this key can look.
          underWay.remove(prefix);
          if (failure == null) {
            answer.complete(accepted);
          } else {
            answer.completeExceptionally(failure);
          }
        });
    return answer;
  }

  private static void checkSame(RequestId known, RequestId now) {
    if (!known.equals(now)) {
      throw new GatewayException.Refused(
          ProblemType.IDEMPOTENCY_KEY_REUSED,
          "this Idempotency-Key was used for request "
              + known
              + ", which asked for something else; use a new key for a new request");
    }
  }

  private CompletionStage<Accepted> accept(
      Caller caller, RequestId id, NewRequest request, TraceContext trace) {
    int backlog = table.unfinished() + appending.get();
    // Somebody who waits finds room even where a mirror takes all that it can get.
    boolean isBulk = request.priority() == Priority.BULK;
    int bound = isBulk ? maxBacklog - maxBacklog / RESERVED_PART : maxBacklog;
    if (backlog >= bound) {
      throw new GatewayException.Refused(
          ProblemType.TOO_MANY_REQUESTS,
          backlog
              + " requests are unfinished, the bound"
              + (isBulk ? " for bulk requests is " : " is ")
              + bound
              + "; try again later",
          BACKLOG_RETRY);
    }
    Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    Event.Request asked = asked(caller, id, request, now);
    RequestStatus status =
        asked.status(
            RequestStatus.State.ACCEPTED, List.of(), Optional.empty(), Optional.empty(), now);
    appending.incrementAndGet();
    return log.append(List.of(status, asked), trace)
        .whenComplete((done, failure) -> appending.decrementAndGet())
        .thenApply(
            done -> {
              table.apply(status);
              return new Accepted(table.find(id).orElseThrow(), false);
            });
  }

  private static Event.Request asked(
      Caller caller, RequestId id, NewRequest request, Instant acceptedAt) {
    Optional<Precedence> precedence =
        Optional.of(Precedence.of(request.priority(), caller.tenant()));
    return switch (request) {
      case NewRequest.Conversion c ->
          new Event.ConversionRequested(
              id,
              c.repository(),
              c.image().canonical(),
              c.platforms().isEmpty() ? List.of(Platform.LINUX_AMD64) : c.platforms(),
              c.thin().map(ImageReference.Registry::canonical),
              acceptedAt,
              precedence);
      case NewRequest.DiffCommit d ->
          new Event.DiffCommitRequested(id, d.repository(), d.layer(), acceptedAt, precedence);
      case NewRequest.Collection c ->
          new Event.CollectionRequested(id, c.repository(), c.dryRun(), acceptedAt, precedence);
      case NewRequest.Removal r ->
          new Event.RemovalRequested(
              id,
              r.repository(),
              r.name(),
              r.scope(),
              r.keepTrees(),
              r.retention(),
              acceptedAt,
              precedence);
    };
  }

  /**
   * Asks for a request to be stopped.
   *
   * @return the request as it is now; fails with {@link GatewayException}
   */
  public CompletionStage<RequestView> cancel(
      Caller caller, RequestStatus.Kind kind, RequestId id, TraceContext trace) {
    RequestView known;
    try {
      known = read(caller, kind, id);
      RequestStatus status = known.status();
      if (status.state().isFinal()) {
        throw new GatewayException.Refused(
            ProblemType.CONFLICT,
            "request "
                + id
                + " is "
                + status.state().name().toLowerCase(java.util.Locale.ROOT)
                + " and cannot be cancelled any more");
      }
      return log.append(List.of(new Event.CancelRequested(id, status.repository())), trace)
          .thenApply(done -> table.find(id).orElse(known));
    } catch (GatewayException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  /**
   * A request that the caller may see.
   *
   * @throws GatewayException.Refused if there is none
   */
  public RequestView read(Caller caller, RequestStatus.Kind kind, RequestId id) {
    return table
        .find(id)
        .filter(r -> r.status().kind() == kind && caller.mayUse(r.status().repository()))
        .orElseThrow(
            () ->
                new GatewayException.Refused(
                    ProblemType.NOT_FOUND,
                    "there is no "
                        + kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-')
                        + " '"
                        + id
                        + "' that this token may see; list them to find its id"));
  }

  private static void checkAllowed(Caller caller, RepositoryName repository) {
    if (!caller.mayUse(repository)) {
      throw new GatewayException.Refused(
          ProblemType.FORBIDDEN,
          "token '" + caller.name() + "' is not allowed to use repository '" + repository + "'");
    }
  }
}
