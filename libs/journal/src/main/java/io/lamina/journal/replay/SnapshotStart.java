package io.lamina.journal.replay;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.reader.OpenCatalog;
import io.lamina.cvmfs.reader.VerifiedObjects;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalException;
import io.lamina.journal.Snapshot;
import io.lamina.repository.Beginning;
import io.lamina.repository.ObjectUploads;
import io.lamina.repository.RepositoryLayout;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The beginning of a replay at a snapshot: brings all that its root catalog shows into a store that
 * has no repository yet. Trees are brought in windows, as a replay does, and the catalogs above
 * them last, the lowest first: so whatever ends it, the next run goes on from there.
 *
 * <p>Source: docs/adr/0064-snapshots-are-signed-manifests.md. One use by one thread.
 */
public final class SnapshotStart {
  /** Far more than the publisher's own catalogs ever are: it bounds hostile ones. */
  private static final int MAX_CATALOGS = 1_000_000;

  private static final int MAX_NEEDED = 20_000_000;
  private static final int MAX_NESTING = 64;
  private static final int MAX_STORED_CATALOG_BYTES = 256 << 20;
  private static final int WINDOW = 256;
  private static final int MAX_KEPT_MISSING = 100_000;

  private final Snapshot snapshot;
  private final ReplayPlan plan;
  private final Replay.Means means;

  /**
   * @throws JournalException.Rejected if the journal says something else of the snapshot's
   *     revision, or the replay ends before it
   */
  public SnapshotStart(Journal journal, Snapshot snapshot, ReplayPlan plan, Replay.Means means) {
    this.snapshot = snapshot;
    this.plan = plan;
    this.means = means;
    if (snapshot.revision() > plan.lastRevision()) {
      throw new JournalException.Rejected(
          "the snapshot is of revision "
              + snapshot.revision()
              + ", and the replay ends with "
              + plan.lastRevision()
              + ": leave the snapshot out, or take an older one");
    }
    snapshot.requireIn(journal);
  }

  Snapshot snapshot() {
    return snapshot;
  }

  Beginning beginning() {
    return new Beginning(Optional.of(snapshot.head()), this::bring);
  }

  private record Place(int depth, RepositoryPath path, ContentHash hash) {}

  /**
   * @throws Replay.Ended if it was stopped, or something that counts is nowhere
   */
  private void bring(ObjectStore store) {
    ObjectUploads uploads = new ObjectUploads(store);
    try (TreeCopy copy = means.copyInto(uploads)) {
      List<TreeCopy.Waiting> own = new ArrayList<>();
      List<MissingObject> missing = new ArrayList<>();
      try {
        List<Needed> needed = walk(store, uploads, own, missing);
        Bringing bringing =
            new Bringing(
                copy,
                means.remaker(),
                store,
                one -> Bringing.isWorthMaking(one, counts(one.hash())));
        for (int from = 0; from < needed.size(); from += WINDOW) {
          List<Needed> window = needed.subList(from, Math.min(from + WINDOW, needed.size()));
          for (MissingObject object : bringing.bring(window)) {
            if (counts(object.tree()) && missing.size() < MAX_KEPT_MISSING) {
              missing.add(object);
            }
          }
          means.listener().accept(progress(missing));
        }
        if (!missing.isEmpty()) {
          throw new Replay.Ended(
              new Replay.Outcome.Incomplete(progress(missing), List.copyOf(missing)));
        }
        copy.store(own);
      } catch (TreeCopy.Stopped e) {
        throw new Replay.Ended(new Replay.Outcome.Stopped(progress(missing)));
      } finally {
        own.forEach(waiting -> waiting.object().close());
      }
    }
  }

  /**
   * Whether the end needs it. Where the journal says all from the first revision on, what later
   * revisions take away may be gone.
   */
  private boolean counts(ContentHash tree) {
    return plan.firstRevision() > 1 || plan.shown().contains(tree);
  }

  private Replay.Progress progress(List<MissingObject> missing) {
    return new Replay.Progress(
        0,
        plan.lastRevision(),
        means.figures().objectsCopied(),
        means.figures().bytesCopied(),
        means.figures().objectsPresent(),
        missing.size());
  }

  /** Reads the catalogs above the trees; what they name is returned. */
  private List<Needed> walk(
      ObjectStore store,
      ObjectUploads uploads,
      List<TreeCopy.Waiting> own,
      List<MissingObject> missing) {
    List<Needed> needed = new ArrayList<>();
    Set<ContentHash> known = new HashSet<>();
    Deque<Place> next = new ArrayDeque<>();
    next.add(new Place(0, RepositoryPath.ROOT, snapshot.manifest().rootCatalog()));
    while (!next.isEmpty()) {
      if (means.stopped().getAsBoolean()) {
        throw new TreeCopy.Stopped();
      }
      Place place = next.remove();
      if (own.size() == MAX_CATALOGS || needed.size() > MAX_NEEDED || place.depth() > MAX_NESTING) {
        throw new JournalException.Corrupt(
            "the snapshot's catalogs are more or deeper than those of any repository, at "
                + place.path());
      }
      HeldObject object = catalog(store, uploads, place, missing);
      if (object == null) {
        continue;
      }
      own.add(new TreeCopy.Waiting(place.depth(), place.hash(), object));
      try (OpenCatalog catalog =
          new VerifiedObjects(object.asFiles(), means.sources().scratch())
              .openCatalog(place.hash(), 0)) {
        TreeCopy.forEachObject(
            catalog.reader(),
            place.path(),
            (kind, hash) -> {
              if (known.add(hash)) {
                needed.add(new Needed(place.path(), kind, hash));
              }
            });
        for (NestedCatalog nested : catalog.reader().nestedCatalogs()) {
          if (!known.add(nested.hash())) {
            continue;
          }
          if (RepositoryLayout.isTree(nested.path())) {
            needed.add(new Needed(nested.path(), ObjectKind.CATALOG, nested.hash()));
          } else {
            next.add(new Place(place.depth() + 1, nested.path(), nested.hash()));
          }
        }
      } catch (CvmfsException.Corrupt e) {
        throw new JournalException.Corrupt(
            "catalog " + place.hash() + " of " + place.path() + " is damaged: " + e.getMessage(),
            e);
      }
    }
    return needed;
  }

  private @Nullable HeldObject catalog(
      ObjectStore store, ObjectUploads uploads, Place place, List<MissingObject> missing) {
    if (uploads.contains(ObjectKind.CATALOG, place.hash())) {
      try {
        byte[] bytes =
            store.read(
                new ObjectKey(ObjectKind.CATALOG.pathOf(place.hash())), MAX_STORED_CATALOG_BYTES);
        if (CompressedObject.ofStored(bytes, place.hash().algorithm())
            .hash()
            .equals(place.hash())) {
          return HeldObject.of(bytes);
        }
      } catch (StorageException.NotFound e) {
        // Somebody cleans up; a source has it.
      }
    }
    return switch (means.sources().fetch(ObjectKind.CATALOG, place.hash())) {
      case ObjectSources.Fetched.Found found -> found.object();
      case ObjectSources.Fetched.Missing nowhere -> {
        missing.add(
            new MissingObject(
                place.path(),
                place.hash(),
                ObjectKind.CATALOG,
                place.hash(),
                nowhere.reason()
                    + "; without the publisher's catalogs of revision "
                    + snapshot.revision()
                    + " nothing begins there: take a later snapshot, or replay without one"));
        yield null;
      }
    };
  }
}
