package io.lamina.gateway.http;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.access.Caller;
import io.lamina.gateway.letter.LetterFilter;
import io.lamina.gateway.letter.LetterJson;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.messaging.DeadLetter;
import io.lamina.messaging.DeadLetterOffice;
import io.lamina.messaging.MessagingException;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;

/** Dead letters: list, show, retry, drop. Used on the requests' contexts. */
final class DeadLetterRoutes {
  private final DeadLetterOffice office;
  private final Blocking blocking;

  DeadLetterRoutes(DeadLetterOffice office, Blocking blocking) {
    this.office = office;
    this.blocking = blocking;
  }

  void list(RoutingContext context) {
    Exchange exchange = Exchange.of(context);
    Optional<DeadLetter.Place> after = exchange.cursor(LetterJson::place);
    LetterFilter filter =
        new LetterFilter(
            exchange.caller(),
            exchange.query("topic"),
            exchange.query("repository").map(RepositoryName::new));
    int limit = exchange.pageLimit();
    answer(context, () -> LetterJson.write(office.page(filter, after, limit), limit));
  }

  void read(RoutingContext context) {
    Exchange exchange = Exchange.of(context);
    String id = id(exchange);
    Caller caller = exchange.caller();
    answer(
        context,
        () -> {
          DeadLetter letter =
              office
                  .find(id)
                  .filter(found -> LetterFilter.maySee(caller, found))
                  .orElseThrow(() -> none(id));
          return LetterJson.write(letter, office.content(letter).orElseThrow(() -> none(id)));
        });
  }

  void retry(RoutingContext context) {
    settle(context, DeadLetter.State.RETRIED, office::retry);
  }

  void drop(RoutingContext context) {
    settle(context, DeadLetter.State.DROPPED, office::drop);
  }

  private void settle(
      RoutingContext context,
      DeadLetter.State wanted,
      Function<String, Optional<DeadLetter.State>> step) {
    Exchange exchange = Exchange.of(context);
    String id = id(exchange);
    Caller caller = exchange.caller();
    answer(
        context,
        () -> {
          boolean isSeen =
              office
                  .find(id)
                  .map(letter -> LetterFilter.maySee(caller, letter))
                  // Whose a settled one was is not known any more.
                  .orElse(caller.repositories().isEmpty());
          if (!isSeen) {
            throw none(id);
          }
          DeadLetter.State state = step.apply(id).orElseThrow(() -> none(id));
          if (state != wanted) {
            throw new GatewayException.Refused(
                ProblemType.CONFLICT,
                "dead letter " + id + " was " + word(state) + " before, and that is final");
          }
          return LetterJson.write(id, state);
        });
  }

  private static String word(DeadLetter.State state) {
    return state.name().toLowerCase(Locale.ROOT);
  }

  private void answer(RoutingContext context, Callable<JsonObject> step) {
    Future<JsonObject> result = blocking.call(step);
    result
        .onSuccess(json -> Answers.json(context, json))
        .onFailure(
            failure ->
                context.fail(failure instanceof MessagingException e ? translate(e) : failure));
  }

  private static GatewayException translate(MessagingException e) {
    return switch (e) {
      case MessagingException.Rejected r ->
          new GatewayException.Refused(ProblemType.CONFLICT, String.valueOf(r.getMessage()));
      case MessagingException.OutcomeUnknown u ->
          new GatewayException.Retryable("it is not known whether it was done; ask again", u);
      case MessagingException.Retryable r ->
          new GatewayException.Retryable(String.valueOf(r.getMessage()), r);
      case MessagingException.Corrupt c -> new GatewayException.Retryable("not readable now", c);
      case MessagingException.PartitionLost p ->
          new GatewayException.Retryable("another gateway is at it; ask again", p);
      case MessagingException.Fatal f ->
          new GatewayException.Retryable(
              "the brokers refuse this gateway; its operator must look", f);
    };
  }

  private static GatewayException none(String id) {
    return new GatewayException.Refused(
        ProblemType.NOT_FOUND,
        "there is no dead letter '" + id + "' that this token may see; list them to find its id");
  }

  private static String id(Exchange exchange) {
    return exchange.path("letter").orElseThrow();
  }
}
