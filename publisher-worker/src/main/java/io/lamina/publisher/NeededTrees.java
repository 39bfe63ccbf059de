package io.lamina.publisher;

import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.Digest;
import io.lamina.messaging.event.Event.FlatMerged;
import io.lamina.messaging.event.Event.LayerConverted;
import io.lamina.messaging.event.Event.Pending;
import io.lamina.messaging.event.Event.PendingFlat;
import io.lamina.messaging.event.Event.PendingLayer;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import io.lamina.repository.RepositoryLayout;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The layers and merged trees that unfinished requests need: who needs each, and whether the
 * repository shows it, or it is made and held back until something that needs it is complete. What
 * nobody needs is forgotten, so there are never more than the requests name.
 *
 * <p>Rules: docs/protocol/transactions.md, "Requests". Owned by its coordinator.
 */
final class NeededTrees {
  private sealed interface State {}

  private record Missing() implements State {}

  private record HeldLayer(LayerConverted converted) implements State {}

  private record HeldFlat(FlatMerged merged) implements State {}

  /** The graft is looked up when a merge needs it. */
  private record Shown(Optional<Digest> diffId, Optional<Graft> graft) implements State {}

  private static final class Tree {
    final Set<RequestId> neededBy = new LinkedHashSet<>();
    State state = new Missing();

    /** Under which key its note is on the topic, if there is one. */
    @Nullable String noteKey;

    boolean isMissing() {
      return state instanceof Missing;
    }
  }

  private final Map<WorkKey, Tree> trees = new HashMap<>();

  /** Trees whose note may have to be written or deleted, or that nobody may need any more. */
  private final Set<WorkKey> touched = new LinkedHashSet<>();

  static WorkKey layer(Digest blob) {
    return new WorkKey(WorkKey.Kind.LAYER, blob.hex());
  }

  static WorkKey flat(Digest imageId) {
    return new WorkKey(WorkKey.Kind.FLAT, imageId.hex());
  }

  // ---- who needs what -----------------------------------------------------------------------

  /** How many there would be if these were needed too. */
  long countWith(Collection<WorkKey> others) {
    return trees.size() + others.stream().filter(key -> !trees.containsKey(key)).count();
  }

  void need(Collection<WorkKey> keys, RequestId by) {
    keys.forEach(key -> tree(key).neededBy.add(by));
  }

  /** What nobody needs any more is forgotten with the next {@link #takeNotes}, not before. */
  void release(Collection<WorkKey> keys, RequestId by) {
    for (WorkKey key : keys) {
      Tree tree = trees.get(key);
      if (tree != null && tree.neededBy.remove(by)) {
        touched.add(key);
      }
    }
  }

  boolean isNeeded(WorkKey key) {
    Tree tree = trees.get(key);
    return tree != null && !tree.neededBy.isEmpty();
  }

  /** In the order in which they began to need it. */
  List<RequestId> neededBy(WorkKey key) {
    Tree tree = trees.get(key);
    return tree == null ? List.of() : List.copyOf(tree.neededBy);
  }

  // ---- what is there ------------------------------------------------------------------------

  /** Takes a note over from a predecessor. */
  void restore(PendingLayer note) {
    noted(hold(note.converted()), note);
  }

  /** Takes a note over from a predecessor. */
  void restore(PendingFlat note) {
    noted(hold(note.merged()), note);
  }

  private void noted(WorkKey key, Pending note) {
    tree(key).noteKey = note.noteKey();
  }

  /** The layer is made. If it was made before, that one stays: the requests were told of it. */
  WorkKey hold(LayerConverted converted) {
    return hold(layer(converted.layer().blob().digest()), new HeldLayer(converted));
  }

  /** The merged tree is made. If it was made before, that one stays. */
  WorkKey hold(FlatMerged merged) {
    return hold(flat(merged.imageId()), new HeldFlat(merged));
  }

  private WorkKey hold(WorkKey key, State held) {
    Tree tree = tree(key);
    if (tree.isMissing()) {
      tree.state = held;
      touched.add(key);
    }
    return key;
  }

  /**
   * Somebody saw it in the repository.
   *
   * @param diffId of a layer
   */
  void found(WorkKey key, Optional<Digest> diffId) {
    tree(key).state = new Shown(diffId, Optional.empty());
    touched.add(key);
  }

  /** The held ones among these were committed. */
  void committed(Collection<WorkKey> keys) {
    for (WorkKey key : keys) {
      if (isHeld(key)) {
        Tree tree = tree(key);
        tree.state = new Shown(diffId(key), heldGraft(tree.state));
        touched.add(key);
      }
    }
  }

  /** The grafts of all that is held back. */
  List<Graft> held() {
    return trees.values().stream().flatMap(tree -> heldGraft(tree.state).stream()).toList();
  }

  boolean isShown(WorkKey key) {
    return state(key) instanceof Shown;
  }

  boolean isHeld(WorkKey key) {
    return heldGraft(state(key)).isPresent();
  }

  /** Whether it is shown or held. */
  boolean isAvailable(WorkKey key) {
    return !(state(key) instanceof Missing);
  }

  /** What an available layer unpacks to. */
  Optional<Digest> diffId(WorkKey key) {
    return switch (state(key)) {
      case Missing _, HeldFlat _ -> Optional.empty();
      case HeldLayer(LayerConverted converted) -> Optional.of(converted.layer().diffId());
      case Shown shown -> shown.diffId();
    };
  }

  /**
   * The graft of an available tree.
   *
   * @param published finds it in the repository
   */
  Graft graft(WorkKey key, Supplier<Graft> published) {
    return switch (state(key)) {
      case Missing _ -> throw new IllegalStateException(key + " is not available");
      case HeldLayer(LayerConverted converted) -> converted.graft();
      case HeldFlat(FlatMerged merged) -> merged.graft();
      case Shown(Optional<Digest> diffId, Optional<Graft> known) -> {
        Graft graft = known.orElseGet(published);
        tree(key).state = new Shown(diffId, Optional.of(graft));
        yield graft;
      }
    };
  }

  /** What makes the held ones among these visible. */
  List<CatalogChange> changes(Collection<WorkKey> keys) {
    return keys.stream().flatMap(key -> changes(state(key)).stream()).toList();
  }

  private static List<CatalogChange> changes(State state) {
    return switch (state) {
      case Missing _, Shown _ -> List.of();
      case HeldFlat(FlatMerged merged) -> List.of(new CatalogChange.Attach(merged.graft()));
      case HeldLayer(LayerConverted converted) ->
          List.of(
              new CatalogChange.Attach(converted.graft()),
              new CatalogChange.PutSymlink(
                  RepositoryLayout.layerDiffId(converted.layer().blob().digest().hex()),
                  converted.layer().diffId().toString()));
    };
  }

  // ---- notes --------------------------------------------------------------------------------

  /**
   * Forgets what nobody needs, and tells how the notes on the topic are to change.
   *
   * @return by note key: the note to keep, or empty to delete it
   */
  Map<String, Optional<Pending>> takeNotes() {
    Map<String, Optional<Pending>> changes = new LinkedHashMap<>();
    for (WorkKey key : touched) {
      Tree tree = tree(key);
      if (tree.neededBy.isEmpty()) {
        trees.remove(key);
      }
      Optional<Pending> wanted = tree.neededBy.isEmpty() ? Optional.empty() : note(tree.state);
      if (wanted.isPresent() && tree.noteKey == null) {
        tree.noteKey = wanted.get().noteKey();
        changes.put(tree.noteKey, wanted);
      } else if (wanted.isEmpty() && tree.noteKey != null) {
        changes.put(tree.noteKey, Optional.empty());
        tree.noteKey = null;
      }
    }
    touched.clear();
    return changes;
  }

  private static Optional<Pending> note(State state) {
    return switch (state) {
      case Missing _, Shown _ -> Optional.empty();
      case HeldLayer(LayerConverted converted) -> Optional.of(new PendingLayer(converted));
      case HeldFlat(FlatMerged merged) -> Optional.of(new PendingFlat(merged));
    };
  }

  // ---- small words --------------------------------------------------------------------------

  private static Optional<Graft> heldGraft(State state) {
    return switch (state) {
      case Missing _, Shown _ -> Optional.empty();
      case HeldLayer(LayerConverted converted) -> Optional.of(converted.graft());
      case HeldFlat(FlatMerged merged) -> Optional.of(merged.graft());
    };
  }

  private State state(WorkKey key) {
    Tree tree = trees.get(key);
    return tree == null ? new Missing() : tree.state;
  }

  private Tree tree(WorkKey key) {
    return trees.computeIfAbsent(key, k -> new Tree());
  }
}
