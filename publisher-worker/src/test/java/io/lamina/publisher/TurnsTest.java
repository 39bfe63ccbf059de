package io.lamina.publisher;

import static io.lamina.publisher.TestEvents.NOW;
import static io.lamina.publisher.TestEvents.REPOSITORY;
import static io.lamina.publisher.TestEvents.answer;
import static io.lamina.publisher.TestEvents.digest;
import static io.lamina.publisher.TestEvents.failure;
import static io.lamina.publisher.TestEvents.of;
import static io.lamina.publisher.TestEvents.plan;
import static io.lamina.publisher.TestEvents.platform;
import static io.lamina.publisher.TestEvents.upload;
import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Precedence.Priority;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Whose work goes to the converters when there is more of it than they can do. */
class TurnsTest {
  private static final int INTERACTIVE = 6;
  private static final int BULK = 4;

  private final FakeRepository repository = new FakeRepository();
  private final RepositoryCoordinator coordinator =
      new RepositoryCoordinator(
          REPOSITORY,
          new CoordinatorSettings(true, 20_000, 100_000, INTERACTIVE, BULK),
          TestEvents.THIN);

  /** What the converters were asked for and have not answered, in order. */
  private final Deque<Event.Work> queue = new ArrayDeque<>();

  private final Map<String, String> tenantOfLayer = new HashMap<>();

  private void batch(Event... events) {
    for (Event event : events) {
      coordinator.accept(event, repository, NOW);
    }
    Map<String, Step.Result> results = repository.commit(coordinator.steps(repository));
    queue.addAll(
        coordinator.settle(results, repository, repository.revision(), Map.of(), NOW).work());
  }

  private void mirror(String tenant, int images, Priority priority) {
    List<Event> plans = new ArrayList<>();
    for (int i = 0; i < images; i++) {
      String name = tenant + i;
      tenantOfLayer.put(digest(name + "x").hex(), tenant);
      tenantOfLayer.put(digest(name + "y").hex(), tenant);
      plans.add(
          of(
              plan(
                  name, "r.example/" + name, platform("linux/amd64", name, name + "x", name + "y")),
              priority,
              tenant));
    }
    batch(plans.toArray(Event[]::new));
  }

  private String tenant(Event.Work work) {
    return tenantOfLayer.getOrDefault(work.work().id(), "?");
  }

  @Test
  void asksForNoMoreBulkWorkThanTheWindowHolds() {
    mirror("m", 500, Priority.BULK);

    assertThat(queue).hasSize(BULK);
    for (int i = 0; i < 50; i++) {
      batch(answer(queue.remove()));
      assertThat(queue).hasSize(BULK);
    }
  }

  @Test
  void letsACommitGoBeforeAMirrorOfThousands() {
    mirror("m", 1_000, Priority.BULK);

    batch(upload("d", "mine"));

    assertThat(queue).hasSize(BULK + 1);
    assertThat(queue.getLast().work().id()).isEqualTo(digest("mine").hex());
  }

  @Test
  void sharesEvenlyBetweenTenantsWhoeverCameFirstAndAsksForMore() {
    mirror("first", 400, Priority.BULK);
    mirror("second", 40, Priority.BULK);
    Map<String, Integer> answered = new HashMap<>();

    for (int i = 0; i < 60 + BULK; i++) {
      Event.Work next = queue.remove();
      if (i >= BULK && next instanceof Event.LayerRequested) {
        answered.merge(tenant(next), 1, Integer::sum);
      }
      batch(failure(next, "so that no merges follow"));
    }

    assertThat(answered.get("first")).isBetween(28, 32);
    assertThat(answered.get("second")).isBetween(28, 32);
  }

  @Test
  void doesNotLetATenantWithLongWorkTakeTheWholeWindow() {
    mirror("slow", 10, Priority.INTERACTIVE);
    mirror("quick", 10, Priority.INTERACTIVE);
    List<Event.Work> unanswered = new ArrayList<>();

    for (int i = 0; i < 15; i++) {
      Event.Work next = queue.remove();
      if (tenant(next).equals("slow")) {
        unanswered.add(next);
        continue;
      }
      batch(failure(next, "x"));
    }

    assertThat(queue.stream().filter(work -> tenant(work).equals("quick"))).hasSizeGreaterThan(0);
    assertThat(unanswered).hasSizeLessThanOrEqualTo(INTERACTIVE);
  }

  @Test
  void finishesEverythingInTheEnd() {
    mirror("a", 30, Priority.BULK);
    mirror("b", 30, Priority.INTERACTIVE);

    for (int round = 0; !queue.isEmpty() && round < 1_000; round++) {
      batch(answer(queue.remove()));
    }

    assertThat(coordinator.isIdle()).isTrue();
  }

  @Test
  void countsWorkThatBothWantForTheMoreUrgent() {
    batch(
        of(
            plan("b", "r.example/b", platform("linux/amd64", "b", "1", "2", "3", "4")),
            Priority.BULK,
            "m"),
        of(
            plan("i", "r.example/i", platform("linux/amd64", "i", "1", "2", "3", "4")),
            Priority.INTERACTIVE,
            "n"));
    mirror("m", 10, Priority.BULK);

    assertThat(queue).hasSize(4 + BULK);
  }
}
