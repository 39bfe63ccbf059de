package io.lamina.gateway.live;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.event.RequestId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Hands events to all watchers, and keeps the latest for those who come back. Ids are {@code
 * EPOCH-SEQUENCE}, the epoch naming this process: an id of another process or of an event that is
 * no longer held cannot be continued.
 *
 * <p>Thread-safe: one lock (this) orders events; watchers are called with it held and only queue.
 */
public final class LiveEvents {
  private final String epoch;
  private final int history;
  private final Deque<LiveEvent> held = new ArrayDeque<>();
  private final Set<Consumer<LiveEvent>> watchers = ConcurrentHashMap.newKeySet();
  private long sequence;

  /**
   * @param epoch names this process; letters and digits
   * @param history events held, at least 1
   */
  public LiveEvents(String epoch, int history) {
    this.epoch = epoch;
    this.history = history;
  }

  /** Tells all watchers. */
  public synchronized void publish(
      LiveEvent.Kind kind,
      RepositoryName repository,
      Optional<RequestId> request,
      boolean last,
      String data) {
    LiveEvent event = new LiveEvent(++sequence, kind, repository, request, last, data);
    held.addLast(event);
    if (held.size() > history) {
      held.removeFirst();
    }
    watchers.forEach(w -> w.accept(event));
  }

  /**
   * Adds a watcher.
   *
   * @param watcher called for each event, on any thread; must only queue
   * @param lastEventId what it has seen last
   * @return the events that it has missed since, or empty if that is not known
   */
  public synchronized Optional<List<LiveEvent>> watch(
      Consumer<LiveEvent> watcher, Optional<String> lastEventId) {
    Optional<List<LiveEvent>> missed = lastEventId.flatMap(this::since);
    watchers.add(watcher);
    return missed;
  }

  public void leave(Consumer<LiveEvent> watcher) {
    watchers.remove(watcher);
  }

  private Optional<List<LiveEvent>> since(String id) {
    if (!id.startsWith(epoch + "-")) {
      return Optional.empty();
    }
    long seen;
    try {
      seen = Long.parseLong(id, epoch.length() + 1, id.length(), 10);
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
    long oldest = held.isEmpty() ? sequence + 1 : held.getFirst().sequence();
    if (seen > sequence || seen < oldest - 1) {
      return Optional.empty();
    }
    List<LiveEvent> missed = new ArrayList<>();
    for (LiveEvent event : held) {
      if (event.sequence() > seen) {
        missed.add(event);
      }
    }
    return Optional.of(missed);
  }

  /** The id of an event. */
  public String id(LiveEvent event) {
    return epoch + "-" + event.sequence();
  }

  /** The id after which all coming events follow. */
  public synchronized String presentId() {
    return epoch + "-" + sequence;
  }

  public int watching() {
    return watchers.size();
  }
}
