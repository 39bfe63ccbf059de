package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.EditableCatalog;
import io.lamina.cvmfs.catalog.SealedCatalog;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.cvmfs.compression.ReferenceZlib;
import io.lamina.cvmfs.compression.SegmentedCompressor;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.RepositoryKeys;
import io.lamina.cvmfs.signing.SignedManifest;
import io.lamina.storage.Content;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes without the original tools: edits the catalogs in memory, stores what changed, and
 * swaps the manifest, which is the only commit point.
 *
 * <p>Order: catalogs, history, record; flush, and reflog; the follower, if there is one; manifest.
 * Whatever fails before the swap leaves objects that nothing names; nothing that can fail follows
 * it.
 *
 * <p>Thread-safe, one transaction at a time.
 *
 * <p>Source: docs/protocol/transactions.md, "Commit".
 */
public final class RepositoryWriter implements PublisherBackend {
  private static final Logger LOG = LoggerFactory.getLogger(RepositoryWriter.class);

  /** How often a transaction is built anew because others committed first. */
  static final int MAX_ATTEMPTS = 10;

  /** How many revisions back a transaction with a lost reply is looked for. */
  private static final int MAX_REVISIONS_BACK = 100;

  private static final long CATALOG_CACHE_BYTES = 128L << 20;
  private static final long SEGMENT_CACHE_BYTES = 48L << 20;
  private static final int MAX_THREADS = 8;

  private final RepositoryDefinition definition;
  private final ObjectStore store;
  private final RepositoryKeys keys;
  private final ObjectUploads uploads;
  private final ObjectCompressor compressor;
  private final ExecutorService workers;
  private final CatalogStore catalogs;
  private final RepositoryView view;
  private final HeadFile head;
  private final ReflogFile reflog;
  private final HistoryObject history;
  private final CompressedObject certificate;
  private final Optional<Follower> follower;
  private final Mode mode;

  /** How the reflog, which is one file and grows with each transaction, is kept. */
  enum Mode {
    /** Each transaction writes it. */
    EACH_REVISION,
    /**
     * Who commits calls {@link #settle} from time to time. Until then the file is what the manifest
     * names, and lacks what was committed since.
     */
    MANY_REVISIONS
  }

  RepositoryWriter(
      RepositoryDefinition definition,
      ObjectStore store,
      RepositoryKeys keys,
      Optional<Follower> follower) {
    this(definition, store, keys, follower, KnownTotals.NONE, Mode.EACH_REVISION);
  }

  RepositoryWriter(
      RepositoryDefinition definition,
      ObjectStore store,
      RepositoryKeys keys,
      Optional<Follower> follower,
      KnownTotals totals,
      Mode mode) {
    this.follower = follower;
    this.mode = mode;
    this.definition = definition;
    this.store = store;
    this.keys = keys;
    this.uploads = new ObjectUploads(store);
    this.compressor =
        new SegmentedCompressor(CatalogCompression.FOR_PUBLISHERS.level(), SEGMENT_CACHE_BYTES);
    this.workers =
        Executors.newFixedThreadPool(
            Math.clamp(Runtime.getRuntime().availableProcessors(), 1, MAX_THREADS),
            Thread.ofPlatform().daemon().name("catalogs-" + definition.name() + "-", 0).factory());
    this.catalogs = new CatalogStore(store, CATALOG_CACHE_BYTES, totals);
    this.certificate = ReferenceZlib.compress(keys.certificate().pem(), HashAlgorithm.SHA1);
    this.head = new HeadFile(store, keys, certificate.hash());
    this.reflog = new ReflogFile(store, definition.name());
    this.history = new HistoryObject(store, definition);
    this.view = new RepositoryView(catalogs, () -> head.current().manifest());
  }

  @Override
  public synchronized Manifest head() {
    head.forget();
    return head.current().manifest();
  }

  @Override
  public RepositoryView view() {
    return view;
  }

  @Override
  public Optional<byte[]> recordOf(ContentHash root) {
    try {
      return Optional.of(
          store.read(RepositoryFiles.record(root), RepositoryFiles.MAX_RECORD_BYTES));
    } catch (StorageException.NotFound e) {
      return Optional.empty();
    }
  }

  @Override
  public void forgetRecord(ContentHash root) {
    store.delete(RepositoryFiles.record(root));
  }

  @Override
  public synchronized Committed commit(
      List<CatalogChange> changes, long timestampSeconds, Recorder recorder) {
    if (follower.isEmpty()) {
      return commit(changes, timestampSeconds, recorder, Optional.empty());
    }
    try (Follower.Session session = follower.get().begin()) {
      catchUp(session);
      return commit(changes, timestampSeconds, recorder, Optional.of(session));
    }
  }

  private Committed commit(
      List<CatalogChange> changes,
      long timestampSeconds,
      Recorder recorder,
      Optional<Follower.Session> session) {
    StorageException.@Nullable Conflict last = null;
    for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      try {
        Committed committed = attempt(changes, timestampSeconds, recorder, session, attempt);
        view.refresh();
        return committed;
      } catch (StorageException.Conflict e) {
        LOG.atInfo()
            .addKeyValue("repository", definition.name())
            .addKeyValue("attempt", attempt)
            .log("another writer came first, building the transaction again");
        last = e;
        forgetFiles();
      } catch (RuntimeException e) {
        forgetFiles();
        throw translated(e);
      } catch (Error e) {
        forgetFiles();
        throw e;
      }
    }
    throw new RepositoryException.Conflict(
        "others committed to " + definition.name() + " first, " + MAX_ATTEMPTS + " times in a row",
        last);
  }

  private Committed attempt(
      List<CatalogChange> changes,
      long timestampSeconds,
      Recorder recorder,
      Optional<Follower.Session> session,
      int attempt) {
    Stopwatch watch = new Stopwatch();
    loadReflog();
    HeadFile.Head base = head.current();
    long timestamp = Math.max(timestampSeconds, base.manifest().publishedSeconds());
    long load = watch.lap();
    try (CatalogTree tree =
        new CatalogTree(base.manifest().rootCatalog(), catalogs, new Threads(), timestamp)) {
      tree.prefetch(changes);
      changes.forEach(tree::apply);
      long apply = watch.lap();
      if (tree.effective().isEmpty()) {
        return unchanged(base.manifest(), load, apply, attempt);
      }
      ContentHash root = tree.seal();
      long revision = base.manifest().revision() + 1;
      Tag.Snapshot snapshot = new Tag.Snapshot(root, tree.rootSizeBytes(), revision, timestamp);
      Optional<CompressedObject> tags =
          history.advanced(base.manifest().history(), snapshot, compressor);
      tags.ifPresent(object -> uploads.put(ObjectKind.HISTORY, object));
      uploads.put(ObjectKind.CERTIFICATE, certificate);
      Committed planned =
          new Committed(
              revision,
              timestamp,
              base.manifest().rootCatalog(),
              root,
              tree.rootSizeBytes(),
              tree.effective(),
              Committed.Timings.NONE);
      putRecord(root, recorder.record(planned));
      long stored = watch.lap();
      // The reflog may name what is not durable yet; only the manifest must not.
      Future<?> flushed = workers.submit(uploads::flush);
      Optional<ContentHash> reflogHash = base.manifest().reflog();
      try {
        Optional<ContentHash> newTags = tags.map(CompressedObject::hash);
        switch (mode) {
          case EACH_REVISION ->
              reflogHash = Optional.of(reflog.append(snapshot, certificate.hash(), newTags));
          case MANY_REVISIONS -> reflog.note(snapshot, certificate.hash(), newTags);
        }
      } finally {
        join(flushed);
      }
      long flush = watch.lap();
      Manifest next =
          ManifestChanges.next(
              base.manifest(),
              snapshot,
              certificate.hash(),
              tags.map(CompressedObject::hash).or(() -> base.manifest().history()),
              definition.settings(),
              reflogHash);
      session.ifPresent(following -> lead(following, next));
      swap(base, snapshot, next);
      Committed.Timings timings =
          new Committed.Timings(load, apply, stored, flush, watch.lap(), attempt);
      return withTimings(planned, timings);
    }
  }

  /**
   * Writes the reflog with all that was committed since, and names it in the manifest. One that
   * dies before leaves a reflog without these revisions: {@link #note} them again.
   */
  public synchronized void settle() {
    try {
      HeadFile.Head before = head.current();
      reflog
          .writeNoted()
          .ifPresent(
              hash -> head.swap(before, ManifestChanges.withReflog(before.manifest(), hash)));
    } catch (RuntimeException e) {
      forgetFiles();
      throw translated(e);
    }
  }

  /** Adds an earlier revision that the reflog lacks, if its root catalog is there. */
  public synchronized void note(Tag.Snapshot published) {
    try {
      loadReflog();
      if (!reflog.names(published.root())
          && uploads.contains(ObjectKind.CATALOG, published.root())) {
        reflog.note(published, certificate.hash(), Optional.empty());
      }
    } catch (RuntimeException e) {
      forgetFiles();
      throw translated(e);
    }
  }

  @Override
  public synchronized void pruneReflog(Collection<Reflog.Entry> forgotten, Runnable owned) {
    StorageException.@Nullable Conflict last = null;
    for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      try {
        forgetFiles();
        loadReflog();
        HeadFile.Head base = head.current();
        owned.run();
        // A writer that dies in between leaves what the next one repairs.
        reflog
            .prune(forgotten)
            .ifPresent(hash -> head.swap(base, ManifestChanges.withReflog(base.manifest(), hash)));
        return;
      } catch (StorageException.Conflict e) {
        last = e;
      } catch (RuntimeException e) {
        forgetFiles();
        throw translated(e);
      }
    }
    forgetFiles();
    throw new RepositoryException.Conflict(
        "others committed to " + definition.name() + " first, " + MAX_ATTEMPTS + " times in a row",
        last);
  }

  private static Committed unchanged(Manifest manifest, long load, long apply, int attempt) {
    return new Committed(
        manifest.revision(),
        manifest.publishedSeconds(),
        manifest.rootCatalog(),
        manifest.rootCatalog(),
        manifest.rootCatalogSizeBytes(),
        List.of(),
        new Committed.Timings(load, apply, 0, 0, 0, attempt));
  }

  private static Committed withTimings(Committed committed, Committed.Timings timings) {
    return new Committed(
        committed.revision(),
        committed.timestampSeconds(),
        committed.previousRoot(),
        committed.root(),
        committed.rootSizeBytes(),
        committed.effective(),
        timings);
  }

  // ---- before the commit point --------------------------------------------------------------

  /** Opens and stores catalogs on the worker threads. */
  private final class Threads implements CatalogTree.Workshop {
    @Override
    public List<EditableCatalog> open(List<ContentHash> hashes) {
      return all(hashes, RepositoryWriter.this::openCatalog);
    }

    @Override
    public List<CatalogTree.Stored> store(List<EditableCatalog> sealing, long timestampSeconds) {
      return all(sealing, catalog -> storeCatalog(catalog.seal(timestampSeconds)));
    }

    private <I, O> List<O> all(List<I> inputs, Function<I, O> job) {
      if (inputs.size() == 1) {
        return List.of(job.apply(inputs.getFirst()));
      }
      List<Future<O>> results = new ArrayList<>();
      for (I input : inputs) {
        results.add(workers.submit(() -> job.apply(input)));
      }
      // Every job has ended before the first failure is passed on: what they use may be closed
      // then.
      List<O> outputs = new ArrayList<>();
      Throwable failure = null;
      for (Future<O> result : results) {
        try {
          outputs.add(join(result));
        } catch (RuntimeException | Error e) {
          failure = failure == null ? e : failure;
        }
      }
      if (failure instanceof RuntimeException e) {
        throw e;
      }
      if (failure instanceof Error e) {
        throw e;
      }
      return outputs;
    }
  }

  private EditableCatalog openCatalog(ContentHash hash) {
    try {
      return EditableCatalog.open(catalogs.read(hash), hash);
    } catch (CvmfsException.Corrupt | CvmfsException.Rejected e) {
      throw new RepositoryException.Corrupt("catalog " + hash + " cannot be changed", e);
    }
  }

  private CatalogTree.Stored storeCatalog(SealedCatalog catalog) {
    CompressedObject object = compressor.compress(catalog.database(), HashAlgorithm.SHA1);
    uploads.put(ObjectKind.CATALOG, object);
    catalogs.keep(object.hash(), catalog.database());
    return new CatalogTree.Stored(catalog, object.hash());
  }

  private static <T> T join(Future<T> result) {
    try {
      return result.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw new IllegalStateException("storing a catalog failed", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RepositoryException.Retryable("interrupted while storing catalogs", e);
    }
  }

  /** An attempt that came to the same root may have left a record with other requests. */
  private void putRecord(ContentHash root, byte[] record) {
    ObjectKey key = RepositoryFiles.record(root);
    if (store.putIfAbsent(key, Content.of(record)) == ObjectStore.PutOutcome.ALREADY_PRESENT) {
      store.delete(key);
      store.putIfAbsent(key, Content.of(record));
    }
  }

  private void loadReflog() {
    HeadFile.Head before = head.current();
    reflog.load(before.manifest()).ifPresent(found -> repairReflogHash(before, found));
  }

  /**
   * A writer that died between reflog and manifest leaves a reflog that the manifest does not name,
   * and the original check refuses that. The same revision is signed again with the right hash.
   */
  private void repairReflogHash(HeadFile.Head before, ContentHash found) {
    LOG.atWarn()
        .addKeyValue("repository", definition.name())
        .addKeyValue("revision", before.manifest().revision())
        .log("a writer died before its commit point; naming the reflog that it left");
    head.swap(before, ManifestChanges.withReflog(before.manifest(), found));
  }

  // ---- the follower -------------------------------------------------------------------------

  /** Brings the follower to what is about to become the head; whoever comes next can finish it. */
  private void lead(Follower.Session session, Manifest next) {
    Optional<ObjectStore.Versioned> before =
        store.readMutable(RepositoryFiles.NEXT, SignedManifest.MAX_READ_BYTES);
    store.swap(
        RepositoryFiles.NEXT, before.map(ObjectStore.Versioned::version), keys.sign(next).bytes());
    session.show(next.rootCatalog());
  }

  /** Finishes what a predecessor left half done. */
  synchronized void catchUp() {
    if (follower.isPresent()) {
      try (Follower.Session session = follower.get().begin()) {
        catchUp(session);
      }
    }
  }

  /**
   * A writer that died after its follower showed a revision has made it: it becomes the head. Else
   * the follower is brought back to the head.
   */
  private void catchUp(Follower.Session session) {
    try {
      head.forget();
      HeadFile.Head current = head.current();
      Optional<Manifest> promised = promised(current.manifest());
      if (promised.isPresent() && session.shows(promised.get().rootCatalog())) {
        LOG.atInfo()
            .addKeyValue("repository", definition.name())
            .addKeyValue("revision", promised.get().revision())
            .log("finishing the transaction of a writer that died");
        head.swap(current, promised.get());
        reflog.forget();
        view.refresh();
        return;
      }
      Manifest shown = current.manifest();
      boolean nothingToShow = session.isEmpty() && shown.revision() == 0;
      if (!nothingToShow && !session.shows(shown.rootCatalog())) {
        LOG.atWarn()
            .addKeyValue("repository", definition.name())
            .addKeyValue("revision", shown.revision())
            .log("clients do not see this revision, showing it again");
        session.show(shown.rootCatalog());
      }
    } catch (RuntimeException e) {
      forgetFiles();
      throw translated(e);
    }
  }

  /** What was about to follow the head, signed by us. */
  private Optional<Manifest> promised(Manifest current) {
    Optional<ObjectStore.Versioned> file =
        store.readMutable(RepositoryFiles.NEXT, SignedManifest.MAX_READ_BYTES);
    if (file.isEmpty()) {
      return Optional.empty();
    }
    SignedManifest signed = SignedManifest.parse(file.get().bytes());
    Manifest next = signed.manifest();
    if (next.rootCatalog().equals(current.rootCatalog())
        || next.revision() != current.revision() + 1
        || !next.repository().equals(definition.name())) {
      return Optional.empty();
    }
    signed.verify(keys.certificate());
    try (CatalogReader reader = CatalogReader.open(catalogs.read(next.rootCatalog()))) {
      return reader.previousRevision().filter(current.rootCatalog()::equals).map(previous -> next);
    }
  }

  // ---- the commit point ---------------------------------------------------------------------

  private void swap(HeadFile.Head base, Tag.Snapshot snapshot, Manifest next) {
    try {
      head.swap(base, next);
    } catch (StorageException.OutcomeUnknown e) {
      decide(base, snapshot, e);
    }
  }

  /** The reply to the swap was lost: reads what came of it. */
  private void decide(
      HeadFile.Head base, Tag.Snapshot snapshot, StorageException.OutcomeUnknown lost) {
    HeadFile.Head now;
    try {
      head.forget();
      now = head.current();
    } catch (RuntimeException e) {
      RepositoryException.OutcomeUnknown unknown =
          new RepositoryException.OutcomeUnknown(
              "whether revision "
                  + snapshot.revision()
                  + " of "
                  + definition.name()
                  + " was published is not known: the reply was lost and the manifest cannot be"
                  + " read",
              lost);
      unknown.addSuppressed(e);
      throw unknown;
    }
    if (isOrFollows(now.manifest(), snapshot)) {
      LOG.atInfo()
          .addKeyValue("repository", definition.name())
          .addKeyValue("revision", snapshot.revision())
          .log("the reply to the commit was lost, but the commit was not");
      return;
    }
    if (now.version().equals(base.version())) {
      throw new RepositoryException.Retryable(
          "the reply to the commit of " + definition.name() + " was lost, and the commit with it",
          lost);
    }
    throw new StorageException.Conflict("another writer committed to " + definition.name());
  }

  private boolean isOrFollows(Manifest manifest, Tag.Snapshot snapshot) {
    ContentHash root = manifest.rootCatalog();
    long revision = manifest.revision();
    for (int i = 0; i < MAX_REVISIONS_BACK && revision >= snapshot.revision(); i++) {
      if (root.equals(snapshot.root())) {
        return true;
      }
      try (CatalogReader reader = CatalogReader.open(catalogs.read(root))) {
        Optional<ContentHash> previous = reader.previousRevision();
        if (previous.isEmpty()) {
          return false;
        }
        root = previous.get();
        revision--;
      }
    }
    return false;
  }

  /** Not what was noted and not written: nobody else knows it. */
  private void forgetFiles() {
    head.forget();
    if (mode == Mode.EACH_REVISION) {
      reflog.forget();
    }
  }

  private RuntimeException translated(RuntimeException e) {
    String what = "the transaction on " + definition.name() + " failed: " + e.getMessage();
    return switch (e) {
      case RepositoryException ours -> ours;
      case CvmfsException.Rejected rejected -> new RepositoryException.Rejected(what, rejected);
      case CvmfsException.Corrupt corrupt -> new RepositoryException.Corrupt(what, corrupt);
      case CvmfsException.NotFound missing -> new RepositoryException.Corrupt(what, missing);
      case CvmfsException.Retryable passing -> new RepositoryException.Retryable(what, passing);
      case StorageException.Rejected rejected -> new RepositoryException.Rejected(what, rejected);
      case StorageException.Corrupt corrupt -> new RepositoryException.Corrupt(what, corrupt);
      case StorageException other -> new RepositoryException.Retryable(what, other);
      default -> e;
    };
  }

  @Override
  public synchronized void close() {
    view.close();
    reflog.forget();
    workers.shutdownNow();
    compressor.close();
  }
}
