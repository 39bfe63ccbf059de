package io.lamina.publisher;

import static io.lamina.publisher.TestEvents.REPOSITORY;
import static io.lamina.publisher.TestEvents.answer;
import static io.lamina.publisher.TestEvents.digest;
import static io.lamina.publisher.TestEvents.plan;
import static io.lamina.publisher.TestEvents.platform;
import static io.lamina.publisher.TestEvents.upload;
import static io.lamina.publisher.TestEvents.withThin;
import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.PendingWork;
import io.lamina.messaging.event.WorkKey;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WorkOrdersTest {
  private static final WorkKey X = NeededTrees.layer(digest("x"));
  private static final WorkKey FLAT = NeededTrees.flat(digest("config of a"));

  private final FakeRepository repository = new FakeRepository();
  private final NeededTrees trees = new NeededTrees();
  private final WorkOrders orders = new WorkOrders(REPOSITORY, true, trees, new Turns(8, 2));

  @Test
  void asksOnceUntilThereIsAnAnswer() {
    Unfinished first = new Unfinished.Upload(upload("d", "x"));
    Unfinished second = image("a", "x");

    assertThat(ask(first)).hasSize(1).first().isInstanceOf(Event.LayerRequested.class);
    assertThat(ask(second)).isEmpty();
    assertThat(orders.isUnderWay(X)).isTrue();
    assertThat(orders.answered(X)).get().isInstanceOf(Event.LayerRequested.class);
    assertThat(orders.answered(X)).isEmpty();

    assertThat(ask(second)).hasSize(1);
  }

  @Test
  void writesANoteOfEachOrderAndDeletesItWithTheAnswer() {
    Event.Work order = ask(image("a", "x")).getFirst();

    assertThat(orders.takeNotes())
        .containsExactly(Map.entry("work/" + X, Optional.of(new PendingWork(order))));
    orders.answered(X);
    assertThat(orders.takeNotes()).containsExactly(Map.entry("work/" + X, Optional.empty()));
    assertThat(orders.takeNotes()).isEmpty();
    assertThat(orders.isEmpty()).isTrue();
  }

  @Test
  void doesNotAskForWhatAPredecessorAskedFor() {
    WorkOrders successor = new WorkOrders(REPOSITORY, true, trees, new Turns(8, 2));
    successor.restore(new PendingWork(ask(image("a", "x")).getFirst()));

    successor.askFor(List.of(image("a", "x")), repository);

    assertThat(successor.takeNew()).isEmpty();
    assertThat(successor.isEmpty()).isFalse();
  }

  @Test
  void asksForAMergedTreeOnceItsOwnLayersAreThere() {
    Unfinished.Image image =
        new Unfinished.Image(
            plan(
                "a",
                "r.example/a:1",
                platform("linux/amd64", "a", "x"),
                platform("linux/arm64", "b", "y")),
            Optional.empty());
    List<Event.Work> layers = ask(image);
    assertThat(layers).hasSize(2).allMatch(Event.LayerRequested.class::isInstance);
    trees.need(image.trees(true), image.id());
    trees.hold((Event.LayerConverted) answer(layers.getFirst()));

    List<Event.Work> flats = ask(image);

    assertThat(flats).extracting(Event.Work::work).containsExactly(FLAT);
  }

  @Test
  void asksForNoMergedTreeWhereTheRepositoryHasNone() {
    WorkOrders layersOnly = new WorkOrders(REPOSITORY, false, trees, new Turns(8, 2));
    Unfinished.Image image = image("a", "x");
    trees.need(image.trees(false), image.id());
    trees.found(X, Optional.empty());

    layersOnly.askFor(List.of(image), repository);

    assertThat(layersOnly.takeNew()).isEmpty();
  }

  @Test
  void asksForTheThinImageOnlyOnceTheImageIsShown() {
    Event.ImagePlanned plan =
        withThin(plan("a", "r.example/a:1", platform("linux/amd64", "a", "x")), "docker://t/a:1");

    assertThat(ask(new Unfinished.Image(plan, Optional.empty())))
        .allMatch(Event.LayerRequested.class::isInstance);
    assertThat(ask(new Unfinished.Image(plan, Optional.of(3L))))
        .hasSize(1)
        .first()
        .isInstanceOf(Event.ThinRequested.class);
  }

  private List<Event.Work> ask(Unfinished request) {
    orders.askFor(List.of(request), repository);
    return orders.takeNew();
  }

  private static Unfinished.Image image(String name, String... layers) {
    return new Unfinished.Image(
        plan(name, "r.example/" + name + ":1", platform("linux/amd64", name, layers)),
        Optional.empty());
  }
}
