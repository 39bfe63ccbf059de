package io.lamina.gateway.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.InMemoryLog;
import io.lamina.gateway.access.Caller;
import io.lamina.gateway.access.Role;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Event.RequestStatus.State;
import io.lamina.messaging.event.Precedence;
import io.lamina.messaging.event.RequestId;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class SubmissionsTest {
  private static final NewRequest DEBIAN = RequestIdsTest.conversion("debian:12");
  private static final NewRequest ALPINE = RequestIdsTest.conversion("alpine:3");
  private static final Optional<String> KEY = Optional.of("night-1");
  private final Clock clock = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);
  private final SplittableRandom random = new SplittableRandom(1);
  private final TraceContext trace = TraceContext.continuing(null, random);
  private final InMemoryLog log = new InMemoryLog();
  private final StatusTable table = new StatusTable(100, clock, StatusListener.NONE);
  private final Submissions submissions = submissions(log, table, 3);

  @Test
  void saysTheStatusBeforeTheEventThatStartsTheWork() {
    RequestView request = submit(Optional.empty(), DEBIAN).request();

    assertThat(log.events())
        .extracting(e -> e.getClass().getSimpleName())
        .containsExactly("RequestStatus", "ConversionRequested");
    assertThat(request.status().state()).isEqualTo(State.ACCEPTED);
    assertThat(table.find(request.status().request())).isPresent();
  }

  @Test
  void keepsRoomForThoseWhoWaitWhereBulkTakesAllItCanGet() {
    Submissions ten = submissions(log, table, 10);
    for (int i = 0; i < 8; i++) {
      join(ten.submit(Caller.LOCAL, Optional.empty(), bulk("m:" + i), trace));
    }

    assertRefused(
        () -> join(ten.submit(Caller.LOCAL, Optional.empty(), bulk("m:9"), trace)),
        ProblemType.TOO_MANY_REQUESTS,
        "8 requests are unfinished, the bound for bulk requests is 8");
    join(ten.submit(Caller.LOCAL, Optional.empty(), DEBIAN, trace));
    join(ten.submit(Caller.LOCAL, Optional.empty(), ALPINE, trace));
    assertRefused(
        () -> join(ten.submit(Caller.LOCAL, Optional.empty(), DEBIAN, trace)),
        ProblemType.TOO_MANY_REQUESTS,
        "the bound is 10");
    assertThat(log.events())
        .filteredOn(Event.ConversionRequested.class::isInstance)
        .extracting(e -> ((Event.ConversionRequested) e).precedence().orElseThrow())
        .contains(
            new Precedence(Precedence.Priority.BULK, "local"),
            new Precedence(Precedence.Priority.INTERACTIVE, "local"));
  }

  private static NewRequest bulk(String image) {
    NewRequest.Conversion plain = (NewRequest.Conversion) RequestIdsTest.conversion(image);
    return new NewRequest.Conversion(
        plain.repository(),
        plain.image(),
        plain.platforms(),
        plain.thin(),
        Precedence.Priority.BULK);
  }

  @Test
  void takesTheSameRequestOnceUnderOneKey() {
    Submissions.Accepted first = submit(KEY, DEBIAN);
    table.apply(Statuses.with(first.request().status(), State.PLANNED));

    Submissions.Accepted second = submit(KEY, DEBIAN);

    assertThat(first.replayed()).isFalse();
    assertThat(second.replayed()).isTrue();
    assertThat(second.request().status().request()).isEqualTo(first.request().status().request());
    assertThat(log.events()).hasSize(2);
  }

  @Test
  void refusesAnotherRequestUnderAUsedKey() {
    submit(KEY, DEBIAN);

    assertRefused(
        () -> submit(KEY, ALPINE), ProblemType.IDEMPOTENCY_KEY_REUSED, "used for request");
    assertThat(log.events()).hasSize(2);
  }

  @Test
  void findsTheRequestOfAKeyInOtherWordsForWhoSaysTheSameAgain() {
    RequestId first = once(DEBIAN).request().status().request();

    Submissions.Accepted again = once(ALPINE);

    assertThat(again.replayed()).isTrue();
    assertThat(again.request().status().request()).isEqualTo(first);
    assertThat(log.events()).hasSize(2);
  }

  private Submissions.Accepted once(NewRequest request) {
    return join(submissions.submitOnce(Caller.LOCAL, KEY.orElseThrow(), request, trace));
  }

  @Test
  void knowsKeysAfterARestartWhateverTheStatusHoldsByThen() {
    RequestStatus accepted = submit(KEY, DEBIAN).request().status();
    StatusTable reread = new StatusTable(100, clock, StatusListener.NONE);
    reread.apply(Statuses.with(accepted, State.FAILED));
    Submissions restarted = submissions(log, reread, 3);

    assertThat(join(restarted.submit(Caller.LOCAL, KEY, DEBIAN, trace)).replayed()).isTrue();
    assertRefused(
        () -> join(restarted.submit(Caller.LOCAL, KEY, ALPINE, trace)),
        ProblemType.IDEMPOTENCY_KEY_REUSED,
        "asked for something else");
  }

  @Test
  void letsCallersUseTheSameKeyForThemselves() {
    Caller other = new Caller("other", Role.SUBMITTER, Optional.empty());

    RequestStatus mine = submit(KEY, DEBIAN).request().status();
    RequestStatus theirs = join(submissions.submit(other, KEY, ALPINE, trace)).request().status();

    assertThat(mine.request()).isNotEqualTo(theirs.request());
  }

  @Test
  void answersThoseWhoComeWhileTheFirstIsBeingWrittenWithTheSame() {
    CompletableFuture<Void> written = new CompletableFuture<>();
    Submissions slow =
        submissions((events, t) -> written.thenCompose(v -> log.append(events, t)), table, 3);

    CompletableFuture<Submissions.Accepted> first =
        slow.submit(Caller.LOCAL, KEY, DEBIAN, trace).toCompletableFuture();
    CompletableFuture<Submissions.Accepted> second =
        slow.submit(Caller.LOCAL, KEY, DEBIAN, trace).toCompletableFuture();
    assertRefused(
        () -> join(slow.submit(Caller.LOCAL, KEY, ALPINE, trace)),
        ProblemType.IDEMPOTENCY_KEY_REUSED,
        "used for request");
    assertThat(first).isNotDone();
    written.complete(null);

    assertThat(first.join().request()).isEqualTo(second.join().request());
    assertThat(second.join().replayed()).isTrue();
    assertThat(log.events()).hasSize(2);
  }

  @Test
  void knowsNothingOfWhatWasNotWritten() {
    log.breakDown();

    assertThatThrownBy(() -> submit(KEY, DEBIAN)).hasMessageContaining("cannot be reached");

    assertThat(table.unfinished()).isZero();
    assertThat(log.events()).isEmpty();
  }

  @Test
  void refusesMoreThanTheBacklogWithATimeToWait() {
    for (int i = 0; i < 3; i++) {
      submit(Optional.empty(), DEBIAN);
    }

    assertRefused(
        () -> submit(Optional.empty(), DEBIAN), ProblemType.TOO_MANY_REQUESTS, "the bound is 3");

    RequestId some = ((RequestStatus) log.events().getFirst()).request();
    table.apply(Statuses.with(table.find(some).orElseThrow().status(), State.DONE));
    assertThat(submit(Optional.empty(), DEBIAN).replayed()).isFalse();
  }

  @Test
  void cancelsOnlyWhatIsUnfinished() {
    RequestStatus status = submit(Optional.empty(), DEBIAN).request().status();

    join(submissions.cancel(Caller.LOCAL, status.kind(), status.request(), trace));
    assertThat(log.events().getLast())
        .isEqualTo(new Event.CancelRequested(status.request(), status.repository()));

    table.apply(Statuses.with(status, State.CANCELLED));
    assertRefused(
        () -> join(submissions.cancel(Caller.LOCAL, status.kind(), status.request(), trace)),
        ProblemType.CONFLICT,
        "is cancelled and cannot");
  }

  @Test
  void showsNothingOfRepositoriesThatACallerMayNotUse() {
    RequestStatus status = submit(Optional.empty(), DEBIAN).request().status();
    Caller stranger =
        new Caller(
            "x", Role.OPERATOR, Optional.of(Set.of(new RepositoryName("other.example.org"))));

    assertRefused(
        () -> submissions.read(stranger, status.kind(), status.request()),
        ProblemType.NOT_FOUND,
        "there is no conversion");
    assertRefused(
        () -> join(submissions.cancel(stranger, status.kind(), status.request(), trace)),
        ProblemType.NOT_FOUND,
        "there is no conversion");
    assertRefused(
        () -> join(submissions.submit(stranger, Optional.empty(), DEBIAN, trace)),
        ProblemType.FORBIDDEN,
        "not allowed to use repository");
  }

  private Submissions submissions(RequestLog to, StatusTable known, int backlog) {
    return new Submissions(to, known, backlog, clock, random);
  }

  private Submissions.Accepted submit(Optional<String> key, NewRequest request) {
    return join(submissions.submit(Caller.LOCAL, key, request, trace));
  }

  private static <T> T join(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof GatewayException cause) {
        throw cause;
      }
      throw e;
    }
  }

  private static void assertRefused(ThrowingCallable call, ProblemType type, String message) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            GatewayException.Refused.class, e -> assertThat(e.type()).isEqualTo(type))
        .hasMessageContaining(message);
  }
}
