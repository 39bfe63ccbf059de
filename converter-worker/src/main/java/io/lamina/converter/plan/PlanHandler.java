package io.lamina.converter.plan;

import io.lamina.messaging.MessagingException;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.PartitionHandler;
import io.lamina.messaging.PartitionScope;
import io.lamina.messaging.Received;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.ConversionRequested;
import io.lamina.messaging.event.Precedence;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Plans the requests of one partition, many at once: requests for the same image in their order,
 * others side by side, the more urgent first and tenants in turn. A plan is committed as soon as it
 * is there, whatever is still under way before it; the offset follows the longest run of answered
 * requests. After a crash, requests behind that run are planned again, which changes nothing. For
 * the partition's thread alone.
 */
public final class PlanHandler implements PartitionHandler {
  private static final Logger LOG = LoggerFactory.getLogger(PlanHandler.class);

  /** How long a batch is waited for before the next one is taken. */
  private static final Duration LINGER = Duration.ofMillis(250);

  /** How long closing waits for plans that were told to stop. */
  private static final Duration GRACE = Duration.ofSeconds(10);

  private final PartitionScope scope;
  private final ConversionPlanner planner;
  private final int maxUnderWay;
  private final PlanQueue<Flight> waiting = new PlanQueue<>();
  private final Set<Flight> underWay = new LinkedHashSet<>();
  private final Map<String, Flight> latestOfImage = new HashMap<>();
  private final BlockingQueue<Flight> landed = new LinkedBlockingQueue<>();

  /**
   * @param maxUnderWay requests of this partition that are planned at once; the others that were
   *     handed over wait for their turn
   */
  public PlanHandler(PartitionScope scope, ConversionPlanner planner, int maxUnderWay) {
    this.scope = scope;
    this.planner = planner;
    this.maxUnderWay = maxUnderWay;
  }

  @Override
  public void handle(List<Received> batch) {
    for (Received received : batch) {
      Flight flight = new Flight(received, latestOfImage.get(received.key()));
      latestOfImage.put(received.key(), flight);
      waiting.add(flight.precedence, flight);
    }
    beginNext();
    long end = System.nanoTime() + LINGER.toNanos();
    while (!underWay.isEmpty() && !scope.isStopping()) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        break;
      }
      land(Duration.ofNanos(left));
      beginNext();
    }
  }

  @Override
  public void idle() {
    if (!underWay.isEmpty()) {
      land(Duration.ZERO);
    }
    beginNext();
  }

  private void beginNext() {
    while (underWay.size() < maxUnderWay && !scope.isStopping()) {
      Flight flight = waiting.poll();
      if (flight == null) {
        return;
      }
      if (flight.isBegun) {
        continue; // it went before a more urgent one for its image
      }
      Flight first = flight.firstToBegin();
      if (first != flight) {
        waiting.putBack(flight.precedence, flight);
      }
      first.isBegun = true;
      underWay.add(first);
      first.thread.start();
    }
  }

  /** Commits what is answered; waits a while for the first answer. */
  private void land(Duration wait) {
    List<Flight> arrived = new ArrayList<>();
    try {
      Flight first = landed.poll(wait.toNanos(), TimeUnit.NANOSECONDS);
      if (first == null) {
        return;
      }
      arrived.add(first);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MessagingException.PartitionLost("interrupted while planning", e);
    }
    landed.drainTo(arrived);
    List<Outgoing> events = new ArrayList<>();
    List<Received.Position> done = new ArrayList<>();
    for (Flight flight : arrived) {
      flight.rethrowError();
      underWay.remove(flight);
      latestOfImage.remove(flight.received.key(), flight);
      if (flight.setAside == null) {
        done.add(flight.received.position());
      } else {
        scope.setAside(flight.received, flight.setAside);
      }
      flight.events.forEach(event -> events.add(Outgoing.of(event).causedBy(flight.received)));
    }
    scope.commit(events, done);
  }

  /** Stops what is under way; its requests are handed over again. */
  @Override
  public void close() {
    underWay.forEach(flight -> flight.thread.interrupt());
    long end = System.nanoTime() + GRACE.toNanos();
    boolean interrupted = Thread.interrupted();
    for (Flight flight : underWay) {
      try {
        long left = Math.max(1, end - System.nanoTime());
        if (!flight.thread.join(Duration.ofNanos(left))) {
          LOG.atWarn()
              .addKeyValue("record", flight.received.position())
              .log("planning does not stop and is left behind");
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** One request on its thread. Written by that thread until it has landed. */
  private final class Flight {
    private final Received received;
    private final @Nullable Flight before;
    private final Precedence precedence;
    // For the partition's thread.
    private boolean isBegun;
    private final Thread thread;
    private final CountDownLatch ended = new CountDownLatch(1);
    private List<Event> events = List.of();
    private @Nullable Throwable setAside;
    private @Nullable Throwable error;

    private Flight(Received received, @Nullable Flight before) {
      this.received = received;
      this.before = before;
      this.precedence =
          received
              .event()
              .filter(ConversionRequested.class::isInstance)
              .flatMap(event -> ((ConversionRequested) event).precedence())
              .orElse(Precedence.UNSAID);
      this.thread = Thread.ofVirtual().name("plan-" + received.position()).unstarted(this::run);
    }

    /** Requests for the same image keep their order, however urgent they are. */
    private Flight firstToBegin() {
      Flight first = this;
      while (first.before != null && !first.before.isBegun) {
        first = first.before;
      }
      return first;
    }

    private void run() {
      try {
        if (before != null) {
          before.ended.await();
        }
        answer();
        landed.add(this);
      } catch (InterruptedException e) {
        // The handler closes; nobody waits for this answer.
      } catch (Throwable t) { // the thread's top: the partition's thread throws it again
        error = t;
        landed.add(this);
      } finally {
        ended.countDown();
      }
    }

    private void answer() throws InterruptedException {
      switch (received.event().orElse(null)) {
        case null -> {
          // A tombstone asks for nothing.
        }
        case ConversionRequested request -> {
          Plan plan = planner.plan(request);
          events =
              switch (plan) {
                case Plan.Ready ready -> List.of(ready.image(), ready.status());
                case Plan.Refused refused -> List.of(refused.status());
                case Plan.GivenUp givenUp -> List.of(givenUp.status());
              };
          if (plan instanceof Plan.GivenUp givenUp) {
            setAside = new Unanswered(givenUp.cause());
          }
        }
        case Event other ->
            setAside =
                new Unanswered(
                    "a " + other.getClass().getSimpleName() + " is no request for a conversion");
      }
    }

    private void rethrowError() {
      switch (error) {
        case null -> {}
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        default -> throw new IllegalStateException(error);
      }
    }
  }

  /** The cause of a dead letter; expected, so without a trace. */
  static final class Unanswered extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private Unanswered(String message) {
      super(message, null, false, false);
    }
  }
}
