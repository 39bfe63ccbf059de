package io.lamina.converter.work;

import io.lamina.messaging.FailurePolicy;
import io.lamina.messaging.MessagingException;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.QueueHandler;
import io.lamina.messaging.Received;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.Work;
import io.lamina.messaging.event.Event.WorkFailed;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Connects the queue to {@link WorkRunner}: whatever becomes of a piece of work, its publisher
 * hears of it before it leaves the queue. Thread-safe.
 */
public final class WorkHandler implements QueueHandler {
  private static final int REMEMBERED_RESULTS = 64;

  private final WorkRunner runner;

  /**
   * Results that may not have been heard of, by record: where the broker was away when they were
   * told, the record comes again and the work need not be done again. Guarded by itself.
   */
  private final Map<Received.Position, Event> results =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Received.Position, Event> eldest) {
          return size() > REMEMBERED_RESULTS;
        }
      };

  public WorkHandler(WorkRunner runner) {
    this.runner = runner;
  }

  @Override
  public List<Outgoing> handle(Delivery delivery) {
    Received record = delivery.record();
    return switch (record.event().orElse(null)) {
      case null -> List.of();
      case Work work -> List.of(Outgoing.of(resultOf(work, delivery)));
      case Event other ->
          throw new MessagingException.Corrupt(
              "a " + other.getClass().getSimpleName() + " is no work for a converter");
    };
  }

  private Event resultOf(Work work, Delivery delivery) {
    Received.Position position = delivery.record().position();
    synchronized (results) {
      Event known = results.get(position);
      if (known != null) {
        return known;
      }
    }
    Event result =
        switch (answer(work, delivery)) {
          case Answer.Done(Event done) -> done;
          case Answer.Failed(WorkFailed failed) -> failed;
          case Answer.GivenUp(String reason) -> throw new Setback(reason, false);
          case Answer.Again(String reason) -> throw new Setback(reason, true);
        };
    synchronized (results) {
      results.put(position, result);
    }
    return result;
  }

  private Answer answer(Work work, Delivery delivery) {
    try {
      return runner.run(work, delivery::isStopping);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Setback("interrupted: " + e.getMessage(), true);
    }
  }

  @Override
  public List<Outgoing> abandoned(Received record, Throwable cause) {
    if (!(record.event().orElse(null) instanceof Work work)) {
      return List.of();
    }
    return List.of(
        Outgoing.of(
            new WorkFailed(work.repository(), work.work(), String.valueOf(cause.getMessage()))));
  }

  /** What the queue does about this handler's failures. */
  public static FailurePolicy policy() {
    FailurePolicy standard = FailurePolicy.standard();
    return failure ->
        failure instanceof Setback setback
            ? setback.again ? FailurePolicy.Verdict.RETRY : FailurePolicy.Verdict.REJECT
            : standard.judge(failure);
  }

  /** Carries an answer other than a result through the queue's loop. */
  static final class Setback extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean again;

    private Setback(String reason, boolean again) {
      super(reason, null, false, false);
      this.again = again;
    }
  }
}
