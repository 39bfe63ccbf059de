package io.lamina.publisher;

import static io.lamina.publisher.TestEvents.FIGURES;
import static io.lamina.publisher.TestEvents.REPOSITORY;
import static io.lamina.publisher.TestEvents.digest;
import static io.lamina.publisher.TestEvents.graft;
import static io.lamina.publisher.TestEvents.layer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import io.lamina.repository.RepositoryLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class NeededTreesTest {
  private static final RequestId A = new RequestId("a");
  private static final RequestId B = new RequestId("b");
  private static final WorkKey X = NeededTrees.layer(digest("x"));
  private static final WorkKey FLAT = NeededTrees.flat(digest("image"));

  private final NeededTrees trees = new NeededTrees();

  @Test
  void holdsWhatIsMadeUntilItIsCommitted() {
    trees.need(List.of(X, FLAT), A);
    assertThat(trees.isAvailable(X)).isFalse();

    trees.hold(converted("x"));
    trees.hold(merged("image"));

    assertThat(trees.isHeld(X)).isTrue();
    assertThat(trees.isShown(X)).isFalse();
    assertThat(trees.diffId(X)).contains(layer("x").diffId());
    assertThat(trees.changes(List.of(X, FLAT)))
        .extracting(change -> change.path().toString())
        .containsExactly(
            RepositoryLayout.layer(digest("x").hex()).toString(),
            RepositoryLayout.layerDiffId(digest("x").hex()).toString(),
            RepositoryLayout.flat(digest("image").hex()).toString());
    trees.committed(List.of(X, FLAT));
    assertThat(trees.isShown(X)).isTrue();
    assertThat(trees.diffId(X)).contains(layer("x").diffId());
    assertThat(trees.changes(List.of(X, FLAT))).isEmpty();
  }

  @Test
  void writesANoteOnceAndDeletesItOnce() {
    trees.need(List.of(X), A);
    Event.LayerConverted x = converted("x");
    trees.hold(x);

    assertThat(trees.takeNotes())
        .containsExactly(
            Map.entry("layer/" + digest("x").hex(), Optional.of(new Event.PendingLayer(x))));
    assertThat(trees.takeNotes()).isEmpty();
    trees.committed(List.of(X));
    assertThat(trees.takeNotes())
        .containsExactly(Map.entry("layer/" + digest("x").hex(), Optional.empty()));
    trees.release(List.of(X), A);
    assertThat(trees.takeNotes()).isEmpty();
  }

  @Test
  void writesNoNoteOfWhatIsCommittedAtOnce() {
    trees.need(List.of(FLAT), A);
    trees.hold(merged("image"));
    trees.committed(List.of(FLAT));

    assertThat(trees.takeNotes()).isEmpty();
  }

  @Test
  void forgetsWhatNobodyNeedsButNotBeforeTheBatchEnds() {
    trees.need(List.of(X), A);
    trees.hold(converted("x"));
    trees.takeNotes();

    trees.release(List.of(X), A);
    trees.need(List.of(X), B);
    assertThat(trees.takeNotes()).isEmpty();
    assertThat(trees.isHeld(X)).isTrue();
    assertThat(trees.neededBy(X)).containsExactly(B);
    trees.release(List.of(X), B);
    assertThat(trees.isNeeded(X)).isFalse();
    assertThat(trees.takeNotes()).containsOnlyKeys("layer/" + digest("x").hex());

    assertThat(trees.isAvailable(X)).isFalse();
    assertThat(trees.countWith(List.of())).isZero();
  }

  @Test
  void takesNotesOverAndDeletesThoseThatNobodyNeeds() {
    trees.restore(new Event.PendingLayer(converted("x")));
    trees.restore(new Event.PendingFlat(merged("image")));
    trees.need(List.of(X), A);

    assertThat(trees.takeNotes()).containsOnlyKeys("flat/" + digest("image").hex());
    assertThat(trees.isHeld(X)).isTrue();
    assertThat(trees.isAvailable(FLAT)).isFalse();
  }

  @Test
  void deletesTheNoteOfWhatTheRepositoryTurnsOutToShow() {
    trees.restore(new Event.PendingLayer(converted("x")));
    trees.need(List.of(X), A);
    trees.found(X, Optional.of(layer("x").diffId()));

    assertThat(trees.takeNotes())
        .containsExactly(Map.entry("layer/" + digest("x").hex(), Optional.empty()));
    assertThat(trees.isShown(X)).isTrue();
  }

  @Test
  void looksAPublishedGraftUpOnce() {
    Graft published = graft(RepositoryLayout.layer(digest("x").hex()));
    trees.need(List.of(X), A);
    assertThatThrownBy(() -> trees.graft(X, () -> published))
        .isInstanceOf(IllegalStateException.class);
    trees.found(X, Optional.of(layer("x").diffId()));

    assertThat(trees.graft(X, () -> published)).isSameAs(published);
    assertThat(
            trees.graft(
                X,
                () -> {
                  throw new AssertionError("looked up again");
                }))
        .isSameAs(published);
  }

  @Test
  void givesTheGraftOfWhatIsHeldWithoutTheRepository() {
    Event.LayerConverted x = converted("x");
    trees.need(List.of(X), A);
    trees.hold(x);

    assertThat(
            trees.graft(
                X,
                () -> {
                  throw new AssertionError("not in the repository");
                }))
        .isSameAs(x.graft());
  }

  @Test
  void countsEachTreeOnce() {
    trees.need(List.of(X, FLAT), A);
    trees.need(List.of(X), B);

    assertThat(trees.countWith(List.of(X, NeededTrees.layer(digest("y"))))).isEqualTo(3);
    assertThat(trees.changes(List.of(X))).isEqualTo(List.<CatalogChange>of());
  }

  private static Event.LayerConverted converted(String name) {
    return new Event.LayerConverted(
        REPOSITORY, layer(name), graft(RepositoryLayout.layer(digest(name).hex())), FIGURES);
  }

  private static Event.FlatMerged merged(String name) {
    return new Event.FlatMerged(
        REPOSITORY, digest(name), graft(RepositoryLayout.flat(digest(name).hex())), FIGURES);
  }
}
