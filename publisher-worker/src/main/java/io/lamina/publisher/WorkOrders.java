package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.messaging.event.Event.FlatRequested;
import io.lamina.messaging.event.Event.LayerRequested;
import io.lamina.messaging.event.Event.Pending;
import io.lamina.messaging.event.Event.PendingWork;
import io.lamina.messaging.event.Event.ThinRequested;
import io.lamina.messaging.event.Event.Work;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.Precedence;
import io.lamina.messaging.event.WorkKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What the converters were asked for and have not answered yet: nothing is asked for twice.
 *
 * <p>Rules: docs/protocol/transactions.md, "Requests". Owned by its coordinator.
 */
final class WorkOrders {
  /** Who asked for what is in the queue already is not known: bulk makes room for it. */
  private static final Precedence INHERITED = new Precedence(Precedence.Priority.BULK, "");

  private final RepositoryName repository;
  private final boolean flat;
  private final NeededTrees trees;
  private final Turns turns;
  private final Map<WorkKey, Work> underWay = new HashMap<>();
  private final List<Work> fresh = new ArrayList<>();
  private final Map<String, Optional<Pending>> notes = new LinkedHashMap<>();

  /**
   * @param flat whether images get merged trees
   * @param trees tells what need not be asked for; the coordinator keeps it up to date
   * @param turns decides what is asked for when
   */
  WorkOrders(RepositoryName repository, boolean flat, NeededTrees trees, Turns turns) {
    this.turns = turns;
    this.repository = repository;
    this.flat = flat;
    this.trees = trees;
  }

  /** Takes a note over from a predecessor. */
  void restore(PendingWork note) {
    underWay.put(note.asked().work(), note.asked());
    turns.began(note.asked().work(), INHERITED);
  }

  /** An order that had failed is in the queue again. */
  void askedAgain(Work order) {
    if (!underWay.containsKey(order.work())) {
      underWay.put(order.work(), order);
      turns.began(order.work(), INHERITED);
      PendingWork note = new PendingWork(order);
      notes.put(note.noteKey(), Optional.of(note));
    }
  }

  boolean isEmpty() {
    return underWay.isEmpty();
  }

  /** Everything that is under way. */
  Iterable<Work> all() {
    return underWay.values();
  }

  boolean isUnderWay(WorkKey key) {
    return underWay.containsKey(key);
  }

  /** There is a result; gives the order that led to it, if this was asked for. */
  Optional<Work> answered(WorkKey key) {
    Work order = underWay.remove(key);
    if (order != null) {
      turns.ended(key);
      notes.put(new PendingWork(order).noteKey(), Optional.empty());
    }
    return Optional.ofNullable(order);
  }

  /** Orders since this was last asked. */
  List<Work> takeNew() {
    List<Work> taken = List.copyOf(fresh);
    fresh.clear();
    return taken;
  }

  /** How the notes on the topic are to change: by key the note to keep, or empty to delete it. */
  Map<String, Optional<Pending>> takeNotes() {
    Map<String, Optional<Pending>> taken = new LinkedHashMap<>(notes);
    notes.clear();
    return taken;
  }

  /** Asks for what the requests need next and nobody was asked for yet, in their turns. */
  void askFor(Iterable<Unfinished> requests, PublishedContents contents) {
    turns.serve(requests, request -> wishes(request, contents));
  }

  private List<Turns.Wish> wishes(Unfinished request, PublishedContents contents) {
    List<Turns.Wish> wishes = new ArrayList<>();
    switch (request) {
      case Unfinished.Upload upload -> wishForLayers(upload, wishes);
      case Unfinished.Removal _, Unfinished.Collection _ -> {}
      case Unfinished.Image image when image.revision().isPresent() ->
          wish(image.thinWork(), () -> thin(image), wishes);
      case Unfinished.Image image -> {
        wishForLayers(image, wishes);
        if (flat) {
          image
              .plan
              .platforms()
              .forEach(platform -> wishForFlat(image, platform, contents, wishes));
        }
      }
    }
    return wishes;
  }

  private void wishForLayers(Unfinished request, List<Turns.Wish> wishes) {
    for (LayerDescriptor layer : request.layers()) {
      WorkKey key = NeededTrees.layer(layer.blob().digest());
      if (!trees.isAvailable(key)) {
        wish(
            key,
            () ->
                new LayerRequested(repository, layer, request.source(), request.timestampSeconds()),
            wishes);
      }
    }
  }

  private void wishForFlat(
      Unfinished.Image image,
      PlannedPlatform platform,
      PublishedContents contents,
      List<Turns.Wish> wishes) {
    WorkKey key = NeededTrees.flat(platform.imageId());
    List<WorkKey> layers =
        platform.layers().stream().map(l -> NeededTrees.layer(l.blob().digest())).toList();
    if (trees.isAvailable(key) || !layers.stream().allMatch(trees::isAvailable)) {
      return;
    }
    wish(
        key,
        () ->
            new FlatRequested(
                repository,
                platform.imageId(),
                layers.stream().map(layer -> graftOf(layer, contents)).toList(),
                platform.config(),
                image.timestampSeconds()),
        wishes);
  }

  private Graft graftOf(WorkKey layer, PublishedContents contents) {
    return trees.graft(
        layer,
        () ->
            contents
                .layerGraft(new Digest(layer.id()))
                .orElseThrow(
                    () ->
                        new IllegalStateException(
                            repository + " showed " + layer + " and shows it no more")));
  }

  private ThinRequested thin(Unfinished.Image image) {
    PlannedPlatform platform = image.plan.platforms().getFirst();
    return new ThinRequested(
        repository,
        image.id(),
        image.plan.image(),
        image.plan.thinTarget().orElseThrow(),
        platform.config(),
        platform.layers().stream().map(layer -> layer.blob().digest()).toList());
  }

  private void wish(WorkKey key, Supplier<Work> order, List<Turns.Wish> wishes) {
    if (!underWay.containsKey(key)) {
      wishes.add(new Turns.Wish(key, () -> ask(key, order.get())));
    }
  }

  private void ask(WorkKey key, Work made) {
    underWay.put(key, made);
    fresh.add(made);
    PendingWork note = new PendingWork(made);
    notes.put(note.noteKey(), Optional.of(note));
  }
}
