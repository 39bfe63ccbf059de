package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.util.Collection;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The reflog file: held open between transactions, since it grows with each, and written whole.
 * Swapped like the manifest, so that a writer that loses a race never overwrites what the winner
 * has named. Not thread-safe.
 */
final class ReflogFile {
  private final ObjectStore store;
  private final RepositoryName repository;
  private @Nullable Reflog open;
  private boolean hasUnwritten;
  private Optional<ObjectStore.Version> version = Optional.empty();

  ReflogFile(ObjectStore store, RepositoryName repository) {
    this.store = store;
    this.repository = repository;
  }

  /**
   * Reads the file if it is not known yet; makes a new one if there is none.
   *
   * @return the file's hash, if it was read and the manifest names another
   */
  Optional<ContentHash> load(Manifest manifest) {
    if (open != null) {
      return Optional.empty();
    }
    Optional<ObjectStore.Versioned> file =
        store.readMutable(RepositoryFiles.REFLOG, Reflog.MAX_BYTES);
    if (file.isEmpty()) {
      open = Reflog.create(repository);
      addCurrent(open, manifest);
      version = Optional.empty();
      return Optional.empty();
    }
    byte[] bytes = file.get().bytes();
    try {
      open = Reflog.open(bytes, repository);
    } catch (CvmfsException.Corrupt | CvmfsException.Rejected e) {
      throw new RepositoryException.Corrupt("the reflog of " + repository + " is damaged", e);
    }
    version = Optional.of(file.get().version());
    addCurrent(open, manifest);
    ContentHash found = Reflog.hashOf(bytes, HashAlgorithm.SHA1);
    return manifest.reflog().filter(found::equals).isPresent()
        ? Optional.empty()
        : Optional.of(found);
  }

  /** What the original check looks for whatever happened to the file. */
  private static void addCurrent(Reflog reflog, Manifest manifest) {
    long at = manifest.publishedSeconds();
    reflog.add(new Reflog.Entry(Reflog.Kind.CERTIFICATE, manifest.certificate(), at));
    manifest
        .metaInfo()
        .ifPresent(hash -> reflog.add(new Reflog.Entry(Reflog.Kind.METAINFO, hash, at)));
    manifest
        .history()
        .ifPresent(hash -> reflog.add(new Reflog.Entry(Reflog.Kind.HISTORY, hash, at)));
    reflog.add(new Reflog.Entry(Reflog.Kind.CATALOG, manifest.rootCatalog(), at));
  }

  /** Adds a transaction's objects; the file gets them when it is written next. */
  void note(Tag.Snapshot head, ContentHash certificate, Optional<ContentHash> history) {
    Reflog reflog = loaded();
    long at = head.publishedSeconds();
    add(reflog, new Reflog.Entry(Reflog.Kind.CERTIFICATE, certificate, at));
    history.ifPresent(hash -> add(reflog, new Reflog.Entry(Reflog.Kind.HISTORY, hash, at)));
    add(reflog, new Reflog.Entry(Reflog.Kind.CATALOG, head.root(), at));
  }

  boolean names(ContentHash root) {
    return loaded().contains(Reflog.Kind.CATALOG, root);
  }

  private void add(Reflog reflog, Reflog.Entry entry) {
    hasUnwritten |= reflog.add(entry);
  }

  /**
   * Writes the file if it lacks something that was noted.
   *
   * @return the file's new hash
   * @throws StorageException.Conflict if somebody else wrote it, or may have
   */
  Optional<ContentHash> writeNoted() {
    return hasUnwritten ? Optional.of(write(loaded())) : Optional.empty();
  }

  /**
   * Adds a transaction's objects and writes the file.
   *
   * @return the file's new hash
   * @throws StorageException.Conflict if somebody else wrote it, or may have
   */
  ContentHash append(Tag.Snapshot head, ContentHash certificate, Optional<ContentHash> history) {
    note(head, certificate, history);
    return write(loaded());
  }

  /**
   * Removes entries and writes the file, if there was one of them.
   *
   * @return the file's new hash
   * @throws StorageException.Conflict if somebody else wrote it, or may have
   */
  Optional<ContentHash> prune(Collection<Reflog.Entry> forgotten) {
    Reflog reflog = loaded();
    boolean changed = false;
    for (Reflog.Entry entry : forgotten) {
      changed |= reflog.remove(entry);
    }
    return changed ? Optional.of(write(reflog)) : Optional.empty();
  }

  private Reflog loaded() {
    if (open == null) {
      throw new IllegalStateException("the reflog is not loaded");
    }
    return open;
  }

  private ContentHash write(Reflog reflog) {
    byte[] bytes = reflog.toBytes();
    try {
      version = Optional.of(store.swap(RepositoryFiles.REFLOG, version, bytes));
    } catch (StorageException.OutcomeUnknown e) {
      // Written or not, reading it again and building the transaction anew is right.
      throw new StorageException.Conflict(
          "the reply to writing the reflog of " + repository + " was lost: " + e.getMessage());
    }
    hasUnwritten = false;
    return Reflog.hashOf(bytes, HashAlgorithm.SHA1);
  }

  void forget() {
    hasUnwritten = false;
    if (open != null) {
      open.close();
      open = null;
    }
    version = Optional.empty();
  }
}
