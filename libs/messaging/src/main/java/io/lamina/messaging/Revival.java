package io.lamina.messaging;

import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.WorkKey;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What is said when a record is put back, so that the requests that failed by it live again.
 *
 * <p>Source: docs/protocol/topics.md, "Dead letters". Immutable.
 *
 * @param putsBack whether the record itself goes back, or something else is said in its place
 * @param before said before the record, in the same transaction
 */
record Revival(boolean putsBack, List<Outgoing> before) {
  static Revival of(Event event, DeadLetter letter, Instant now) {
    return switch (event) {
      // The tag may have moved since: an old plan must not replace what a newer one has shown.
      case Event.ImagePlanned plan -> {
        Event.ConversionRequested asked =
            new Event.ConversionRequested(
                plan.request(),
                plan.repository(),
                plan.image(),
                plan.platforms().stream().map(PlannedPlatform::platform).toList(),
                plan.thinTarget(),
                plan.acceptedAt(),
                plan.precedence());
        yield new Revival(false, List.of(accepted(asked, letter, now), Outgoing.of(asked)));
      }
      case Event.Request request -> new Revival(true, List.of(accepted(request, letter, now)));
      case Event.Work work ->
          new Revival(
              true,
              List.of(
                  Outgoing.of(
                      new Event.WorkRetried(work.repository(), work.work(), Optional.of(work)))));
      case Event.LayerConverted converted ->
          result(event, WorkKey.Kind.LAYER, converted.layer().blob().digest().hex());
      case Event.FlatMerged merged -> result(event, WorkKey.Kind.FLAT, merged.imageId().hex());
      case Event.ThinPushed pushed -> result(event, WorkKey.Kind.THIN, pushed.request().value());
      // Later ones have been followed since: what it shows may be older than what is shown now.
      case Event.TransactionFollowed followed ->
          throw new MessagingException.Rejected(
              "revision "
                  + followed.origin().revision()
                  + " of "
                  + followed.origin().source()
                  + " at site "
                  + followed.origin().site()
                  + " is not followed out of its order; follow the site in a new round instead, and"
                  + " drop this letter");
      case Event.CancelRequested _,
          Event.CollectionFinished _,
          Event.WorkFailed _,
          Event.WorkRetried _,
          Event.Pending _,
          Event.TransactionPublished _,
          Event.RequestStatus _,
          Event.WorkProgress _ ->
          new Revival(true, List.of());
    };
  }

  private static Revival result(Event event, WorkKey.Kind kind, String id) {
    return new Revival(
        true,
        List.of(
            Outgoing.of(
                new Event.WorkRetried(
                    event.repository(), new WorkKey(kind, id), Optional.empty()))));
  }

  private static Outgoing accepted(Event.Request request, DeadLetter letter, Instant now) {
    return Outgoing.of(
        request.status(
            RequestStatus.State.ACCEPTED,
            List.of(),
            Optional.of("tried again, as " + letter.id()),
            Optional.empty(),
            now));
  }
}
