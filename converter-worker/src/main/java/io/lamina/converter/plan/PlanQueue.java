package io.lamina.converter.plan;

import io.lamina.messaging.event.Precedence;
import io.lamina.messaging.event.Precedence.Priority;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What waits to be planned: the more urgent first, and tenants in turn. Not thread-safe.
 *
 * <p>Rules: docs/protocol/topics.md, "Whose turn it is".
 */
final class PlanQueue<T> {
  private final Map<Priority, LinkedHashMap<String, Deque<T>>> lines =
      new EnumMap<>(Priority.class);
  private int size;

  void add(Precedence precedence, T item) {
    lines
        .computeIfAbsent(precedence.priority(), _ -> new LinkedHashMap<>())
        .computeIfAbsent(precedence.tenant(), _ -> new ArrayDeque<>())
        .add(item);
    size++;
  }

  /** The same again, before all others of its tenant. */
  void putBack(Precedence precedence, T item) {
    LinkedHashMap<String, Deque<T>> tenants =
        lines.computeIfAbsent(precedence.priority(), _ -> new LinkedHashMap<>());
    Deque<T> line = tenants.computeIfAbsent(precedence.tenant(), _ -> new ArrayDeque<>());
    line.addFirst(item);
    tenants.putFirst(precedence.tenant(), line);
    size++;
  }

  /** Takes whose turn it is; null if nothing waits. */
  @Nullable T poll() {
    for (LinkedHashMap<String, Deque<T>> tenants : lines.values()) {
      Map.Entry<String, Deque<T>> first = tenants.pollFirstEntry();
      if (first != null) {
        T item = first.getValue().remove();
        if (!first.getValue().isEmpty()) {
          tenants.putLast(first.getKey(), first.getValue());
        }
        size--;
        return item;
      }
    }
    return null;
  }

  int size() {
    return size;
  }
}
