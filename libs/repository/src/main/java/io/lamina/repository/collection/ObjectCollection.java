package io.lamina.repository.collection;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.history.History;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.SignedManifest;
import io.lamina.repository.PublisherBackend;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.collection.CollectionReport.Amount;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes the objects that neither a revision that is kept nor an unfinished request refers to:
 * {@link #mark}, {@link #forget}, then {@link #sweep} for each of {@link #SHARDS} shards. Whatever
 * fails, and whenever it breaks off, nothing is lost that is referred to, and doing all of it again
 * goes on.
 *
 * <p>Conversions and publications may go on meanwhile: what they store or find is younger than the
 * grace period. Nothing is deleted unless everything that is referred to was read and verified.
 *
 * <p>Source: docs/adr/0071-old-objects-are-condemned-by-age.md. For one thread; close it.
 */
public final class ObjectCollection implements AutoCloseable {
  public static final int SHARDS = MarkedDigests.SHARDS;

  private static final Logger LOG = LoggerFactory.getLogger(ObjectCollection.class);
  private static final Pattern OBJECT =
      Pattern.compile("data/([0-9a-f]{2})/([0-9a-f]{38})(-rmd160|-shake128)?[CHPXML]?");
  private static final String RECORDS = "lamina/transactions/";
  private static final ObjectKey NEXT = new ObjectKey("lamina/next");
  private static final ObjectKey REFLOG = new ObjectKey(Reflog.FILE_NAME);
  private static final int BUFFERED_MARKS = 8_192;

  /** How many deletions may follow one look at whether they are still this one's to make. */
  private static final int DELETIONS_PER_LOOK = 100;

  private final ObjectStore store;
  private final PublisherBackend backend;
  private final CollectionSettings settings;
  private final Clock clock;
  private final boolean dryRun;
  private final Path folder;
  private final StoredObjects objects;
  private final MarkedDigests marks;

  private @Nullable KeptRevisions kept;
  private Set<ContentHash> logged = Set.of();
  private long condemnedBeforeSeconds;
  private long catalogs;
  private Amount keptObjects = Amount.NONE;
  private Amount young = Amount.NONE;
  private Amount removed = Amount.NONE;
  private long foreignFiles;

  /**
   * @param backend of the same repository; stays the caller's
   * @param dryRun finds and counts, and changes nothing
   */
  public ObjectCollection(
      ObjectStore store,
      PublisherBackend backend,
      CollectionSettings settings,
      Clock clock,
      boolean dryRun) {
    this.store = store;
    this.backend = backend;
    this.settings = settings;
    this.clock = clock;
    this.dryRun = dryRun;
    this.objects = new StoredObjects(store);
    try {
      Files.createDirectories(settings.workFolder());
      this.folder = Files.createTempDirectory(settings.workFolder(), "collection-");
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot make a folder for lists in " + settings.workFolder(), e);
    }
    this.marks = new MarkedDigests(folder, BUFFERED_MARKS);
  }

  /**
   * All steps.
   *
   * @param outside what unfinished requests refer to, asked for after the start
   * @param mayGoOn throws if somebody else owns the repository now, or this is to stop
   * @throws RepositoryException.Corrupt if something that is referred to is missing or damaged;
   *     then nothing was deleted
   */
  public CollectionReport run(CollectionRoots outside, Runnable mayGoOn) {
    mark(outside);
    mayGoOn.run();
    forget(mayGoOn);
    for (int shard = 0; shard < SHARDS; shard++) {
      sweep(shard, mayGoOn);
    }
    finish();
    return report();
  }

  /** Reads everything that is referred to. */
  public void mark(CollectionRoots outside) {
    Instant now = clock.instant();
    condemnedBeforeSeconds = now.minus(settings.grace()).getEpochSecond();
    Manifest manifest = backend.head();
    List<Reflog.Entry> log = reflog(manifest);
    Set<ContentHash> named = new LinkedHashSet<>(tagged(manifest));
    promised().ifPresent(named::add);
    KeptRevisions revisions = KeptRevisions.of(log, manifest, named, settings, now);
    Set<ContentHash> roots = new LinkedHashSet<>(revisions.roots());
    roots.addAll(outside.catalogs());
    try (CatalogMarking marking = new CatalogMarking(objects, marks, settings.threads())) {
      marking.mark(roots);
      catalogs = marking.catalogs();
    }
    revisions.others().forEach(entry -> marks.add(entry.hash().digest()));
    outside.objects().forEach(object -> marks.add(object.digest()));
    // Every nested catalog names it, and nobody stores it with each.
    for (HashAlgorithm algorithm : HashAlgorithm.values()) {
      marks.add(CompressedObject.empty(algorithm).hash().digest());
    }
    marks.add(manifest.certificate().digest());
    manifest.history().ifPresent(hash -> marks.add(hash.digest()));
    manifest.metaInfo().ifPresent(hash -> marks.add(hash.digest()));
    Set<ContentHash> all = new HashSet<>();
    log.forEach(entry -> all.add(entry.hash()));
    logged = all;
    kept = revisions;
  }

  private List<Reflog.Entry> reflog(Manifest manifest) {
    List<Reflog.Entry> entries = new ArrayList<>();
    Optional<ObjectStore.Versioned> file = store.readMutable(REFLOG, Reflog.MAX_BYTES);
    if (file.isEmpty()) {
      throw new RepositoryException.Corrupt(
          "the reflog of "
              + manifest.repository()
              + " is missing, so that nobody knows its revisions; publish something, which makes"
              + " a new one",
          null);
    }
    try (Reflog reflog = Reflog.open(file.get().bytes(), manifest.repository())) {
      reflog.forEach(entries::add);
      return entries;
    } catch (CvmfsException e) {
      throw new RepositoryException.Corrupt(
          "the reflog of " + manifest.repository() + " cannot be read: " + e.getMessage(), e);
    }
  }

  private Set<ContentHash> tagged(Manifest manifest) {
    if (manifest.history().isEmpty()) {
      return Set.of();
    }
    byte[] database = objects.read(ObjectKind.HISTORY, manifest.history().get(), History.MAX_BYTES);
    Set<ContentHash> roots = new LinkedHashSet<>();
    try (History history = History.open(database, manifest.repository())) {
      for (Tag tag : history.tags()) {
        roots.add(tag.snapshot().root());
      }
      return roots;
    } catch (CvmfsException e) {
      throw new RepositoryException.Corrupt(
          "the history of " + manifest.repository() + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** What a follower is being brought to. */
  private Optional<ContentHash> promised() {
    return store
        .readMutable(NEXT, SignedManifest.MAX_READ_BYTES)
        .map(file -> SignedManifest.parse(file.bytes()).manifest().rootCatalog());
  }

  /** Takes the revisions that go out of the reflog, before anything of theirs is deleted. */
  public void forget(Runnable mayGoOn) {
    KeptRevisions revisions = marked();
    if (!dryRun && !revisions.forgotten().isEmpty()) {
      backend.pruneReflog(revisions.forgotten(), mayGoOn);
      checkTags(revisions);
    }
    if (!dryRun) {
      mayGoOn.run();
      Optional<ObjectStore.Versioned> mark = store.readMutable(ObjectStore.SWEEP_MARK, 1 << 10);
      if (mark.isEmpty()) {
        tolerating(() -> store.swap(ObjectStore.SWEEP_MARK, Optional.empty(), new byte[] {'\n'}));
      }
    }
  }

  /** Whoever tags a revision from now on finds that it is not in the reflog. */
  private void checkTags(KeptRevisions revisions) {
    Set<ContentHash> forgotten = new HashSet<>();
    revisions.forgotten().forEach(entry -> forgotten.add(entry.hash()));
    for (ContentHash root : tagged(backend.head())) {
      if (forgotten.contains(root) && !revisions.roots().contains(root)) {
        throw new RepositoryException.Conflict(
            "revision " + root + " was tagged while it was to be forgotten; nothing was deleted",
            null);
      }
    }
  }

  /** Somebody else did it at the same moment. */
  private static void tolerating(Runnable step) {
    try {
      step.run();
    } catch (StorageException.Conflict e) {
      LOG.atDebug().log("the mark of a sweep is there already");
    }
  }

  /**
   * Deletes the objects of one shard that are old and not marked.
   *
   * @param shard from 0, below {@link #SHARDS}
   */
  public void sweep(int shard, Runnable mayGoOn) {
    marked();
    long[] referred = marks.sorted(shard);
    List<ObjectStore.Stat> condemned = new ArrayList<>();
    store.list("data/%02x/".formatted(shard), stat -> judge(stat, referred, condemned));
    for (int i = 0; i < condemned.size(); i++) {
      ObjectStore.Stat stat = condemned.get(i);
      if (i % DELETIONS_PER_LOOK == 0 && !dryRun) {
        mayGoOn.run();
      }
      if (dryRun || store.deleteIfOlder(stat.key(), condemnedBeforeSeconds)) {
        removed = removed.plus(stat.sizeBytes());
      } else {
        young = young.plus(stat.sizeBytes());
      }
    }
  }

  private void judge(ObjectStore.Stat stat, long[] referred, List<ObjectStore.Stat> condemned) {
    Matcher name = OBJECT.matcher(stat.key().value());
    if (!name.matches()) {
      foreignFiles++;
      return;
    }
    byte[] digest = HexFormat.of().parseHex(name.group(1) + name.group(2));
    if (Arrays.binarySearch(referred, MarkedDigests.fingerprint(digest)) >= 0) {
      keptObjects = keptObjects.plus(stat.sizeBytes());
    } else if (stat.modifiedSeconds() >= condemnedBeforeSeconds) {
      young = young.plus(stat.sizeBytes());
    } else {
      condemned.add(stat);
    }
  }

  /** After the last sweep: what attempts at transactions have left that never came to be. */
  public void finish() {
    if (dryRun) {
      return;
    }
    List<ObjectKey> spent = new ArrayList<>();
    store.list(
        RECORDS,
        stat -> {
          if (stat.modifiedSeconds() < condemnedBeforeSeconds && !isLogged(stat.key())) {
            spent.add(stat.key());
          }
        });
    spent.forEach(store::delete);
    store.delete(ObjectStore.SWEEP_MARK);
  }

  /** The journal may still lack what the reflog names. */
  private boolean isLogged(ObjectKey record) {
    try {
      return logged.contains(ContentHash.parse(record.value().substring(RECORDS.length())));
    } catch (CvmfsException.Rejected e) {
      return true; // not ours
    }
  }

  public CollectionReport report() {
    KeptRevisions revisions = marked();
    int forgotten = 0;
    for (Reflog.Entry entry : revisions.forgotten()) {
      forgotten += entry.kind() == Reflog.Kind.CATALOG ? 1 : 0;
    }
    return new CollectionReport(
        dryRun,
        revisions.roots().size(),
        forgotten,
        catalogs,
        keptObjects,
        young,
        removed,
        foreignFiles);
  }

  private KeptRevisions marked() {
    if (kept == null) {
      throw new IllegalStateException("nothing was marked yet");
    }
    return kept;
  }

  @Override
  public void close() {
    marks.close();
    try {
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      LOG.atWarn().addKeyValue("folder", folder).setCause(e).log("cannot delete a work folder");
    }
  }
}
