package io.lamina.journal;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.TrustedManifest;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.cvmfs.signing.SignedWhitelist;
import io.lamina.cvmfs.signing.Whitelist;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.messaging.event.RepositoryOrigin;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a repository was at one revision, as its own publisher signed it: the manifest, and what it
 * takes to verify that. A replay can begin there, since all else follows from the root hash.
 * Immutable.
 *
 * <p>Source: docs/format/snapshot-file.md, docs/adr/0064-snapshots-are-signed-manifests.md.
 */
public final class Snapshot {
  /** Manifest, whitelist, certificate. */
  static final int FILES = 3;

  /** Far above what any of them has. */
  static final int MAX_FILE_BYTES = 64 << 10;

  private final Optional<RepositoryOrigin> origin;
  private final SortedMap<String, byte[]> files;
  private final Manifest manifest;

  private Snapshot(
      Optional<RepositoryOrigin> origin, SortedMap<String, byte[]> files, Manifest manifest) {
    this.origin = origin;
    this.files = files;
    this.manifest = manifest;
  }

  /**
   * Takes one of what a repository shows now.
   *
   * @param reader the repository's name, whom to trust, and the clock that decides whether the
   *     whitelist is valid
   * @param origin how the repository was made, if that is known
   * @throws CvmfsException as {@link TrustedManifest#fetch}
   */
  public static Snapshot take(
      RepositoryFiles from, ReaderSettings reader, Optional<RepositoryOrigin> origin) {
    SortedMap<String, byte[]> kept = new TreeMap<>();
    Manifest manifest = TrustedManifest.fetch(new Keeping(from, kept), reader).manifest();
    return new Snapshot(origin, kept, manifest);
  }

  /**
   * Verifies what was read from a file. The whitelist counts as of its own time: that it has
   * expired since is for clients to refuse.
   *
   * @throws JournalException.Corrupt if it is of another repository, or nobody whom these keys
   *     trust has signed it
   */
  static Snapshot verified(
      String where,
      Optional<RepositoryOrigin> origin,
      SortedMap<String, byte[]> files,
      RepositoryName repository,
      MasterKeys keys) {
    try {
      byte[] whitelist = files.getOrDefault(Whitelist.FILE_NAME, new byte[0]);
      Clock then =
          Clock.fixed(SignedWhitelist.parse(whitelist).unverified().createdAt(), ZoneOffset.UTC);
      Manifest manifest =
          TrustedManifest.fetch(new Kept(where, files), ReaderSettings.of(repository, keys, then))
              .manifest();
      return new Snapshot(origin, files, manifest);
    } catch (CvmfsException e) {
      throw new JournalException.Corrupt(
          "snapshot " + where + " cannot be trusted: " + e.getMessage(), e);
    }
  }

  public Manifest manifest() {
    return manifest;
  }

  public long revision() {
    return manifest.revision();
  }

  /** How the repository was made, if the one who took it knew. */
  public Optional<RepositoryOrigin> origin() {
    return origin;
  }

  /** The revision as a history of tags says it. */
  public Tag.Snapshot head() {
    return new Tag.Snapshot(
        manifest.rootCatalog(),
        manifest.rootCatalogSizeBytes(),
        manifest.revision(),
        manifest.publishedSeconds());
  }

  SortedMap<String, byte[]> files() {
    return files;
  }

  /**
   * Compares it with the journal: both must say the same root at its revision.
   *
   * @throws JournalException.Rejected if they do not, or the journal does not reach it; the message
   *     says what to do
   */
  public void requireIn(Journal journal) {
    RepositoryName repository = manifest.repository();
    boolean[] met = {false};
    long[] seen = {0, 0};
    journal.read(
        repository,
        entry -> {
          TransactionPublished event = entry.event();
          if (seen[0] == 0) {
            seen[0] = event.revision();
          }
          seen[1] = event.revision();
          if (event.revision() == revision()) {
            require(journal, event.root().equals(manifest.rootCatalog()), event.root());
            met[0] = true;
          } else if (event.revision() == revision() + 1) {
            require(
                journal, event.previousRoot().equals(manifest.rootCatalog()), event.previousRoot());
            met[0] = true;
          }
          return event.revision() <= revision();
        });
    if (!met[0]) {
      throw new JournalException.Rejected(
          "the snapshot is of revision "
              + revision()
              + " of "
              + repository
              + ", and "
              + journal
              + (seen[0] == 0
                  ? " has no transaction of it"
                  : " has revisions " + seen[0] + " to " + seen[1])
              + ": that does not fit together; take one that lies within the journal");
    }
  }

  private void require(Journal journal, boolean same, Object said) {
    if (!same) {
      throw new JournalException.Rejected(
          "the snapshot says root "
              + manifest.rootCatalog()
              + " for revision "
              + revision()
              + " of "
              + manifest.repository()
              + ", and "
              + journal
              + " says "
              + said
              + ": one of them tells another history; nothing was changed");
    }
  }

  /** Keeps what is read. */
  private record Keeping(RepositoryFiles inner, Map<String, byte[]> kept)
      implements RepositoryFiles {
    @Override
    public InputStream open(String path) {
      try (InputStream in = inner.open(path)) {
        byte[] bytes = in.readNBytes(MAX_FILE_BYTES + 1);
        if (bytes.length > MAX_FILE_BYTES) {
          throw new CvmfsException.Corrupt(path + " has more than " + MAX_FILE_BYTES + " bytes");
        }
        kept.put(path, bytes);
        return new ByteArrayInputStream(bytes);
      } catch (IOException e) {
        throw new CvmfsException.Retryable("cannot read " + path + " from " + inner, e);
      }
    }

    @Override
    public boolean exists(String path) {
      return inner.exists(path);
    }

    @Override
    public String toString() {
      return inner.toString();
    }
  }

  private record Kept(String where, Map<String, byte[]> files) implements RepositoryFiles {
    @Override
    public InputStream open(String path) {
      byte[] bytes = files.get(path);
      if (bytes == null) {
        throw new CvmfsException.NotFound("it has no file " + path);
      }
      return new ByteArrayInputStream(bytes);
    }

    @Override
    public boolean exists(String path) {
      return files.containsKey(path);
    }

    @Override
    public String toString() {
      return where;
    }
  }
}
