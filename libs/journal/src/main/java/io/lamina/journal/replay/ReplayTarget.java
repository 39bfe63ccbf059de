package io.lamina.journal.replay;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.reader.OpenCatalog;
import io.lamina.cvmfs.reader.VerifiedObjects;
import io.lamina.journal.JournalException;
import io.lamina.journal.Snapshot;
import io.lamina.messaging.event.RepositoryOrigin;
import io.lamina.repository.Beginning;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.repository.RepositoryException;
import io.lamina.storage.StorageLocation;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Opens the repository that a replay goes into, or makes it as the original was made. Stateless.
 */
public final class ReplayTarget {
  private static final String TTL_PROPERTY = "TTL";

  private ReplayTarget() {}

  /**
   * Opens a repository of the data folder, whatever it shows, or makes a new one whose first root
   * catalog is the one on which the journal begins. Keys that lie in the data folder are used.
   *
   * @param storage where a new one lies; empty for the data folder
   * @param origin how the original was made; else as the journal or the snapshot says, or as the
   *     original's first root catalog says if a source has it
   * @param start where a new one begins; empty for the journal's beginning
   * @throws JournalException.Rejected if it cannot be made so; nothing is made then
   * @throws Replay.Ended if bringing what it begins with has ended early
   */
  public static Repository open(
      Repositories repositories,
      RepositoryName name,
      Optional<StorageLocation> storage,
      ReplayPlan plan,
      Optional<RepositoryOrigin> origin,
      Optional<SnapshotStart> start,
      ObjectSources sources,
      Clock clock) {
    Beginning beginning = start.map(SnapshotStart::beginning).orElse(Beginning.EMPTY);
    Optional<RepositoryDefinition> there = repositories.definition(name);
    if (there.isPresent()) {
      if (storage.isPresent() && !there.get().storage().equals(storage)) {
        throw new JournalException.Rejected(
            "repository " + name + " exists and lies elsewhere; leave the storage out to go on");
      }
      if (!(there.get().backend() instanceof RepositoryDefinition.Backend.Native)) {
        throw new JournalException.Rejected(
            name + " is published by a release manager; replay into a native repository");
      }
      if (hasManifest(repositories, name)) {
        return repositories.open(name);
      }
      RepositoryDefinition defined = there.get();
      RepositoryOrigin made =
          origin
              .or(plan::origin)
              .orElseGet(() -> usual(defined.createdAt(), defined.settings().ttl().toSeconds()));
      if (start.isEmpty()) {
        requireSameStart(plan, made);
      }
      return repositories.restore(
          name,
          made.createdAt(),
          Duration.ofSeconds(made.ttlSeconds()),
          beginning,
          new SecureRandom(),
          clock);
    }
    RepositoryOrigin made =
        origin
            .or(plan::origin)
            .or(() -> start.map(begun -> originOf(begun.snapshot())))
            .or(() -> fromFirstRoot(plan.firstBase(), sources))
            .orElseThrow(
                () ->
                    new JournalException.Rejected(
                        "the journal does not say when "
                            + plan.source()
                            + " was created, and no source has its first root catalog "
                            + plan.firstBase()
                            + ": give the time of creation, which the old definition"
                            + " repositories/"
                            + plan.source()
                            + ".json holds"));
    if (start.isEmpty()) {
      requireSameStart(plan, made);
    }
    return repositories.create(
        new RepositoryDefinition(
            name,
            storage,
            Optional.empty(),
            RepositoryDefinition.Backend.NATIVE,
            new RepositoryDefinition.Settings(
                Duration.ofSeconds(made.ttlSeconds()),
                made.flat(),
                made.garbageCollectable(),
                made.tags(),
                made.genericTags()),
            made.createdAt()),
        beginning,
        new SecureRandom(),
        clock);
  }

  /** What is not said there is as the manifest says, or as usual. */
  private static RepositoryOrigin originOf(Snapshot snapshot) {
    return snapshot
        .origin()
        .orElseGet(
            () ->
                usual(
                    Instant.ofEpochSecond(snapshot.manifest().publishedSeconds()),
                    snapshot.manifest().ttl().toSeconds()));
  }

  private static boolean hasManifest(Repositories repositories, RepositoryName name) {
    try (Repository repository = repositories.open(name)) {
      repository.manifest();
      return true;
    } catch (RepositoryException.NotFound e) {
      return false;
    }
  }

  private static void requireSameStart(ReplayPlan plan, RepositoryOrigin made) {
    if (plan.firstRevision() != 1) {
      throw new JournalException.Rejected(
          "the journal begins with revision "
              + plan.firstRevision()
              + " of "
              + plan.source()
              + "; an empty repository needs it from revision 1, or a snapshot to begin with");
    }
    ContentHash root =
        Repositories.firstRoot(made.createdAt(), Duration.ofSeconds(made.ttlSeconds()));
    if (!root.equals(plan.firstBase())) {
      throw new JournalException.Rejected(
          "a repository created at "
              + made.createdAt()
              + " with a time to live of "
              + made.ttlSeconds()
              + " s begins on root "
              + root
              + ", and the journal begins on "
              + plan.firstBase()
              + ": the time of creation or the time to live is another; nothing was made");
    }
  }

  /** What is not said there is as usual. */
  private static Optional<RepositoryOrigin> fromFirstRoot(ContentHash root, ObjectSources sources) {
    if (!(sources.fetch(ObjectKind.CATALOG, root) instanceof ObjectSources.Fetched.Found found)) {
      return Optional.empty();
    }
    try (HeldObject object = found.object();
        OpenCatalog catalog =
            new VerifiedObjects(object.asFiles(), sources.scratch()).openCatalog(root, 0)) {
      return Optional.of(
          usual(
              Instant.ofEpochSecond(catalog.reader().lastModifiedSeconds()),
              Long.parseLong(catalog.reader().properties().getOrDefault(TTL_PROPERTY, ""))));
    } catch (CvmfsException.Corrupt | NumberFormatException e) {
      throw new JournalException.Corrupt("the first root catalog " + root + " is damaged", e);
    }
  }

  /** A repository with the usual settings but for these. */
  public static RepositoryOrigin usual(Instant createdAt, long ttlSeconds) {
    RepositoryDefinition.Settings usual = RepositoryDefinition.Settings.DEFAULT;
    return new RepositoryOrigin(
        createdAt,
        ttlSeconds,
        usual.flat(),
        usual.garbageCollectable(),
        usual.tags(),
        usual.genericTags());
  }
}
