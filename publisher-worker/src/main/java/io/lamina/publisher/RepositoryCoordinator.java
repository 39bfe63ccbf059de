package io.lamina.publisher;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.CancelRequested;
import io.lamina.messaging.event.Event.DiffCommitRequested;
import io.lamina.messaging.event.Event.FlatMerged;
import io.lamina.messaging.event.Event.FlatRequested;
import io.lamina.messaging.event.Event.ImagePlanned;
import io.lamina.messaging.event.Event.LayerConverted;
import io.lamina.messaging.event.Event.LayerRequested;
import io.lamina.messaging.event.Event.Pending;
import io.lamina.messaging.event.Event.PendingRequest;
import io.lamina.messaging.event.Event.PendingWork;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Event.RequestStatus.State;
import io.lamina.messaging.event.Event.ThinPushed;
import io.lamina.messaging.event.Event.ThinRequested;
import io.lamina.messaging.event.Event.Work;
import io.lamina.messaging.event.Event.WorkFailed;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.RepositoryLayout;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Decides for one repository what is to be converted, what is to be committed, and what becomes of
 * each request. Does no I/O: it folds events and asks a view of the repository what is there.
 *
 * <p>One batch is {@link #accept} for each event, {@link #steps}, the caller's commit, {@link
 * #settle}. After a failure between these the object is to be thrown away and built again from the
 * notes of the last batch that was settled.
 *
 * <p>Rules: docs/architecture.md, "How a conversion flows"; docs/protocol/transactions.md,
 * "Requests". Owned by one thread at a time.
 */
public final class RepositoryCoordinator {
  private static final int MAX_EARLY_CANCELS = 1_000;

  private final RepositoryName repository;
  private final CoordinatorSettings settings;
  private final ThinDescriptors thin;

  private final Map<RequestId, Unfinished> requests = new LinkedHashMap<>();
  private final Set<RequestId> earlyCancels = new LinkedHashSet<>();
  private final Map<WorkKey, Work> asked = new HashMap<>();

  /** Layers that unfinished requests need and that the repository shows. */
  private final Map<Digest, ShownLayer> shownLayers = new HashMap<>();

  /** Merged trees that unfinished requests need and that the repository shows. */
  private final Set<Digest> shownFlats = new HashSet<>();

  // What the current batch brought and what it will say.
  private final Map<Digest, LayerConverted> newLayers = new TreeMap<>();
  private final Map<Digest, FlatMerged> newFlats = new TreeMap<>();
  private final Map<String, List<Unfinished.Image>> newImages = new LinkedHashMap<>();
  private final Map<RequestId, RequestStatus> statuses = new LinkedHashMap<>();
  private final List<Work> work = new ArrayList<>();
  private final Map<String, Optional<Pending>> notes = new LinkedHashMap<>();

  public RepositoryCoordinator(
      RepositoryName repository, CoordinatorSettings settings, ThinDescriptors thin) {
    this.repository = repository;
    this.settings = settings;
    this.thin = thin;
  }

  /**
   * Takes over from a predecessor.
   *
   * @param left the latest note under each key
   */
  public void restore(Iterable<Pending> left, PublishedContents contents) {
    for (Pending note : left) {
      switch (note) {
        case PendingRequest request -> {
          if (request.begin() instanceof CancelRequested cancel) {
            earlyCancels.add(cancel.request());
          } else {
            requests.put(request.request(), Unfinished.of(request));
          }
        }
        case PendingWork pending -> asked.put(pending.asked().work(), pending.asked());
        case Event.JournalPosition position -> {}
      }
    }
    List.copyOf(requests.values()).forEach(request -> lookUp(request, contents, Instant.EPOCH));
  }

  /** Whether there is nothing to wait for. */
  public boolean isIdle() {
    return requests.isEmpty() && asked.isEmpty();
  }

  /**
   * Folds one event.
   *
   * @throws IllegalArgumentException if it is not for publishers, or of another repository
   */
  public void accept(Event event, PublishedContents contents, Instant now) {
    if (!event.repository().equals(repository)) {
      throw new IllegalArgumentException(
          "an event of repository " + event.repository() + " came to " + repository);
    }
    switch (event) {
      case ImagePlanned plan -> begin(new Unfinished.Image(plan, Optional.empty()), contents, now);
      case DiffCommitRequested diff -> begin(new Unfinished.Upload(diff), contents, now);
      case CancelRequested cancel -> cancel(cancel, now);
      case LayerConverted converted -> converted(converted, now);
      case FlatMerged merged -> merged(merged, now);
      case ThinPushed pushed -> pushed(pushed, now);
      case WorkFailed failed -> failed(failed.work(), failed.reason(), now);
      case Event.ConversionRequested other -> throw notForPublishers(other);
      case Event.Work other -> throw notForPublishers(other);
      case Event.Pending other -> throw notForPublishers(other);
      case Event.TransactionPublished other -> throw notForPublishers(other);
      case Event.RequestStatus other -> throw notForPublishers(other);
      case Event.WorkProgress other -> throw notForPublishers(other);
    }
  }

  /** What is ready to be committed: layers first, then merged trees, then images. */
  public List<Step> steps(PublishedContents contents) {
    List<Step> steps = new ArrayList<>();
    newLayers.forEach((digest, converted) -> steps.add(layerStep(digest, converted)));
    newFlats.forEach(
        (imageId, merged) ->
            steps.add(
                new Step(
                    flatKey(imageId),
                    Set.of(),
                    List.of(new CatalogChange.Attach(merged.graft())),
                    List.of(),
                    List.of())));
    newImages.clear();
    for (Unfinished request : requests.values()) {
      if (request instanceof Unfinished.Image image
          && image.revision().isEmpty()
          && isComplete(image)) {
        newImages
            .computeIfAbsent("image/" + image.plan.publicName(), k -> new ArrayList<>())
            .add(image);
      }
    }
    newImages.forEach((key, images) -> steps.add(imageStep(key, images, contents)));
    return steps;
  }

  /**
   * Takes note of what became of the steps, and decides what follows.
   *
   * @param results one for each step that {@link #steps} gave
   * @param contents after the commit
   * @param revision the repository's current one
   * @param earlier requests of transactions that were committed before a crash, with the revision
   */
  public Decisions settle(
      Map<String, Step.Result> results,
      PublishedContents contents,
      long revision,
      Map<RequestId, Long> earlier,
      Instant now) {
    settleLayers(results, now);
    settleFlats(results, now);
    settleImages(results, earlier, now);
    settleUploads(results, earlier, revision, now);
    for (Unfinished request : List.copyOf(requests.values())) {
      List<WorkKey> outstanding = askForMissing(request, contents);
      if (request.reportsNew(outstanding)) {
        Optional<Long> shown =
            request instanceof Unfinished.Image image ? image.revision() : Optional.empty();
        say(request.status(State.PUBLISHING, outstanding, Optional.empty(), shown, now));
      }
    }
    forgetUnneeded();
    Decisions decisions = new Decisions(work, List.copyOf(statuses.values()), notes);
    newLayers.clear();
    newFlats.clear();
    newImages.clear();
    work.clear();
    statuses.clear();
    notes.clear();
    return decisions;
  }

  /** A layer that the repository shows; its graft is looked up when a merge needs it. */
  private record ShownLayer(Digest diffId, @Nullable Graft graft) {}

  // ---- requests -----------------------------------------------------------------------------

  private void begin(Unfinished request, PublishedContents contents, Instant now) {
    RequestId id = request.id();
    Unfinished known = requests.get(id);
    if (known != null && known.begin().equals(request.begin())) {
      return;
    }
    if (earlyCancels.remove(id)) {
      forget(requestNote(id));
      say(request.status(State.CANCELLED, List.of(), Optional.empty(), Optional.empty(), now));
      return;
    }
    if (known == null && requests.size() >= settings.maxUnfinished()) {
      finish(
          request,
          State.FAILED,
          repository
              + " has "
              + settings.maxUnfinished()
              + " unfinished requests, its bound; ask again when some are done",
          now);
      return;
    }
    if (request instanceof Unfinished.Image image) {
      try {
        ImageChanges.of(image.plan, settings.flat(), thin, path -> false);
      } catch (RepositoryException.Rejected | CvmfsException.Rejected e) {
        finish(request, State.FAILED, message(e), now);
        return;
      }
      supersedeOthers(image, now);
    }
    requests.put(id, request);
    keep(new PendingRequest(request.begin(), Optional.empty()));
    lookUp(request, contents, now);
  }

  private void supersedeOthers(Unfinished.Image newer, Instant now) {
    for (Unfinished other : List.copyOf(requests.values())) {
      if (other instanceof Unfinished.Image older
          && older.revision().isEmpty()
          && older.plan.publicName().equals(newer.plan.publicName())
          && !older.id().equals(newer.id())
          && !older.sameImage(newer)) {
        finish(older, State.CANCELLED, "superseded by request " + newer.id(), now);
      }
    }
  }

  private void lookUp(Unfinished request, PublishedContents contents, Instant now) {
    for (LayerDescriptor layer : request.layers()) {
      Digest blob = layer.blob().digest();
      if (!shownLayers.containsKey(blob)
          && !newLayers.containsKey(blob)
          && !asked.containsKey(layerWork(blob))) {
        // Without a diff id it is another tool's, with other ideas of whiteouts and ownership.
        contents
            .layer(blob)
            .flatMap(PublishedContents.Layer::diffId)
            .ifPresent(diffId -> shownLayers.put(blob, new ShownLayer(diffId, null)));
      }
      String conflict = conflictingDiffId(layer);
      if (conflict != null) {
        finish(request, State.FAILED, conflict, now);
        return;
      }
    }
    if (settings.flat() && request instanceof Unfinished.Image image) {
      for (PlannedPlatform platform : image.plan.platforms()) {
        Digest imageId = platform.imageId();
        if (!shownFlats.contains(imageId) && !newFlats.containsKey(imageId)) {
          if (contents.hasFlat(imageId)) {
            shownFlats.add(imageId);
          }
        }
      }
    }
  }

  /**
   * A manifest may name any blob beside any config. Were a published layer taken by its blob digest
   * alone, it could be merged into an image whose config promises something else.
   */
  private @Nullable String conflictingDiffId(LayerDescriptor layer) {
    Digest blob = layer.blob().digest();
    Optional<Digest> known = Optional.empty();
    ShownLayer shown = shownLayers.get(blob);
    LayerConverted converted = newLayers.get(blob);
    if (shown != null) {
      known = Optional.of(shown.diffId());
    } else if (converted != null) {
      known = Optional.of(converted.layer().diffId());
    }
    return known
        .filter(diffId -> !diffId.equals(layer.diffId()))
        .map(
            diffId ->
                "layer "
                    + blob
                    + " unpacks to "
                    + diffId
                    + ", but the image's config says "
                    + layer.diffId())
        .orElse(null);
  }

  private void cancel(CancelRequested cancel, Instant now) {
    Unfinished request = requests.get(cancel.request());
    if (request != null) {
      finish(request, State.CANCELLED, null, now);
      return;
    }
    earlyCancels.add(cancel.request());
    keep(new PendingRequest(cancel, Optional.empty()));
    if (earlyCancels.size() > MAX_EARLY_CANCELS) {
      RequestId oldest = earlyCancels.iterator().next();
      earlyCancels.remove(oldest);
      forget(requestNote(oldest));
    }
  }

  private void finish(Unfinished request, State state, @Nullable String detail, Instant now) {
    requests.remove(request.id());
    forget(requestNote(request.id()));
    Optional<Long> revision =
        request instanceof Unfinished.Image image ? image.revision() : Optional.empty();
    say(request.status(state, List.of(), Optional.ofNullable(detail), revision, now));
  }

  private void done(Unfinished request, long revision, @Nullable String detail, Instant now) {
    requests.remove(request.id());
    forget(requestNote(request.id()));
    say(
        request.status(
            State.DONE, List.of(), Optional.ofNullable(detail), Optional.of(revision), now));
  }

  // ---- results of work ----------------------------------------------------------------------

  private void converted(LayerConverted converted, Instant now) {
    Digest blob = converted.layer().blob().digest();
    if (!converted.graft().path().equals(RepositoryLayout.layer(blob.hex()))) {
      failed(
          layerWork(blob),
          "the converter made layer " + blob + " for another place: " + converted.graft().path(),
          now);
      return;
    }
    answered(layerWork(blob));
    boolean needed =
        requests.values().stream()
            .flatMap(request -> request.layers().stream())
            .anyMatch(layer -> layer.blob().digest().equals(blob));
    if (!needed || shownLayers.containsKey(blob)) {
      return;
    }
    newLayers.put(blob, converted);
    for (Unfinished request : List.copyOf(requests.values())) {
      for (LayerDescriptor layer : request.layers()) {
        String conflict = layer.blob().digest().equals(blob) ? conflictingDiffId(layer) : null;
        if (conflict != null) {
          finish(request, State.FAILED, conflict, now);
          break;
        }
      }
    }
  }

  private void merged(FlatMerged merged, Instant now) {
    Digest imageId = merged.imageId();
    if (!merged.graft().path().equals(RepositoryLayout.flat(imageId.hex()))) {
      failed(
          flatWork(imageId),
          "the converter merged image " + imageId + " for another place: " + merged.graft().path(),
          now);
      return;
    }
    answered(flatWork(imageId));
    boolean needed =
        requests.values().stream()
            .anyMatch(
                request ->
                    request instanceof Unfinished.Image image
                        && image.platformOf(imageId).isPresent());
    if (needed && settings.flat() && !shownFlats.contains(imageId)) {
      newFlats.put(imageId, merged);
    }
  }

  private void pushed(ThinPushed pushed, Instant now) {
    answered(new WorkKey(WorkKey.Kind.THIN, pushed.request().value()));
    if (requests.get(pushed.request()) instanceof Unfinished.Image image
        && image.revision().isPresent()) {
      done(image, image.revision().get(), null, now);
    }
  }

  private void failed(WorkKey key, String reason, Instant now) {
    Work order = asked.get(key);
    if (order == null) {
      return;
    }
    answered(key);
    for (Unfinished request : List.copyOf(requests.values())) {
      boolean concerned =
          switch (order) {
            // Others may name another source or another diff id: they get their own attempt.
            case LayerRequested layer ->
                request.source().equals(layer.image()) && request.needs(layer.layer());
            case FlatRequested flat ->
                request instanceof Unfinished.Image image
                    && image.revision().isEmpty()
                    && image.platformOf(flat.imageId()).isPresent();
            case ThinRequested thinOrder -> request.id().equals(thinOrder.request());
          };
      if (concerned) {
        finish(request, State.FAILED, reason, now);
      }
    }
  }

  private void answered(WorkKey key) {
    if (asked.remove(key) != null) {
      forget("work/" + key);
    }
  }

  // ---- steps --------------------------------------------------------------------------------

  private Step layerStep(Digest digest, LayerConverted converted) {
    return new Step(
        layerKey(digest),
        Set.of(),
        List.of(
            new CatalogChange.Attach(converted.graft()),
            new CatalogChange.PutSymlink(
                RepositoryLayout.layerDiffId(digest.hex()), converted.layer().diffId().toString())),
        List.of(),
        requests.values().stream()
            .filter(r -> r instanceof Unfinished.Upload && r.needs(converted.layer()))
            .map(Unfinished::id)
            .toList());
  }

  private Step imageStep(String key, List<Unfinished.Image> images, PublishedContents contents) {
    Unfinished.Image image = images.getFirst();
    ImageChanges changes = ImageChanges.of(image.plan, settings.flat(), thin, contents::exists);
    Set<String> needs = new HashSet<>();
    image.layers().stream()
        .map(layer -> layer.blob().digest())
        .filter(newLayers::containsKey)
        .forEach(digest -> needs.add(layerKey(digest)));
    image.plan.platforms().stream()
        .map(PlannedPlatform::imageId)
        .filter(newFlats::containsKey)
        .forEach(imageId -> needs.add(flatKey(imageId)));
    return new Step(
        key,
        needs,
        changes.changes(),
        changes.files(),
        images.stream().map(Unfinished::id).toList());
  }

  private boolean isComplete(Unfinished.Image image) {
    for (LayerDescriptor layer : image.layers()) {
      Digest blob = layer.blob().digest();
      if (!shownLayers.containsKey(blob) && !newLayers.containsKey(blob)) {
        return false;
      }
    }
    for (PlannedPlatform platform : image.plan.platforms()) {
      if (settings.flat()
          && !shownFlats.contains(platform.imageId())
          && !newFlats.containsKey(platform.imageId())) {
        return false;
      }
    }
    return true;
  }

  // ---- after the commit ---------------------------------------------------------------------

  private void settleLayers(Map<String, Step.Result> results, Instant now) {
    newLayers.forEach(
        (digest, converted) -> {
          switch (resultOf(results, layerKey(digest))) {
            case Step.Result.Shown shown ->
                shownLayers.put(
                    digest, new ShownLayer(converted.layer().diffId(), converted.graft()));
            case Step.Result.Refused refused -> {
              for (Unfinished request : List.copyOf(requests.values())) {
                if (request.needs(converted.layer())) {
                  finish(request, State.FAILED, refused.reason(), now);
                }
              }
            }
          }
        });
  }

  private void settleFlats(Map<String, Step.Result> results, Instant now) {
    newFlats.forEach(
        (imageId, merged) -> {
          switch (resultOf(results, flatKey(imageId))) {
            case Step.Result.Shown shown -> shownFlats.add(imageId);
            case Step.Result.Refused refused -> {
              for (Unfinished request : List.copyOf(requests.values())) {
                if (request instanceof Unfinished.Image image
                    && image.revision().isEmpty()
                    && image.platformOf(imageId).isPresent()) {
                  finish(request, State.FAILED, refused.reason(), now);
                }
              }
            }
          }
        });
  }

  private void settleImages(
      Map<String, Step.Result> results, Map<RequestId, Long> earlier, Instant now) {
    newImages.forEach(
        (key, images) -> {
          Step.Result result = resultOf(results, key);
          for (Unfinished.Image image : images) {
            if (!requests.containsKey(image.id())) {
              continue; // a layer that it needs was refused, which has been said
            }
            switch (result) {
              case Step.Result.Refused refused ->
                  finish(image, State.FAILED, refused.reason(), now);
              case Step.Result.Shown shown -> {
                Long before = earlier.get(image.id());
                long revision = before == null ? shown.revision() : before;
                boolean fresh = shown.changed() || before != null;
                image.shownIn(revision);
                if (image.plan.thinTarget().isPresent()) {
                  keep(new PendingRequest(image.plan, Optional.of(revision)));
                } else {
                  done(image, revision, detailOf(image, fresh), now);
                }
              }
            }
          }
        });
  }

  private static @Nullable String detailOf(Unfinished.Image image, boolean fresh) {
    List<String> parts = new ArrayList<>();
    if (!fresh) {
      parts.add("already published");
    }
    List<Digest> foreign =
        image.plan.platforms().stream()
            .flatMap(p -> p.foreignLayers().stream())
            .distinct()
            .toList();
    if (!foreign.isEmpty()) {
      parts.add("without " + foreign.size() + " foreign layers, which registries do not hand out");
    }
    return parts.isEmpty() ? null : String.join("; ", parts);
  }

  private void settleUploads(
      Map<String, Step.Result> results, Map<RequestId, Long> earlier, long revision, Instant now) {
    for (Unfinished request : List.copyOf(requests.values())) {
      if (!(request instanceof Unfinished.Upload upload)) {
        continue;
      }
      Digest blob = upload.diff.layer().blob().digest();
      if (!shownLayers.containsKey(blob)) {
        continue;
      }
      Long before = earlier.get(request.id());
      boolean fresh =
          before != null
              || (results.get(layerKey(blob)) instanceof Step.Result.Shown shown
                  && shown.changed());
      done(request, before == null ? revision : before, fresh ? null : "already published", now);
    }
  }

  /** Asks for what nobody was asked for yet; all that the request waits for. */
  private List<WorkKey> askForMissing(Unfinished request, PublishedContents contents) {
    List<WorkKey> outstanding = new ArrayList<>();
    if (request instanceof Unfinished.Image image && image.revision().isPresent()) {
      outstanding.add(image.thinWork());
      askForThin(image);
      return outstanding;
    }
    boolean allLayers = true;
    for (LayerDescriptor layer : request.layers()) {
      Digest blob = layer.blob().digest();
      if (!shownLayers.containsKey(blob)) {
        allLayers = false;
        outstanding.add(layerWork(blob));
        ask(new LayerRequested(repository, layer, request.source(), request.timestampSeconds()));
      }
    }
    if (settings.flat() && request instanceof Unfinished.Image image) {
      for (PlannedPlatform platform : image.plan.platforms()) {
        if (!shownFlats.contains(platform.imageId())) {
          outstanding.add(flatWork(platform.imageId()));
          if (allLayers || isShown(platform)) {
            askForFlat(image, platform, contents);
          }
        }
      }
    }
    image(request)
        .filter(i -> i.plan.thinTarget().isPresent())
        .ifPresent(i -> outstanding.add(i.thinWork()));
    return outstanding;
  }

  private boolean isShown(PlannedPlatform platform) {
    return platform.layers().stream()
        .allMatch(layer -> shownLayers.containsKey(layer.blob().digest()));
  }

  private void askForFlat(
      Unfinished.Image image, PlannedPlatform platform, PublishedContents contents) {
    List<Graft> grafts = new ArrayList<>();
    for (LayerDescriptor layer : platform.layers()) {
      grafts.add(graftOf(layer.blob().digest(), contents));
    }
    ask(
        new FlatRequested(
            repository, platform.imageId(), grafts, platform.config(), image.timestampSeconds()));
  }

  private Graft graftOf(Digest blob, PublishedContents contents) {
    ShownLayer shown = shownLayers.get(blob);
    if (shown != null && shown.graft() != null) {
      return shown.graft();
    }
    Graft graft =
        contents
            .layerGraft(blob)
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        repository + " showed layer " + blob + " and shows it no more"));
    if (shown != null) {
      shownLayers.put(blob, new ShownLayer(shown.diffId(), graft));
    }
    return graft;
  }

  private void askForThin(Unfinished.Image image) {
    PlannedPlatform platform = image.plan.platforms().getFirst();
    ask(
        new ThinRequested(
            repository,
            image.id(),
            image.plan.image(),
            image.plan.thinTarget().orElseThrow(),
            platform.config(),
            platform.layers().stream().map(layer -> layer.blob().digest()).toList()));
  }

  private void ask(Work order) {
    if (asked.putIfAbsent(order.work(), order) == null) {
      work.add(order);
      keep(new PendingWork(order));
    }
  }

  private void forgetUnneeded() {
    Set<Digest> layers = new HashSet<>();
    Set<Digest> images = new HashSet<>();
    for (Unfinished request : requests.values()) {
      request.layers().forEach(layer -> layers.add(layer.blob().digest()));
      image(request)
          .ifPresent(image -> image.plan.platforms().forEach(p -> images.add(p.imageId())));
    }
    shownLayers.keySet().retainAll(layers);
    shownFlats.retainAll(images);
  }

  // ---- small words --------------------------------------------------------------------------

  private static Optional<Unfinished.Image> image(Unfinished request) {
    return request instanceof Unfinished.Image image ? Optional.of(image) : Optional.empty();
  }

  private static Step.Result resultOf(Map<String, Step.Result> results, String key) {
    Step.Result result = results.get(key);
    if (result == null) {
      throw new IllegalStateException("no result for step " + key);
    }
    return result;
  }

  private void say(RequestStatus status) {
    statuses.put(status.request(), status);
  }

  private void keep(Pending note) {
    notes.put(note.noteKey(), Optional.of(note));
  }

  private void forget(String noteKey) {
    notes.put(noteKey, Optional.empty());
  }

  private static String requestNote(RequestId id) {
    return "request/" + id;
  }

  private static String layerKey(Digest digest) {
    return "layer/" + digest.hex();
  }

  private static String flatKey(Digest imageId) {
    return "flat/" + imageId.hex();
  }

  private static WorkKey layerWork(Digest digest) {
    return new WorkKey(WorkKey.Kind.LAYER, digest.hex());
  }

  private static WorkKey flatWork(Digest imageId) {
    return new WorkKey(WorkKey.Kind.FLAT, imageId.hex());
  }

  private static String message(RuntimeException e) {
    return Optional.ofNullable(e.getMessage()).orElse(e.toString());
  }

  private static IllegalArgumentException notForPublishers(Event event) {
    return new IllegalArgumentException(
        event.getClass().getSimpleName() + " is not an event for publishers");
  }
}
