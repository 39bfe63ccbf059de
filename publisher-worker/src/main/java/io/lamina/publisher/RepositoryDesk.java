package io.lamina.publisher;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.image.Digest;
import io.lamina.messaging.MessagingException;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.Received;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.CollectionRequested;
import io.lamina.messaging.event.Event.JournalPosition;
import io.lamina.messaging.event.Event.Pending;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.messaging.event.EventJson;
import io.lamina.messaging.event.RepositoryOrigin;
import io.lamina.messaging.event.RequestId;
import io.lamina.repository.Committed;
import io.lamina.repository.ObjectUploads;
import io.lamina.repository.PublisherBackend;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.repository.RepositoryException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles the events of one repository: lets the coordinator decide, commits what is ready in one
 * transaction, and collects what is to be said. Owned by one thread; after a failure it is thrown
 * away, and its successor starts from the notes.
 */
final class RepositoryDesk implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RepositoryDesk.class);

  private final Tools tools;
  private final RepositoryName repository;
  private final PublisherBackend backend;
  private final ObjectUploads uploads;
  private final ObjectCompressor compressor;
  private final RepositoryCoordinator coordinator;
  private final PublishedContents contents;
  private final Journal journal;
  private final UploadedArchives archives;
  private final PublisherMetrics metrics;
  private final Clock clock;
  private boolean caughtUp;
  private Set<Digest> spent = Set.of();
  private Map<Received, String> refused = Map.of();
  private final Map<RequestId, Collector.Running> collecting = new LinkedHashMap<>();

  /**
   * What a desk works with; closed with it.
   *
   * @param ownership fails if the repository has another publisher now
   * @param collector stays the caller's
   */
  record Tools(
      Repository repository,
      PublisherBackend backend,
      ObjectCompressor compressor,
      Runnable ownership,
      Collector collector) {}

  RepositoryDesk(
      Tools tools,
      CoordinatorSettings settings,
      List<Pending> notes,
      PublisherMetrics metrics,
      Clock clock) {
    this.tools = tools;
    this.repository = tools.repository().name();
    this.backend = tools.backend();
    this.uploads = tools.repository().uploads();
    this.compressor = tools.compressor();
    this.contents =
        new RepositoryContents(
            backend.view(), tools.repository().store(), new KeptHistory(tools.repository()));
    this.coordinator = new RepositoryCoordinator(repository, settings, new ThinJson());
    this.journal =
        new Journal(
            repository,
            backend,
            notes.stream()
                .filter(JournalPosition.class::isInstance)
                .map(JournalPosition.class::cast)
                .findFirst());
    this.archives = new UploadedArchives(tools.repository().store(), repository, clock);
    this.metrics = metrics;
    this.clock = clock;
    coordinator.restore(notes, contents, clock.instant());
  }

  /**
   * Handles events in order; what it returns is to be committed together with them.
   *
   * @throws RepositoryException.Retryable and others as {@link PublisherBackend#commit}
   */
  List<Outgoing> handle(List<Received> batch) {
    Instant now = clock.instant();
    List<TransactionPublished> said = new ArrayList<>();
    if (!caughtUp) {
      said.addAll(journal.missingUpToHead());
      caughtUp = true;
    }
    Map<RequestId, Long> earlier = new HashMap<>();
    said.forEach(event -> event.requests().forEach(id -> earlier.put(id, event.revision())));
    coordinator.publishedBefore(earlier);
    Map<RequestId, Received> causes = new HashMap<>();
    for (Received received : batch) {
      received.event().ifPresent(event -> coordinator.accept(event, contents, now));
      received.event().flatMap(RepositoryDesk::request).ifPresent(id -> causes.put(id, received));
    }
    List<Step> steps = coordinator.steps(contents);
    Map<String, Step.Result> results = steps.isEmpty() ? Map.of() : commit(steps, said);
    Decisions decisions =
        coordinator.settle(results, contents, backend.view().manifest().revision(), earlier, now);
    spent = decisions.spent();
    Map<Event.TransactionFollowed, String> reasons = coordinator.refusedOfSites();
    Map<Received, String> records = new LinkedHashMap<>();
    for (Received received : reasons.isEmpty() ? List.<Received>of() : batch) {
      if (received.event().orElse(null) instanceof Event.TransactionFollowed event
          && reasons.containsKey(event)) {
        records.put(received, Objects.requireNonNull(reasons.get(event)));
      }
    }
    refused = records;
    return outgoing(batch.getFirst(), causes, said, decisions);
  }

  /** Records of the last batch that nobody is told of and that cannot be published, with why. */
  Map<Received, String> refused() {
    return refused;
  }

  /** The events of the last batch are committed. */
  void committed() {
    journal.committed();
    archives.removeSpent(spent);
    spent = Set.of();
    archives.removeAbandoned(coordinator::neededUploads);
    keepCollecting();
  }

  /** Begins the collections that are noted by now, and ends those that were cancelled. */
  private void keepCollecting() {
    Map<RequestId, CollectionRequested> wanted = new LinkedHashMap<>();
    coordinator.collections().forEach(asked -> wanted.put(asked.request(), asked));
    for (RequestId ended : List.copyOf(collecting.keySet())) {
      if (!wanted.containsKey(ended)) {
        Objects.requireNonNull(collecting.remove(ended)).stop();
      }
    }
    wanted.forEach(
        (id, asked) -> {
          if (!collecting.containsKey(id)) {
            collecting.put(
                id,
                tools
                    .collector()
                    .start(asked, tools.repository(), backend, coordinator.references()));
          }
        });
  }

  // ---- transactions -------------------------------------------------------------------------

  /** All steps in one transaction; if that is refused, each half of them, down to single steps. */
  private Map<String, Step.Result> commit(List<Step> steps, List<TransactionPublished> said) {
    try {
      return commitTogether(steps, said);
    } catch (RepositoryException.Rejected | MessagingException.Rejected e) {
      LOG.atWarn()
          .addKeyValue("repository", repository)
          .addKeyValue("steps", steps.size() == 1 ? steps.getFirst().key() : steps.size())
          .addKeyValue("reason", e.getMessage())
          .log("a transaction was refused");
      if (steps.size() == 1) {
        return Map.of(
            steps.getFirst().key(),
            new Step.Result.Refused(Optional.ofNullable(e.getMessage()).orElse(e.toString())));
      }
      int half = steps.size() / 2;
      Map<String, Step.Result> results = new LinkedHashMap<>(commit(steps.subList(0, half), said));
      results.putAll(commit(steps.subList(half, steps.size()), said));
      return results;
    }
  }

  private Map<String, Step.Result> commitTogether(
      List<Step> steps, List<TransactionPublished> said) {
    // Each tree once, and before the links that lead to it.
    SortedMap<RepositoryPath, CatalogChange> trees = new TreeMap<>();
    Map<Step, List<CatalogChange>> others = new LinkedHashMap<>();
    for (Step step : steps) {
      step.trees().forEach(change -> trees.putIfAbsent(change.path(), change));
      others.put(step, changesOf(step));
    }
    List<CatalogChange> all = new ArrayList<>(trees.values());
    others.values().forEach(all::addAll);
    Announcement announcement = new Announcement(others);
    Committed committed = backend.commit(all, timestampOf(steps), announcement);
    metrics.transaction(committed);
    if (committed.isPublished() || committed.timings().attempts() > 1) {
      // Between the last transaction that this desk knows and its own, others may have died.
      said.addAll(missingBetween(said, committed));
    }
    if (committed.isPublished()) {
      TransactionPublished latest = announcement.latest();
      said.add(latest);
      LOG.atInfo()
          .addKeyValue("repository", repository)
          .addKeyValue("revision", committed.revision())
          .addKeyValue("root", committed.root())
          .addKeyValue("changes", committed.effective().size())
          .addKeyValue("requests", latest.requests().size())
          .addKeyValue("millis", committed.timings().total() / 1_000_000)
          .log("published");
    }
    Set<CatalogChange> effective = new HashSet<>(committed.effective());
    Map<String, Step.Result> results = new LinkedHashMap<>();
    others.forEach(
        (step, changes) ->
            results.put(
                step.key(),
                new Step.Result.Shown(committed.revision(), changesAny(effective, step, changes))));
    return results;
  }

  private static boolean changesAny(
      Set<CatalogChange> effective, Step step, List<CatalogChange> others) {
    return Stream.concat(step.trees().stream(), others.stream()).anyMatch(effective::contains);
  }

  /** Never the clock: the same requests are to end on the same root hash whenever they are met. */
  private static long timestampOf(List<Step> steps) {
    return steps.stream().mapToLong(Step::timestampSeconds).max().orElseThrow();
  }

  private List<TransactionPublished> missingBetween(
      List<TransactionPublished> said, Committed committed) {
    if (!said.isEmpty() && said.getLast().root().equals(committed.previousRoot())) {
      return List.of();
    }
    Set<Object> known = new HashSet<>();
    said.forEach(event -> known.add(event.root()));
    long before = committed.isPublished() ? committed.revision() - 1 : committed.revision();
    return journal.missingUpTo(committed.previousRoot(), before).stream()
        .filter(event -> !known.contains(event.root()))
        .toList();
  }

  private List<CatalogChange> changesOf(Step step) {
    List<CatalogChange> changes = new ArrayList<>(step.changes());
    for (Step.NewFile file : step.files()) {
      changes.add(
          new CatalogChange.PutFile(
              file.path(), uploads.putFile(file.bytes(), compressor), file.bytes().length));
    }
    return changes;
  }

  /** Records the transaction as the event that will be said of it. */
  private final class Announcement implements PublisherBackend.Recorder {
    private final Map<Step, List<CatalogChange>> steps;
    private @Nullable TransactionPublished latest;

    /**
     * @param steps with their changes besides the trees
     */
    Announcement(Map<Step, List<CatalogChange>> steps) {
      this.steps = steps;
    }

    /**
     * What is about to be committed was built on the head that it will replace. So whoever becomes
     * the owner after this check and commits first makes the replacement fail, and whoever commits
     * later finds it. Without the check an owner that was held up for long would build its
     * transaction again on its successor's and take back what that has published.
     */
    @Override
    public byte[] record(Committed about) {
      tools.ownership().run();
      TransactionPublished event =
          new TransactionPublished(
              repository,
              about.revision(),
              about.timestampSeconds(),
              about.previousRoot(),
              about.root(),
              about.rootSizeBytes(),
              about.effective(),
              fulfilled(about),
              about.revision() == 1 ? Optional.of(origin()) : Optional.empty());
      latest = event;
      return EventJson.encode(event);
    }

    /** A replay makes the same empty repository of this. */
    private RepositoryOrigin origin() {
      RepositoryDefinition definition = tools.repository().definition();
      RepositoryDefinition.Settings settings = definition.settings();
      return new RepositoryOrigin(
          definition.createdAt(),
          settings.ttl().toSeconds(),
          settings.flat(),
          settings.garbageCollectable(),
          settings.tags(),
          settings.genericTags());
    }

    /** Whoever finds all of it there already is fulfilled by an earlier transaction. */
    private List<RequestId> fulfilled(Committed about) {
      Set<CatalogChange> effective = new HashSet<>(about.effective());
      return steps.entrySet().stream()
          .filter(step -> changesAny(effective, step.getKey(), step.getValue()))
          .flatMap(step -> step.getKey().requests().stream())
          .distinct()
          .toList();
    }

    TransactionPublished latest() {
      if (latest == null) {
        throw new IllegalStateException("a transaction was published without a record");
      }
      return latest;
    }
  }

  // ---- what is said -------------------------------------------------------------------------

  private List<Outgoing> outgoing(
      Received first,
      Map<RequestId, Received> causes,
      List<TransactionPublished> said,
      Decisions decisions) {
    List<Outgoing> out = new ArrayList<>();
    said.forEach(event -> out.add(Outgoing.of(event).causedBy(first)));
    if (!said.isEmpty()) {
      JournalPosition position = null;
      for (TransactionPublished event : said) {
        position = journal.says(event);
      }
      if (position != null) {
        out.add(Outgoing.of(position));
      }
    }
    decisions.work().forEach(work -> out.add(Outgoing.of(work).causedBy(first)));
    decisions
        .statuses()
        .forEach(
            status ->
                out.add(
                    Outgoing.of(status).causedBy(causes.getOrDefault(status.request(), first))));
    // Reports of work would stay on the compacted topic for ever.
    decisions
        .idle()
        .forEach(
            key ->
                out.add(
                    Outgoing.deleting(
                        new Event.WorkProgress(repository, key, 0, 0, first.writtenAt()))));
    decisions
        .notes()
        .forEach((key, note) -> out.add(PublisherNotes.outgoing(repository, key, note)));
    return out;
  }

  private static Optional<RequestId> request(Event event) {
    return switch (event) {
      case Event.ImagePlanned plan -> Optional.of(plan.request());
      case Event.DiffCommitRequested diff -> Optional.of(diff.request());
      case Event.RemovalRequested removal -> Optional.of(removal.request());
      case CollectionRequested asked -> Optional.of(asked.request());
      case Event.CollectionFinished end -> Optional.of(end.request());
      case Event.CancelRequested cancel -> Optional.of(cancel.request());
      case Event.ThinPushed pushed -> Optional.of(pushed.request());
      default -> Optional.empty();
    };
  }

  @Override
  public void close() {
    try {
      collecting.values().forEach(Collector.Running::stop);
      backend.close();
    } catch (CvmfsException e) {
      LOG.atWarn().setCause(e).log("closing a repository failed");
    } finally {
      compressor.close();
      tools.repository().close();
    }
  }
}
