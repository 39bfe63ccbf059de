package io.lamina.publisher;

import io.lamina.messaging.event.Precedence;
import io.lamina.messaging.event.Precedence.Priority;
import io.lamina.messaging.event.WorkKey;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Whose work is asked for next. The converters' queue is first come, first served, so only so much
 * of each priority is in it at once; the rest waits here, and whenever something is answered the
 * tenant with the least in the queue is next. A tenant that has next to nothing there goes beyond
 * the window, so that nobody waits for the end of others' long work.
 *
 * <p>Rules: docs/protocol/topics.md, "Whose turn it is". Owned by its coordinator.
 */
final class Turns {
  /** Asks for one piece of work. */
  record Wish(WorkKey key, Runnable ask) {}

  /** A tenant with less than this part of a window goes beyond it: long work of others fills it. */
  private static final int SHARES = 8;

  /** How many windows' worth there may be in the end, however many tenants there are. */
  private static final int MAX_OVERDRAFT = 2;

  private final Map<Priority, Integer> windows = new EnumMap<>(Priority.class);
  private final Map<WorkKey, Precedence> asked = new HashMap<>();
  private final Map<Precedence, Integer> inQueue = new HashMap<>();
  private final Map<Priority, String> lastServed = new EnumMap<>(Priority.class);

  /**
   * @param interactive pieces of work that may be in the queue at once for requests of this
   *     priority
   * @param bulk the same for the other priority
   */
  Turns(int interactive, int bulk) {
    windows.put(Priority.INTERACTIVE, interactive);
    windows.put(Priority.BULK, bulk);
  }

  /** It is in the queue from now on. */
  void began(WorkKey key, Precedence precedence) {
    if (asked.putIfAbsent(key, precedence) == null) {
      inQueue.merge(precedence, 1, Integer::sum);
    }
  }

  /** It is answered. */
  void ended(WorkKey key) {
    Precedence precedence = asked.remove(key);
    if (precedence != null) {
      inQueue.computeIfPresent(precedence, (_, count) -> count == 1 ? null : count - 1);
    }
  }

  private int inQueue(Priority priority) {
    return inQueue.entrySet().stream()
        .filter(entry -> entry.getKey().priority() == priority)
        .mapToInt(Map.Entry::getValue)
        .sum();
  }

  /**
   * Asks for as much as the windows allow.
   *
   * @param requests in the order of their arrival
   * @param wishes what a request could ask for now and nobody asked for yet
   */
  void serve(Iterable<Unfinished> requests, Function<Unfinished, List<Wish>> wishes) {
    Map<Priority, TreeMap<String, Line>> lines = new EnumMap<>(Priority.class);
    for (Unfinished request : requests) {
      Precedence precedence = request.precedence();
      lines
          .computeIfAbsent(precedence.priority(), _ -> new TreeMap<>())
          .computeIfAbsent(precedence.tenant(), _ -> new Line())
          .requests
          .add(request);
    }
    // In the order of the priorities: what two ask for counts for the more urgent.
    lines.forEach((priority, tenants) -> serve(priority, tenants, wishes));
  }

  private void serve(
      Priority priority, TreeMap<String, Line> tenants, Function<Unfinished, List<Wish>> wishes) {
    int window = windows.getOrDefault(priority, 0);
    int share = Math.max(1, window / SHARES);
    int count = inQueue(priority);
    while (count < MAX_OVERDRAFT * window && !tenants.isEmpty()) {
      Map.Entry<String, Line> turn = next(priority, tenants);
      String tenant = turn.getKey();
      if (count >= window && inQueue.getOrDefault(new Precedence(priority, tenant), 0) >= share) {
        return; // the others have even more
      }
      Wish wish = turn.getValue().next(wishes);
      if (wish == null) {
        tenants.remove(tenant);
        continue;
      }
      if (!asked.containsKey(wish.key())) {
        wish.ask().run();
        began(wish.key(), new Precedence(priority, tenant));
        lastServed.put(priority, tenant);
        count++;
      }
    }
  }

  /** The tenant with the least in the queue; among equals they take turns by name. */
  private Map.Entry<String, Line> next(Priority priority, TreeMap<String, Line> tenants) {
    String last = lastServed.getOrDefault(priority, "");
    Map.Entry<String, Line> best = null;
    int least = Integer.MAX_VALUE;
    for (Map<String, Line> part :
        List.of(tenants.tailMap(last, false), tenants.headMap(last, true))) {
      for (Map.Entry<String, Line> tenant : part.entrySet()) {
        int count = inQueue.getOrDefault(new Precedence(priority, tenant.getKey()), 0);
        if (count < least) {
          least = count;
          best = tenant;
        }
      }
    }
    return Objects.requireNonNull(best);
  }

  /** One tenant's requests of one priority, and what is left of the first one's wishes. */
  private static final class Line {
    final Deque<Unfinished> requests = new ArrayDeque<>();
    Iterator<Wish> wishes = List.<Wish>of().iterator();

    @org.jspecify.annotations.Nullable
    Wish next(Function<Unfinished, List<Wish>> all) {
      while (!wishes.hasNext()) {
        Unfinished request = requests.poll();
        if (request == null) {
          return null;
        }
        wishes = all.apply(request).iterator();
      }
      return wishes.next();
    }
  }
}
