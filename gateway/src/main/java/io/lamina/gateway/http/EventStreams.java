package io.lamina.gateway.http;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.access.Caller;
import io.lamina.gateway.live.LiveEvent;
import io.lamina.gateway.live.LiveEvents;
import io.lamina.gateway.request.RequestJson;
import io.lamina.gateway.request.RequestView;
import io.lamina.gateway.request.Submissions;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.RequestId;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/** Server-sent events: of one request, and of all. Thread-safe. */
final class EventStreams {
  private final LiveEvents live;
  private final Submissions submissions;
  private final Limit limit;
  private final int backlog;
  private final Duration heartbeat;
  private final Set<EventStream> open = ConcurrentHashMap.newKeySet();

  /**
   * @param backlog events that wait for a slow reader before it is cut off
   */
  EventStreams(
      LiveEvents live, Submissions submissions, Limit limit, int backlog, Duration heartbeat) {
    this.live = live;
    this.submissions = submissions;
    this.limit = limit;
    this.backlog = backlog;
    this.heartbeat = heartbeat;
  }

  void followAll(RoutingContext context) {
    Exchange exchange = Exchange.of(context);
    Caller caller = exchange.caller();
    Optional<RepositoryName> wanted = exchange.query("repository").map(RepositoryName::new);
    EventStream stream =
        open(
            context,
            event ->
                caller.mayUse(event.repository())
                    && wanted.map(w -> w.equals(event.repository())).orElse(true),
            event -> false);
    String present = live.presentId();
    Optional<List<LiveEvent>> missed =
        live.watch(stream.watcher(), exchange.header("Last-Event-ID"));
    if (missed.isPresent()) {
      stream.begin(missed.get());
    } else {
      stream.begin(present, "reset", "{}");
    }
  }

  void followOne(RoutingContext context, RequestStatus.Kind kind) {
    Exchange exchange = Exchange.of(context);
    RequestId id = RequestRoutes.id(exchange);
    submissions.read(exchange.caller(), kind, id);
    EventStream stream =
        open(context, event -> event.request().equals(Optional.of(id)), LiveEvent::last);
    String present = live.presentId();
    live.watch(stream.watcher(), Optional.empty());
    // Read after the watch began: nothing can fall between.
    RequestView now = submissions.read(exchange.caller(), kind, id);
    stream.begin(present, "request", RequestJson.write(now, false).encode());
    if (now.status().state().isFinal()) {
      stream.finish();
    }
  }

  private EventStream open(
      RoutingContext context, Predicate<LiveEvent> filter, Predicate<LiveEvent> last) {
    limit.acquire();
    EventStream stream =
        new EventStream(
            context.vertx(), context.response(), live::id, filter, last, backlog, heartbeat);
    open.add(stream);
    stream.onClose(
        () -> {
          if (open.remove(stream)) {
            live.leave(stream.watcher());
            limit.release();
          }
        });
    return stream;
  }

  /** Ends all streams; their readers may come back to another gateway. */
  void close() {
    open.forEach(EventStream::finish);
  }
}
