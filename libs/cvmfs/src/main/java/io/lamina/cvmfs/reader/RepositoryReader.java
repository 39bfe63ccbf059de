package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogFlags;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.CatalogRow;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.cvmfs.history.History;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.signing.Manifest;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Shows one revision of a repository as a read-only file system. Everything is checked on the way:
 * the manifest when the reader is opened, each catalog and object against the hash by which it was
 * found, before anything of it is shown.
 *
 * <p>Every method throws {@link CvmfsException.NotFound} where there is no such entry or object,
 * {@link CvmfsException.Corrupt} where a check fails and {@link CvmfsException.Retryable} where
 * reading does. Thread-safe: one lock guards the open catalogs; contents are read outside of it.
 */
public final class RepositoryReader implements AutoCloseable {
  private static final Comparator<FileStat> BY_PATH = Comparator.comparing(FileStat::path);

  private final @Nullable TrustedManifest trusted;
  private final RepositoryFiles files;
  private final ReaderSettings settings;
  private final VerifiedObjects objects;
  private final ContentHash root;
  private final ReentrantLock lock = new ReentrantLock(); // guards tree
  private final CatalogTree tree;

  private RepositoryReader(
      @Nullable TrustedManifest trusted,
      RepositoryFiles files,
      ReaderSettings settings,
      ContentHash root,
      long rootSizeBytes) {
    this.trusted = trusted;
    this.files = files;
    this.settings = settings;
    this.objects = new VerifiedObjects(files, settings.scratch());
    this.root = root;
    this.tree = new CatalogTree(objects, root, rootSizeBytes, settings.openCatalogBytes());
  }

  /**
   * Opens the revision that is published now.
   *
   * @param files stay the caller's to close, after this reader
   */
  public static RepositoryReader open(RepositoryFiles files, ReaderSettings settings) {
    TrustedManifest trusted = TrustedManifest.fetch(files, settings);
    Manifest manifest = trusted.manifest();
    return new RepositoryReader(
        trusted, files, settings, manifest.rootCatalog(), manifest.rootCatalogSizeBytes());
  }

  /**
   * Opens a revision by a root catalog that the caller trusts. Such a reader knows no manifest and
   * no tags.
   *
   * @param files stay the caller's to close, after this reader
   */
  public static RepositoryReader ofRoot(
      RepositoryFiles files, ReaderSettings settings, ContentHash root) {
    return new RepositoryReader(null, files, settings, root, 0);
  }

  /** A reader of the revision that a tag names; closed apart from this one. */
  public RepositoryReader atTag(String name) {
    Tag tag =
        tags().stream()
            .filter(candidate -> candidate.name().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new CvmfsException.NotFound(
                        "no such tag: " + name + " in " + settings.repository()));
    return new RepositoryReader(
        trusted, files, settings, tag.snapshot().root(), tag.snapshot().rootSizeBytes());
  }

  /** The tags of the published revision, newest first; none if it has no history. */
  public List<Tag> tags() {
    Optional<ContentHash> hash = manifest().history();
    if (hash.isEmpty()) {
      return List.of();
    }
    byte[] content = objects.read(hash.get(), ObjectKind.HISTORY, History.MAX_BYTES);
    try (History history = History.open(content, settings.repository())) {
      return history.tags();
    }
  }

  /**
   * @throws IllegalStateException if the reader was opened by a root catalog
   */
  public TrustedManifest trusted() {
    if (trusted == null) {
      throw new IllegalStateException("this reader was opened without a manifest");
    }
    return trusted;
  }

  /** As {@link #trusted}, without its proofs. */
  public Manifest manifest() {
    return trusted().manifest();
  }

  /** The root catalog of the revision that this reader shows. */
  public ContentHash rootCatalog() {
    return root;
  }

  /** The entry at a path; a symbolic link itself, not what it leads to. */
  public FileStat stat(RepositoryPath path) {
    lock.lock();
    try {
      CatalogReader catalog = tree.holding(path);
      CatalogRow row =
          catalog
              .lookup(path)
              .orElseThrow(
                  () ->
                      new CvmfsException.NotFound(
                          "no entry " + path + " in " + settings.repository()));
      return stat(catalog, path, row);
    } finally {
      lock.unlock();
    }
  }

  /** The nested catalog that hangs at exactly this path; none at the root. */
  public Optional<NestedCatalog> nestedAt(RepositoryPath path) {
    lock.lock();
    try {
      return path.isRoot() ? Optional.empty() : tree.holding(path).nestedAt(path);
    } finally {
      lock.unlock();
    }
  }

  /**
   * The entries of a directory by the bytes of their names, without hidden ones.
   *
   * @throws CvmfsException.Rejected if the path is no directory
   */
  public List<FileStat> list(RepositoryPath directory) {
    if (!stat(directory).entry().isDirectory()) {
      throw new CvmfsException.Rejected("not a directory: " + directory);
    }
    return children(directory);
  }

  /**
   * The target of a symbolic link with its variables replaced.
   *
   * @throws CvmfsException.Rejected if the path is no symbolic link
   */
  public byte[] readLink(RepositoryPath path) {
    FileStat stat = stat(path);
    if (!stat.entry().isSymlink()) {
      throw new CvmfsException.Rejected("not a symbolic link: " + path);
    }
    return stat.linkTarget();
  }

  /**
   * The content of a regular file; the caller closes the stream. Reading throws as this method
   * does; a byte is only handed out after the object or chunk that holds it was checked.
   *
   * @throws CvmfsException.Rejected if it is no regular file, or external
   */
  public InputStream open(RepositoryPath path) {
    return open(stat(path));
  }

  /** As {@link #open(RepositoryPath)}, of an entry that is known already. */
  public InputStream open(FileStat file) {
    CatalogEntry entry = file.entry();
    if (!entry.isRegular()) {
      throw new CvmfsException.Rejected("not a regular file: " + file.path());
    }
    if (file.isExternal()) {
      throw new CvmfsException.Rejected(
          "the content of " + file.path() + " lies on another server, which is not supported");
    }
    if (!entry.chunks().isEmpty()) {
      return new ChunkedContent(objects, entry);
    }
    ContentHash hash = entry.hash();
    if (hash == null) {
      throw new CvmfsException.Corrupt("regular file pointing to zero-hash: " + file.path());
    }
    return objects.open(hash, ObjectKind.FILE, entry.compression(), entry.sizeBytes());
  }

  /**
   * Hands over {@code start} and everything below it: each directory before its entries, those by
   * the bytes of their names, without hidden ones.
   */
  public void walk(RepositoryPath start, Consumer<FileStat> sink) {
    Deque<FileStat> pending = new ArrayDeque<>();
    pending.push(stat(start));
    while (!pending.isEmpty()) {
      FileStat next = pending.pop();
      sink.accept(next);
      if (next.entry().isDirectory()) {
        children(next.path()).reversed().forEach(pending::push);
      }
    }
  }

  /** Closes the catalogs; streams that are open can still be read. */
  @Override
  public void close() {
    lock.lock();
    try {
      tree.close();
    } finally {
      lock.unlock();
    }
  }

  private List<FileStat> children(RepositoryPath directory) {
    List<FileStat> children = new ArrayList<>();
    lock.lock();
    try {
      CatalogReader catalog = tree.listing(directory);
      for (CatalogRow row : catalog.list(directory)) {
        FileStat stat = stat(catalog, childPath(directory, row), row);
        if (!stat.isHidden()) {
          children.add(stat);
        }
      }
    } finally {
      lock.unlock();
    }
    children.sort(BY_PATH);
    return children;
  }

  private static RepositoryPath childPath(RepositoryPath directory, CatalogRow row) {
    byte[] name = row.name();
    try {
      RepositoryPath path = directory.resolve(name == null ? new byte[0] : name);
      if (path.hash().equals(row.path())) {
        return path;
      }
    } catch (CvmfsException.Rejected e) {
      throw new CvmfsException.Corrupt("an entry of " + directory + " has a bad name", e);
    }
    throw new CvmfsException.Corrupt(
        "the entry '" + row.displayName() + "' of " + directory + " is filed under another path");
  }

  private FileStat stat(CatalogReader catalog, RepositoryPath path, CatalogRow row) {
    CatalogEntry entry = catalog.entry(row);
    byte[] target =
        entry.isSymlink()
            ? LinkTarget.expand(entry.symlinkTarget(), settings.environment())
            : new byte[0];
    return new FileStat(
        path,
        entry,
        target,
        InodeNumber.of(catalog.mount(), path, entry),
        row.isHidden(),
        (row.flags() & CatalogFlags.EXTERNAL) != 0);
  }
}
