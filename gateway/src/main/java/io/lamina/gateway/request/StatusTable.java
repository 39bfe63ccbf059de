package io.lamina.gateway.request;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.request.RequestPage.Position;
import io.lamina.image.Digest;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Event.WorkProgress;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The latest state of every request, folded from the status topic, in bounded memory.
 *
 * <p>The last status of a request in the topic's order counts, so gateways that have read the same
 * records agree; only {@code ACCEPTED} replaces nothing, because an idempotent repetition may write
 * it late, but the failure of a request that is tried again, which then is the newer of the two. At
 * the bound the oldest final request is forgotten, or, if all are unfinished, the oldest. Progress
 * of work that no held request names is not kept.
 *
 * <p>Thread-safe: one lock, held for short, bounded steps only.
 */
public final class StatusTable {
  private static final Duration PROGRESS_INTERVAL = Duration.ofMillis(200);

  /** Requests that one page looks at. */
  static final int MAX_SEEN = 10_000;

  /** Requests whose listeners hear of one report; the others show it when they are read. */
  private static final int MAX_TOLD = 256;

  private record WorkName(RepositoryName repository, WorkKey key) {}

  private static final class WorkEntry {
    final Set<RequestEntry> wantedBy = new LinkedHashSet<>();
    @Nullable WorkProgress progress;
  }

  private static final class RequestEntry {
    RequestStatus status;
    Instant lastProgress = Instant.MIN;

    RequestEntry(RequestStatus status) {
      this.status = status;
    }

    Position position() {
      return new Position(status.acceptedAt(), status.request());
    }
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final int maxRequests;
  private final Clock clock;
  private final StatusListener listener;

  // All guarded by the lock.
  private final NavigableMap<RequestId, RequestEntry> byId = new TreeMap<>();
  private final NavigableMap<Position, RequestEntry> byAge = new TreeMap<>();
  private final NavigableMap<Position, RequestEntry> finalByAge = new TreeMap<>();
  private final Map<WorkName, WorkEntry> work = new HashMap<>();
  private final Map<String, Set<RequestEntry>> byLayer = new HashMap<>();
  private boolean live;
  private long forgotten;

  public StatusTable(int maxRequests, Clock clock, StatusListener listener) {
    this.maxRequests = maxRequests;
    this.clock = clock;
    this.listener = listener;
  }

  /** From now on changes are news: the past has been read. */
  public void goLive() {
    locked(() -> live = true);
  }

  /** Folds the next status in the topic's order. */
  public void apply(RequestStatus status) {
    locked(
        () -> {
          RequestEntry entry = byId.get(status.request());
          if (entry == null) {
            insert(new RequestEntry(status));
          } else if (!status.equals(entry.status)
              && (status.state() != RequestStatus.State.ACCEPTED
                  || isTriedAgain(entry.status, status))) {
            replace(entry, status);
          }
          return null;
        });
  }

  private static boolean isTriedAgain(RequestStatus known, RequestStatus accepted) {
    return known.state() == RequestStatus.State.FAILED
        && accepted.updatedAt().isAfter(accepted.acceptedAt())
        && !accepted.updatedAt().isBefore(known.updatedAt());
  }

  /** Folds the next report about a piece of work. */
  public void apply(WorkProgress progress) {
    locked(
        () -> {
          WorkEntry entry = work.get(new WorkName(progress.repository(), progress.work()));
          if (entry != null && !isSame(entry.progress, progress)) {
            entry.progress = progress;
            entry.wantedBy.stream().limit(MAX_TOLD).forEach(r -> progressed(r, progress));
          }
          return null;
        });
  }

  private static boolean isSame(@Nullable WorkProgress known, WorkProgress now) {
    return known != null
        && known.doneBytes() == now.doneBytes()
        && known.totalBytes() == now.totalBytes();
  }

  private void progressed(RequestEntry request, WorkProgress progress) {
    if (!live || request.status.state().isFinal()) {
      return;
    }
    Instant now = clock.instant();
    boolean complete = progress.totalBytes() > 0 && progress.doneBytes() >= progress.totalBytes();
    if (complete || now.isAfter(request.lastProgress.plus(PROGRESS_INTERVAL))) {
      request.lastProgress = now;
      listener.progressed(view(request));
    }
  }

  /** The request with this id. */
  public Optional<RequestView> find(RequestId id) {
    return locked(() -> Optional.ofNullable(byId.get(id)).map(this::view));
  }

  /** The first request whose id starts with this text. */
  public Optional<RequestView> findByPrefix(String prefix) {
    return locked(
        () ->
            Optional.ofNullable(byId.ceilingEntry(new RequestId(prefix)))
                .filter(e -> e.getKey().value().startsWith(prefix))
                .map(e -> view(e.getValue())));
  }

  /**
   * Requests that match, newest first, older than {@code after}. Looks at a bounded number of
   * requests: a page may hold fewer than {@code limit}, and even none, and have a next one.
   *
   * @param limit 1 or more
   */
  public RequestPage page(RequestFilter filter, Optional<Position> after, int limit) {
    return locked(
        () -> {
          NavigableMap<Position, RequestEntry> older =
              after.map(p -> byAge.headMap(p, false)).orElse(byAge).descendingMap();
          List<RequestView> items = new ArrayList<>();
          Optional<Position> last = Optional.empty();
          int seen = 0;
          for (RequestEntry entry : older.values()) {
            boolean isWanted = filter.matches(entry.status);
            if (seen++ == MAX_SEEN || (isWanted && items.size() == limit)) {
              return new RequestPage(items, last);
            }
            last = Optional.of(entry.position());
            if (isWanted) {
              items.add(view(entry));
            }
          }
          return new RequestPage(items, Optional.empty());
        });
  }

  /** Unfinished requests. */
  public int unfinished() {
    return locked(() -> byId.size() - finalByAge.size());
  }

  /** Requests held. */
  public int size() {
    return locked(byId::size);
  }

  /** Requests that had to be dropped for room since the start. */
  public long forgotten() {
    return locked(() -> forgotten);
  }

  /** What the held requests say of a layer, named by its compressed digest. */
  public LayerState layerState(Digest layer) {
    return locked(
        () -> {
          Set<RequestEntry> wanted = byLayer.getOrDefault(layer.hex(), Set.of());
          LayerState state = LayerState.UNKNOWN;
          for (RequestEntry entry : wanted) {
            if (entry.status.state() == RequestStatus.State.DONE) {
              return LayerState.DONE;
            }
            if (!entry.status.state().isFinal()) {
              state = LayerState.PUBLISHING;
            }
          }
          return state;
        });
  }

  private void insert(RequestEntry entry) {
    place(entry);
    refer(entry);
    tell(entry);
    while (byId.size() > maxRequests) {
      RequestEntry oldest = (finalByAge.isEmpty() ? byAge : finalByAge).firstEntry().getValue();
      displace(oldest);
      release(oldest, workOf(oldest.status), layersOf(oldest.status));
      forgotten++;
    }
  }

  private void replace(RequestEntry entry, RequestStatus status) {
    Set<WorkName> oldWork = workOf(entry.status);
    Set<String> oldLayers = layersOf(entry.status);
    displace(entry);
    entry.status = status;
    place(entry);
    // The new references first, so that progress of work in both is kept.
    refer(entry);
    oldWork.removeAll(workOf(status));
    oldLayers.removeAll(layersOf(status));
    release(entry, oldWork, oldLayers);
    tell(entry);
  }

  private void place(RequestEntry entry) {
    byId.put(entry.status.request(), entry);
    byAge.put(entry.position(), entry);
    if (entry.status.state().isFinal()) {
      finalByAge.put(entry.position(), entry);
    }
  }

  private void displace(RequestEntry entry) {
    byId.remove(entry.status.request());
    byAge.remove(entry.position());
    finalByAge.remove(entry.position());
  }

  private void refer(RequestEntry entry) {
    for (WorkName name : workOf(entry.status)) {
      work.computeIfAbsent(name, n -> new WorkEntry()).wantedBy.add(entry);
    }
    for (String hex : layersOf(entry.status)) {
      byLayer.computeIfAbsent(hex, h -> new LinkedHashSet<>()).add(entry);
    }
  }

  private void release(RequestEntry entry, Set<WorkName> names, Set<String> layers) {
    for (WorkName name : names) {
      WorkEntry piece = work.get(name);
      if (piece != null && piece.wantedBy.remove(entry) && piece.wantedBy.isEmpty()) {
        work.remove(name);
      }
    }
    for (String hex : layers) {
      Set<RequestEntry> wanted = byLayer.get(hex);
      if (wanted != null && wanted.remove(entry) && wanted.isEmpty()) {
        byLayer.remove(hex);
      }
    }
  }

  private void tell(RequestEntry entry) {
    if (live) {
      listener.changed(view(entry));
    }
  }

  private static Set<WorkName> workOf(RequestStatus status) {
    Set<WorkName> names = new LinkedHashSet<>();
    status.work().forEach(key -> names.add(new WorkName(status.repository(), key)));
    return names;
  }

  private static Set<String> layersOf(RequestStatus status) {
    Set<String> layers = new HashSet<>();
    for (WorkKey key : status.work()) {
      if (key.kind() == WorkKey.Kind.LAYER) {
        layers.add(key.id());
      }
    }
    if (status.kind() == RequestStatus.Kind.DIFF_COMMIT) {
      layers.add(status.subject().replace("sha256:", ""));
    }
    return layers;
  }

  private RequestView view(RequestEntry entry) {
    RequestStatus status = entry.status;
    boolean done = status.state() == RequestStatus.State.DONE;
    List<RequestView.Work> pieces = new ArrayList<>(status.work().size());
    int layers = 0;
    int layersDone = 0;
    long doneBytes = 0;
    long totalBytes = 0;
    for (WorkKey key : status.work()) {
      WorkEntry piece = work.get(new WorkName(status.repository(), key));
      WorkProgress progress = piece == null ? null : piece.progress;
      long total = progress == null ? 0 : progress.totalBytes();
      long reached = progress == null ? 0 : done ? total : progress.doneBytes();
      pieces.add(new RequestView.Work(key, reached, total));
      doneBytes += reached;
      totalBytes += total;
      if (key.kind() == WorkKey.Kind.LAYER) {
        layers++;
        layersDone += done || (total > 0 && reached >= total) ? 1 : 0;
      }
    }
    return new RequestView(
        status, new RequestView.Progress(layersDone, layers, doneBytes, totalBytes), pieces);
  }

  private <T extends @Nullable Object> T locked(Supplier<T> step) {
    lock.lock();
    try {
      return step.get();
    } finally {
      lock.unlock();
    }
  }
}
