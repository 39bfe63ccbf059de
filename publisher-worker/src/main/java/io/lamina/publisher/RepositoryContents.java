package io.lamina.publisher;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.messaging.event.Event.RemovalRequested;
import io.lamina.messaging.event.WorkKey;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.RepositoryLayout;
import io.lamina.repository.RepositoryView;
import io.lamina.repository.TreeReferences;
import io.lamina.storage.ObjectStore;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/** What the repository's catalogs say at the revision that the view looks at. */
final class RepositoryContents implements PublishedContents {
  private static final int MAX_IMAGES = 1_000_000;
  private static final int MAX_DEPTH = 128;

  private final RepositoryView view;

  /** Their images' metadata is read each time, what is new of it. */
  private static final int MAX_REVISIONS = 5_000;

  /** Revisions that are over. */
  interface OldRevisions {
    /** How long a tree stays that no image refers to any more. */
    Duration grace();

    /** Root catalogs that the reflog names. */
    List<Reflog.Entry> roots();
  }

  private final TreeReferences references;
  private final OldRevisions history;

  RepositoryContents(RepositoryView view, ObjectStore store) {
    this(view, store, new NoOldRevisions());
  }

  private record NoOldRevisions() implements OldRevisions {
    @Override
    public Duration grace() {
      return Duration.ZERO;
    }

    @Override
    public List<Reflog.Entry> roots() {
      return List.of();
    }
  }

  RepositoryContents(RepositoryView view, ObjectStore store, OldRevisions history) {
    this.history = history;
    this.view = view;
    this.references = new TreeReferences(store);
  }

  @Override
  public Optional<Layer> layer(Digest blob) {
    if (!view.isCatalog(RepositoryLayout.layer(blob.hex()))) {
      return Optional.empty();
    }
    return Optional.of(
        new Layer(
            view.lookup(RepositoryLayout.layerDiffId(blob.hex()))
                .filter(CatalogEntry::isSymlink)
                .flatMap(RepositoryContents::digest)));
  }

  /** Somebody else's link says nothing: the layer is then converted again. */
  private static Optional<Digest> digest(CatalogEntry link) {
    try {
      return Optional.of(
          Digest.parse(new String(link.symlinkTarget(), StandardCharsets.ISO_8859_1)));
    } catch (ImageException.Rejected e) {
      return Optional.empty();
    }
  }

  @Override
  public Optional<Graft> layerGraft(Digest blob) {
    return view.graftAt(RepositoryLayout.layer(blob.hex()));
  }

  @Override
  public boolean hasFlat(Digest imageId) {
    return view.isCatalog(RepositoryLayout.flat(imageId.hex()));
  }

  @Override
  public List<String> images(String subject, RemovalRequested.Scope scope) {
    TreeSet<String> names = new TreeSet<>();
    switch (scope) {
      case TAG -> names.add(subject);
      case IMAGE -> {
        addVersions(RepositoryLayout.publicLink(subject), subject, names);
        addVersions(RepositoryLayout.metadata(subject), subject, names);
      }
      case ALL, RULE -> {
        addLinks(RepositoryPath.ROOT, "", 0, names);
        addLinks(RepositoryLayout.allMetadata(), "", 0, names);
      }
    }
    Predicate<String> matches =
        scope == RemovalRequested.Scope.RULE ? Globs.matching(subject) : name -> true;
    return names.stream().filter(matches).toList();
  }

  @Override
  public long publishedSeconds(String publicName) {
    return view.lookup(RepositoryLayout.metadata(publicName).resolve("manifest.json"))
        .or(() -> view.lookup(RepositoryLayout.publicLink(publicName)))
        .map(CatalogEntry::mtimeSeconds)
        .orElse(0L);
  }

  @Override
  public Set<WorkKey> abandonedTrees(Instant asOf) {
    long cutoff = asOf.minus(history.grace()).getEpochSecond();
    List<Reflog.Entry> roots =
        history.roots().stream()
            .sorted(Comparator.comparingLong(Reflog.Entry::addedSeconds).reversed())
            .limit(MAX_REVISIONS)
            .toList();
    List<ContentHash> since = new ArrayList<>();
    List<ContentHash> before = new ArrayList<>();
    for (Reflog.Entry root : roots) {
      if (root.addedSeconds() >= cutoff || before.isEmpty()) {
        // The newest of the old ones was still shown when the grace period began.
        since.add(root.hash());
      }
      if (root.addedSeconds() < cutoff) {
        before.add(root.hash());
      }
    }
    if (before.isEmpty()) {
      return Set.of();
    }
    Set<String> then = references.findIn(before);
    then.removeAll(references.findIn(since));
    then.removeAll(references.find(view, path -> true));
    return treesThere(then);
  }

  /** The entries beside {@code image} whose names go on with a tag or a digest. */
  private void addVersions(RepositoryPath image, String name, Set<String> names) {
    String own = new String(image.name(), StandardCharsets.UTF_8);
    String folder = name.substring(0, name.length() - own.length());
    for (byte[] entry : view.list(image.parent())) {
      String text = new String(entry, StandardCharsets.UTF_8);
      if (text.startsWith(own + ":") || text.startsWith(own + "@")) {
        names.add(folder + text);
      }
    }
  }

  /** Images below a folder: links outside of the hidden folders, or folders of metadata. */
  private void addLinks(RepositoryPath folder, String prefix, int depth, Set<String> names) {
    if (depth > MAX_DEPTH || names.size() > MAX_IMAGES) {
      throw new RepositoryException.Rejected(
          "more than " + MAX_IMAGES + " images, or folders more than " + MAX_DEPTH + " deep");
    }
    for (byte[] entry : view.list(folder)) {
      String name = new String(entry, StandardCharsets.UTF_8);
      RepositoryPath path = folder.resolve(entry);
      Optional<CatalogEntry> found = name.startsWith(".") ? Optional.empty() : view.lookup(path);
      if (found.filter(CatalogEntry::isSymlink).isPresent()) {
        names.add(prefix + name);
      } else if (found.filter(CatalogEntry::isDirectory).isPresent()) {
        if (exists(path.resolve("manifest.json"))) {
          names.add(prefix + name);
        } else {
          addLinks(path, prefix + name + "/", depth + 1, names);
        }
      }
    }
  }

  @Override
  public List<RepositoryPath> entriesOf(String publicName) {
    TreeSet<RepositoryPath> paths = new TreeSet<>();
    for (RepositoryPath link : links(publicName)) {
      view.lookup(link).filter(CatalogEntry::isSymlink).ifPresent(found -> paths.add(link));
    }
    for (RepositoryPath folder : metadataFolders(publicName)) {
      view.lookup(folder).filter(CatalogEntry::isDirectory).ifPresent(found -> paths.add(folder));
    }
    return List.copyOf(paths);
  }

  private List<RepositoryPath> links(String publicName) {
    List<RepositoryPath> links = new ArrayList<>();
    links.add(RepositoryLayout.publicLink(publicName));
    for (String platform : platforms(RepositoryLayout.allPlatformLinks())) {
      links.add(RepositoryLayout.platformLink(platform, publicName));
    }
    return links;
  }

  private List<RepositoryPath> metadataFolders(String publicName) {
    List<RepositoryPath> folders = new ArrayList<>();
    folders.add(RepositoryLayout.metadata(publicName));
    for (String platform : platforms(RepositoryLayout.allPlatformMetadata())) {
      folders.add(RepositoryLayout.platformMetadata(platform, publicName));
    }
    return folders;
  }

  /** Folders, without the links that stand for other names of theirs. */
  private List<String> platforms(RepositoryPath parent) {
    List<String> platforms = new ArrayList<>();
    for (byte[] entry : view.list(parent)) {
      if (view.lookup(parent.resolve(entry)).filter(CatalogEntry::isDirectory).isPresent()) {
        platforms.add(new String(entry, StandardCharsets.UTF_8));
      }
    }
    return platforms;
  }

  @Override
  public Set<WorkKey> treesOnlyOf(Collection<String> publicNames) {
    Set<PathHash> own = new HashSet<>();
    for (String name : publicNames) {
      links(name).forEach(link -> own.add(link.hash()));
      metadataFolders(name).forEach(folder -> own.add(folder.hash()));
    }
    Set<String> digests = references.find(view, own::contains);
    digests.removeAll(references.find(view, path -> !own.contains(path)));
    return treesThere(digests);
  }

  private Set<WorkKey> treesThere(Set<String> digests) {
    Set<WorkKey> trees = new TreeSet<>(Comparator.comparing(WorkKey::toString));
    for (String hex : digests) {
      if (view.lookup(RepositoryLayout.layerFolder(hex)).isPresent()) {
        trees.add(new WorkKey(WorkKey.Kind.LAYER, hex));
      }
      if (view.lookup(RepositoryLayout.flat(hex)).isPresent()) {
        trees.add(new WorkKey(WorkKey.Kind.FLAT, hex));
      }
    }
    return trees;
  }

  @Override
  public boolean exists(RepositoryPath path) {
    return view.lookup(path).isPresent();
  }
}
