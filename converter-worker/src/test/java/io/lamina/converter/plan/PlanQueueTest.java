package io.lamina.converter.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.messaging.event.Precedence;
import io.lamina.messaging.event.Precedence.Priority;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlanQueueTest {
  private final PlanQueue<String> queue = new PlanQueue<>();

  private static Precedence bulk(String tenant) {
    return new Precedence(Priority.BULK, tenant);
  }

  private List<String> all() {
    List<String> all = new ArrayList<>();
    for (String next = queue.poll(); next != null; next = queue.poll()) {
      all.add(next);
    }
    return all;
  }

  @Test
  void givesTheMoreUrgentFirstAndTenantsInTurn() {
    queue.add(bulk("a"), "a1");
    queue.add(bulk("a"), "a2");
    queue.add(bulk("a"), "a3");
    queue.add(bulk("b"), "b1");
    queue.add(new Precedence(Priority.INTERACTIVE, "a"), "now");

    assertThat(queue.size()).isEqualTo(5);
    assertThat(all()).containsExactly("now", "a1", "b1", "a2", "a3");
    assertThat(queue.size()).isZero();
  }

  @Test
  void givesWhatWasPutBackBeforeAllOthersOfItsPriority() {
    queue.add(bulk("a"), "a1");
    queue.add(bulk("b"), "b1");
    assertThat(queue.poll()).isEqualTo("a1");

    queue.putBack(bulk("a"), "a1");

    assertThat(all()).containsExactly("a1", "b1");
  }
}
