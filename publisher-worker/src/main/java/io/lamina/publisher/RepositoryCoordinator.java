package io.lamina.publisher;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.CancelRequested;
import io.lamina.messaging.event.Event.DiffCommitRequested;
import io.lamina.messaging.event.Event.FailedRequest;
import io.lamina.messaging.event.Event.FlatMerged;
import io.lamina.messaging.event.Event.FlatRequested;
import io.lamina.messaging.event.Event.ImagePlanned;
import io.lamina.messaging.event.Event.LayerConverted;
import io.lamina.messaging.event.Event.LayerRequested;
import io.lamina.messaging.event.Event.Pending;
import io.lamina.messaging.event.Event.PendingFlat;
import io.lamina.messaging.event.Event.PendingLayer;
import io.lamina.messaging.event.Event.PendingRequest;
import io.lamina.messaging.event.Event.PendingWork;
import io.lamina.messaging.event.Event.RemovalRequested;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Event.RequestStatus.State;
import io.lamina.messaging.event.Event.ThinPushed;
import io.lamina.messaging.event.Event.ThinRequested;
import io.lamina.messaging.event.Event.Work;
import io.lamina.messaging.event.Event.WorkFailed;
import io.lamina.messaging.event.Event.WorkRetried;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.RepositoryLayout;
import io.lamina.repository.collection.CollectionRoots;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
  private static final int MAX_FAILURES = 1_000;

  /** More than a journal that lags is caught up with. */
  private static final int MAX_PUBLISHED_BEFORE = 1_000_000;

  private final RepositoryName repository;
  private final CoordinatorSettings settings;
  private final ThinDescriptors thin;

  private final Map<RequestId, Unfinished> requests = new LinkedHashMap<>();
  private final Set<RequestId> earlyCancels = new LinkedHashSet<>();
  private final Map<RequestId, FailedRequest> failures = new LinkedHashMap<>();
  private final Map<RequestId, Long> publishedBefore = new HashMap<>();
  private final Followed followed = new Followed();
  private final NeededTrees trees = new NeededTrees();
  private final WorkOrders orders;

  // What the current batch completed and what it will say.
  private final Map<String, List<Unfinished>> complete = new TreeMap<>();
  private Map<RequestId, String> removalDetails = Map.of();
  private final Map<RequestId, RequestStatus> statuses = new LinkedHashMap<>();
  private final Map<String, Optional<Pending>> notes = new LinkedHashMap<>();
  private final Set<Digest> uploadsDone = new LinkedHashSet<>();

  // Work that a request has ended with, or that was answered.
  private final Set<WorkKey> finished = new LinkedHashSet<>();

  public RepositoryCoordinator(
      RepositoryName repository, CoordinatorSettings settings, ThinDescriptors thin) {
    this.repository = repository;
    this.settings = settings;
    this.thin = thin;
    this.orders =
        new WorkOrders(
            repository,
            settings.flat(),
            trees,
            new Turns(settings.interactiveWindow(), settings.bulkWindow()));
  }

  /**
   * Takes over from a predecessor.
   *
   * @param left the latest note under each key
   */
  public void restore(Iterable<Pending> left, PublishedContents contents, Instant now) {
    for (Pending note : left) {
      switch (note) {
        case PendingRequest request -> {
          if (request.begin() instanceof CancelRequested cancel) {
            earlyCancels.add(cancel.request());
          } else {
            requests.put(request.request(), Unfinished.of(request));
          }
        }
        case PendingWork pending -> orders.restore(pending);
        case PendingLayer layer -> trees.restore(layer);
        case PendingFlat flat -> trees.restore(flat);
        case FailedRequest failed -> failures.put(failed.request(), failed);
        case Event.FollowedPosition position -> followed.restore(position);
        case Event.JournalPosition position -> {}
      }
    }
    for (Unfinished request : List.copyOf(requests.values())) {
      trees.need(neededBy(request), request.id());
      lookUp(request, contents, now);
    }
  }

  /**
   * These requests were fulfilled by transactions whose events were lost with their owner. What has
   * been shown since must not be taken away by a removal that comes again.
   *
   * @param revisions by request
   */
  public void publishedBefore(Map<RequestId, Long> revisions) {
    revisions.forEach(
        (id, revision) -> {
          if (publishedBefore.size() < MAX_PUBLISHED_BEFORE) {
            publishedBefore.put(id, revision);
          }
        });
  }

  /** Whether there is nothing to wait for. */
  public boolean isIdle() {
    return requests.isEmpty() && orders.isEmpty();
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
      case RemovalRequested removal -> begin(new Unfinished.Removal(removal), contents, now);
      case Event.CollectionRequested asked ->
          begin(new Unfinished.Collection(asked), contents, now);
      case Event.CollectionFinished end -> collected(end, now);
      case CancelRequested cancel -> cancel(cancel, now);
      case LayerConverted converted -> converted(converted, now);
      case FlatMerged merged -> merged(merged, now);
      case ThinPushed pushed -> pushed(pushed, now);
      case WorkFailed failed -> {
        if (!isShownAllTheSame(failed.work(), contents, now)) {
          failed(failed.work(), failed.reason(), now);
        }
      }
      case WorkRetried retried -> retried(retried, contents, now);
      case Event.TransactionFollowed other -> followed.accept(other).ifPresent(this::keep);
      case Event.ConversionRequested other -> throw notForPublishers(other);
      case Event.Work other -> throw notForPublishers(other);
      case Event.Pending other -> throw notForPublishers(other);
      case Event.TransactionPublished other -> throw notForPublishers(other);
      case Event.RequestStatus other -> throw notForPublishers(other);
      case Event.WorkProgress other -> throw notForPublishers(other);
    }
  }

  /**
   * What is complete and can be committed: removals, then images by public name, then uploaded
   * layers by digest, whatever the order in which their parts came; last what other sites have
   * published, in its order. An image that is unfinished beside a removal of its name is newer than
   * that.
   */
  public List<Step> steps(PublishedContents contents) {
    complete.clear();
    for (Unfinished request : requests.values()) {
      if (isComplete(request)) {
        complete.computeIfAbsent(stepKey(request), key -> new ArrayList<>()).add(request);
      }
    }
    List<Step> steps = new ArrayList<>();
    Removals removals = new Removals(contents);
    complete.forEach((key, group) -> steps.add(step(key, group, contents, removals)));
    removalDetails = removals.details();
    steps.addAll(followed.steps());
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
    complete.forEach((key, group) -> settleGroup(group, resultOf(results, key), earlier, now));
    followed.settle(results);
    finishShownUploads(earlier, revision, now);
    orders.askFor(requests.values(), contents);
    for (Unfinished request : requests.values()) {
      List<WorkKey> outstanding = outstanding(request);
      if (request.reportsNew(outstanding)) {
        Optional<Long> shown =
            request instanceof Unfinished.Image image ? image.revision() : Optional.empty();
        say(request.status(State.PUBLISHING, outstanding, Optional.empty(), shown, now));
      }
    }
    notes.putAll(orders.takeNotes());
    notes.putAll(trees.takeNotes());
    List<WorkKey> idle =
        finished.stream().filter(key -> !trees.isNeeded(key) && !orders.isUnderWay(key)).toList();
    Decisions decisions =
        new Decisions(
            orders.takeNew(), List.copyOf(statuses.values()), notes, spentUploads(), idle);
    finished.clear();
    complete.clear();
    uploadsDone.clear();
    statuses.clear();
    notes.clear();
    return decisions;
  }

  /** What other sites have published and this one refused in the last batch, with the reason. */
  public Map<Event.TransactionFollowed, String> refusedOfSites() {
    return followed.refused();
  }

  /** Layers whose archives unfinished requests may still need. */
  public Set<Digest> neededUploads() {
    Set<Digest> needed = new LinkedHashSet<>();
    for (Unfinished request : requests.values()) {
      if (request instanceof Unfinished.Upload upload) {
        needed.add(upload.diff.layer().blob().digest());
      }
    }
    return needed;
  }

  /** Those of layers that are shown now, and that nobody waits for or works on. */
  private Set<Digest> spentUploads() {
    if (uploadsDone.isEmpty()) {
      return Set.of();
    }
    Set<Digest> spent = new LinkedHashSet<>(uploadsDone);
    spent.removeAll(neededUploads());
    spent.removeIf(layer -> orders.isUnderWay(NeededTrees.layer(layer)));
    return spent;
  }

  // ---- requests -----------------------------------------------------------------------------

  private void begin(Unfinished request, PublishedContents contents, Instant now) {
    RequestId id = request.id();
    forgetFailure(id);
    Unfinished known = requests.get(id);
    if (known != null && known.begin().equals(request.begin())) {
      return;
    }
    if (earlyCancels.remove(id)) {
      forget(requestNote(id));
      say(request.status(State.CANCELLED, List.of(), Optional.empty(), Optional.empty(), now));
      return;
    }
    if (known != null) {
      trees.release(neededBy(known), id);
    }
    if (request instanceof Unfinished.Collection collection && !collections().isEmpty()) {
      Event.CollectionRequested other = collections().getFirst();
      if (other.dryRun() == collection.collection.dryRun()) {
        finish(request, State.CANCELLED, other.request() + " is under way and does the same", now);
        return;
      }
    }
    String refusal = refusal(request, known != null);
    if (refusal != null) {
      finish(request, State.FAILED, refusal, now);
      return;
    }
    if (request instanceof Unfinished.Image image && image.revision().isEmpty()) {
      supersedeOthers(image, now);
    }
    if (request instanceof Unfinished.Removal removal) {
      Long before = publishedBefore.remove(id);
      if (before != null) {
        done(removal, before, null, now);
        return;
      }
      supersedeRemoved(removal, now);
    }
    requests.put(id, request);
    trees.need(neededBy(request), id);
    if (request instanceof Unfinished.Collection) {
      say(request.status(State.PUBLISHING, List.of(), Optional.empty(), Optional.empty(), now));
    }
    keep(
        new PendingRequest(
            request.begin(),
            request instanceof Unfinished.Image image ? image.revision() : Optional.empty()));
    lookUp(request, contents, now);
  }

  private @Nullable String refusal(Unfinished request, boolean isKnown) {
    if (!isKnown && requests.size() >= settings.maxUnfinished()) {
      return repository
          + " has "
          + settings.maxUnfinished()
          + " unfinished requests, its bound; ask again when some are done";
    }
    if (trees.countWith(neededBy(request)) > settings.maxTrees()) {
      return repository
          + " has unfinished requests for "
          + settings.maxTrees()
          + " layers and merged trees, its bound; ask again when some are done";
    }
    if (request instanceof Unfinished.Removal removal) {
      try {
        RepositoryLayout.publicLink(
            removal.removal.scope() == RemovalRequested.Scope.ALL
                    || removal.removal.scope() == RemovalRequested.Scope.RULE
                ? "all"
                : removal.removal.subject());
      } catch (RepositoryException.Rejected | CvmfsException.Rejected e) {
        return message(e);
      }
    }
    if (request instanceof Unfinished.Image image) {
      try {
        ImageChanges.of(image.plan, settings.flat(), thin, path -> false);
      } catch (RepositoryException.Rejected | CvmfsException.Rejected e) {
        return message(e);
      }
    }
    return null;
  }

  private void supersedeOthers(Unfinished.Image newer, Instant now) {
    // What failed before must not come back and replace this one.
    failures.values().stream()
        .filter(
            failed ->
                failed.begin() instanceof ImagePlanned plan
                    && plan.publicName().equals(newer.plan.publicName()))
        .map(FailedRequest::request)
        .toList()
        .forEach(this::forgetFailure);
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

  private void collected(Event.CollectionFinished end, Instant now) {
    if (requests.get(end.request()) instanceof Unfinished.Collection collection) {
      finish(collection, end.succeeded() ? State.DONE : State.FAILED, end.detail(), now);
    }
  }

  /** Collections that are unfinished, in the order in which they were asked for. */
  public List<Event.CollectionRequested> collections() {
    List<Event.CollectionRequested> unfinished = new ArrayList<>();
    for (Unfinished request : requests.values()) {
      if (request instanceof Unfinished.Collection collection) {
        unfinished.add(collection.collection);
      }
    }
    return unfinished;
  }

  /** What unfinished requests, and those that may live again, refer to in the store. */
  public CollectionRoots references() {
    References references = new References();
    requests.values().forEach(request -> references.addRequest(request.begin()));
    failures.values().forEach(failed -> references.addRequest(failed.begin()));
    orders.all().forEach(references::addWork);
    references.addGrafts(trees.held());
    return references.roots();
  }

  /** What came before a removal is not shown after it. */
  private void supersedeRemoved(Unfinished.Removal removal, Instant now) {
    failures.values().stream()
        .filter(
            failed ->
                failed.begin() instanceof ImagePlanned plan && removal.means(plan.publicName()))
        .map(FailedRequest::request)
        .toList()
        .forEach(this::forgetFailure);
    for (Unfinished other : List.copyOf(requests.values())) {
      if (other instanceof Unfinished.Image older
          && older.revision().isEmpty()
          && removal.means(older.plan.publicName())) {
        finish(older, State.CANCELLED, "superseded by request " + removal.id(), now);
      }
    }
  }

  /** Finds out what the repository shows of the trees that a request needs. */
  private void lookUp(Unfinished request, PublishedContents contents, Instant now) {
    if (neededBy(request).isEmpty()) {
      return;
    }
    for (LayerDescriptor layer : request.layers()) {
      WorkKey key = NeededTrees.layer(layer.blob().digest());
      if (!trees.isShown(key) && !orders.isUnderWay(key)) {
        // Without a diff id it is another tool's, with other ideas of whiteouts and ownership.
        contents
            .layer(layer.blob().digest())
            .flatMap(PublishedContents.Layer::diffId)
            .ifPresent(diffId -> trees.found(key, Optional.of(diffId)));
      }
      String conflict = conflictingDiffId(layer);
      if (conflict != null) {
        finish(request, State.FAILED, conflict, now);
        return;
      }
    }
    if (settings.flat() && request instanceof Unfinished.Image image) {
      for (PlannedPlatform platform : image.plan.platforms()) {
        WorkKey key = NeededTrees.flat(platform.imageId());
        if (!trees.isShown(key) && contents.hasFlat(platform.imageId())) {
          trees.found(key, Optional.empty());
        }
      }
    }
  }

  /**
   * A manifest may name any blob beside any config. Were an available layer taken by its blob
   * digest alone, it could be merged into an image whose config promises something else.
   */
  private @Nullable String conflictingDiffId(LayerDescriptor layer) {
    return trees
        .diffId(NeededTrees.layer(layer.blob().digest()))
        .filter(diffId -> !diffId.equals(layer.diffId()))
        .map(
            diffId ->
                "layer "
                    + layer.blob().digest()
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
    Optional<Long> revision =
        request instanceof Unfinished.Image image ? image.revision() : Optional.empty();
    end(request, state, detail, revision, now);
  }

  private void done(Unfinished request, long revision, @Nullable String detail, Instant now) {
    if (request instanceof Unfinished.Upload upload) {
      uploadsDone.add(upload.diff.layer().blob().digest());
    }
    end(request, State.DONE, detail, Optional.of(revision), now);
  }

  private void end(
      Unfinished request,
      State state,
      @Nullable String detail,
      Optional<Long> revision,
      Instant now) {
    requests.remove(request.id());
    finished.addAll(request.trees(settings.flat()));
    if (request instanceof Unfinished.Image image) {
      finished.add(image.thinWork());
    }
    trees.release(neededBy(request), request.id());
    forget(requestNote(request.id()));
    Optional<String> said = Optional.ofNullable(detail).filter(text -> !text.isEmpty());
    say(request.status(state, List.of(), said, revision, now));
  }

  // ---- results of work ----------------------------------------------------------------------

  private void converted(LayerConverted converted, Instant now) {
    Digest blob = converted.layer().blob().digest();
    WorkKey key = NeededTrees.layer(blob);
    if (!converted.graft().path().equals(RepositoryLayout.layer(blob.hex()))) {
      failed(
          key,
          "the converter made layer " + blob + " for another place: " + converted.graft().path(),
          now);
      return;
    }
    orders.answered(key);
    finished.add(key);
    if (!trees.isNeeded(key)) {
      return;
    }
    trees.hold(converted);
    for (Unfinished request : needing(key)) {
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
    WorkKey key = NeededTrees.flat(imageId);
    if (!merged.graft().path().equals(RepositoryLayout.flat(imageId.hex()))) {
      failed(
          key,
          "the converter merged image " + imageId + " for another place: " + merged.graft().path(),
          now);
      return;
    }
    orders.answered(key);
    finished.add(key);
    if (trees.isNeeded(key)) {
      trees.hold(merged);
    }
  }

  private void pushed(ThinPushed pushed, Instant now) {
    WorkKey key = new WorkKey(WorkKey.Kind.THIN, pushed.request().value());
    orders.answered(key);
    finished.add(key);
    if (requests.get(pushed.request()) instanceof Unfinished.Image image
        && image.revision().isPresent()) {
      done(image, image.revision().get(), null, now);
    }
  }

  /**
   * Work that is delivered once more after it was done may find its source gone: an archive is
   * removed when its layer is shown.
   */
  private boolean isShownAllTheSame(WorkKey key, PublishedContents contents, Instant now) {
    if (key.kind() != WorkKey.Kind.LAYER || !orders.isUnderWay(key) || !trees.isNeeded(key)) {
      return false;
    }
    Optional<Digest> diffId =
        contents.layer(Digest.parse("sha256:" + key.id())).flatMap(PublishedContents.Layer::diffId);
    if (diffId.isEmpty()) {
      return false;
    }
    orders.answered(key);
    finished.add(key);
    trees.found(key, diffId);
    for (Unfinished request : needing(key)) {
      for (LayerDescriptor layer : request.layers()) {
        String conflict = conflictingDiffId(layer);
        if (conflict != null) {
          finish(request, State.FAILED, conflict, now);
          break;
        }
      }
    }
    return true;
  }

  private void failed(WorkKey key, String reason, Instant now) {
    Optional<Work> order = orders.answered(key);
    finished.add(key);
    if (order.isEmpty()) {
      return;
    }
    List<Unfinished> concerned =
        switch (order.get()) {
          // Others may name another source or another diff id: they get their own attempt.
          case LayerRequested layer ->
              needing(key).stream()
                  .filter(
                      request ->
                          request.source().equals(layer.image()) && request.needs(layer.layer()))
                  .toList();
          case FlatRequested flat -> needing(key);
          case ThinRequested thinOrder ->
              Optional.ofNullable(requests.get(thinOrder.request())).stream().toList();
        };
    for (Unfinished request : concerned) {
      finish(request, State.FAILED, reason, now);
      remember(request, key);
    }
  }

  /** The work may be tried again, and then the request lives again. */
  private void remember(Unfinished request, WorkKey failedBy) {
    Optional<Long> revision =
        request instanceof Unfinished.Image image ? image.revision() : Optional.empty();
    FailedRequest note = new FailedRequest(request.begin(), revision, failedBy);
    failures.put(request.id(), note);
    keep(note);
    if (failures.size() > MAX_FAILURES) {
      forgetFailure(failures.keySet().iterator().next());
    }
  }

  private void forgetFailure(RequestId id) {
    if (failures.remove(id) != null) {
      forget(FailedRequest.noteKey(id));
    }
  }

  private void retried(WorkRetried retried, PublishedContents contents, Instant now) {
    List<FailedRequest> again =
        failures.values().stream()
            .filter(failed -> failed.failedBy().equals(retried.work()))
            .toList();
    for (FailedRequest failed : again) {
      begin(Unfinished.of(new PendingRequest(failed.begin(), failed.revision())), contents, now);
    }
    boolean isNeeded = again.stream().anyMatch(failed -> requests.containsKey(failed.request()));
    if (isNeeded) {
      retried.asked().ifPresent(orders::askedAgain);
    }
  }

  // ---- steps --------------------------------------------------------------------------------

  private boolean isComplete(Unfinished request) {
    List<WorkKey> needed = neededBy(request);
    return switch (request) {
      case Unfinished.Image image ->
          image.revision().isEmpty() && needed.stream().allMatch(trees::isAvailable);
      // One that is shown already has nothing to commit.
      case Unfinished.Upload _ -> needed.stream().allMatch(trees::isHeld);
      case Unfinished.Removal _ -> true;
      case Unfinished.Collection collection -> !collection.isTidied();
    };
  }

  private static String stepKey(Unfinished request) {
    return switch (request) {
      case Unfinished.Image image -> "image/" + image.plan.publicName();
      case Unfinished.Upload upload -> "upload/" + upload.diff.layer().blob().digest().hex();
      case Unfinished.Collection collection -> "collection/" + collection.id();
      // Before all others in their order.
      case Unfinished.Removal removal -> "delete/" + removal.id();
    };
  }

  /** Requests of one group want the same. */
  private Step step(
      String key, List<Unfinished> group, PublishedContents contents, Removals removals) {
    ImageChanges changes =
        switch (group.getFirst()) {
          case Unfinished.Image image ->
              ImageChanges.of(image.plan, settings.flat(), thin, contents::exists);
          case Unfinished.Upload _ -> new ImageChanges(List.of(), List.of());
          case Unfinished.Collection collection ->
              new ImageChanges(
                  removals.abandoned(
                      collection.collection,
                      tree -> trees.isNeeded(tree) || orders.isUnderWay(tree)),
                  List.of());
          case Unfinished.Removal removal ->
              new ImageChanges(
                  removals.changes(
                      removal.removal, tree -> trees.isNeeded(tree) || orders.isUnderWay(tree)),
                  List.of());
        };
    return new Step(
        key,
        trees.changes(neededBy(group.getFirst())),
        changes.changes(),
        changes.files(),
        group.stream().map(Unfinished::id).toList(),
        group.stream().mapToLong(Unfinished::timestampSeconds).min().orElseThrow());
  }

  // ---- after the commit ---------------------------------------------------------------------

  private void settleGroup(
      List<Unfinished> group, Step.Result result, Map<RequestId, Long> earlier, Instant now) {
    for (Unfinished request : group) {
      switch (result) {
        case Step.Result.Refused refused -> finish(request, State.FAILED, refused.reason(), now);
        case Step.Result.Shown shown -> {
          trees.committed(neededBy(request));
          Long before = earlier.get(request.id());
          long revision = before == null ? shown.revision() : before;
          boolean fresh = shown.changed() || before != null;
          switch (request) {
            case Unfinished.Image image -> shown(image, revision, fresh, now);
            case Unfinished.Upload upload -> done(upload, revision, detailOf(fresh), now);
            case Unfinished.Collection collection -> collection.tidied();
            case Unfinished.Removal removal ->
                done(
                    removal,
                    revision,
                    removalDetails.getOrDefault(
                        removal.id(), fresh ? "" : "there was nothing to remove"),
                    now);
          }
        }
      }
    }
  }

  private void shown(Unfinished.Image image, long revision, boolean fresh, Instant now) {
    trees.release(neededBy(image), image.id());
    image.shownIn(revision);
    if (image.plan.thinTarget().isPresent()) {
      keep(new PendingRequest(image.plan, Optional.of(revision)));
    } else {
      done(image, revision, detailOf(image, fresh), now);
    }
  }

  private static @Nullable String detailOf(boolean fresh) {
    return fresh ? null : "already published";
  }

  private static @Nullable String detailOf(Unfinished.Image image, boolean fresh) {
    List<String> parts = new ArrayList<>();
    Optional.ofNullable(detailOf(fresh)).ifPresent(parts::add);
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

  /** Uploads of layers that had been published by other requests. */
  private void finishShownUploads(Map<RequestId, Long> earlier, long revision, Instant now) {
    for (Unfinished request : List.copyOf(requests.values())) {
      if (request instanceof Unfinished.Upload upload
          && neededBy(upload).stream().allMatch(trees::isShown)) {
        Long before = earlier.get(upload.id());
        done(upload, before == null ? revision : before, detailOf(before != null), now);
      }
    }
  }

  /** What the request still waits for; what is held back for it counts until it is shown. */
  private List<WorkKey> outstanding(Unfinished request) {
    List<WorkKey> outstanding = new ArrayList<>();
    for (WorkKey key : neededBy(request)) {
      if (!trees.isShown(key)) {
        outstanding.add(key);
      }
    }
    if (request instanceof Unfinished.Image image && image.plan.thinTarget().isPresent()) {
      outstanding.add(image.thinWork());
    }
    return outstanding;
  }

  // ---- small words --------------------------------------------------------------------------

  /** The trees without which the request cannot be fulfilled; none once it is shown. */
  private List<WorkKey> neededBy(Unfinished request) {
    return request instanceof Unfinished.Image image && image.revision().isPresent()
        ? List.of()
        : request.trees(settings.flat());
  }

  private List<Unfinished> needing(WorkKey key) {
    return trees.neededBy(key).stream()
        .map(id -> Objects.requireNonNull(requests.get(id)))
        .toList();
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

  private static String message(RuntimeException e) {
    return Optional.ofNullable(e.getMessage()).orElse(e.toString());
  }

  private static IllegalArgumentException notForPublishers(Event event) {
    return new IllegalArgumentException(
        event.getClass().getSimpleName() + " is not an event for publishers");
  }
}
