package io.lamina.standalone.remake;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalException;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.repository.RepositoryLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a journal says of images: which files describe them, and which trees were made for them. */
final class JournalIndex {
  private static final int MAX_ENTRIES = 20_000_000;
  private static final Pattern SHA256_HEX = Pattern.compile("[0-9a-f]{64}");
  private static final String MANIFEST = "manifest.json";
  private static final String CONFIG = "config.json";
  private static final String THIN = "thin.json";

  /** A tree, when it was shown first. */
  record Tree(Graft graft, long revision, long transactionSeconds) {}

  /**
   * An image as a revision described it.
   *
   * @param platform folder's name; empty for what stands for the image itself
   */
  record Described(
      long revision,
      String publicName,
      Optional<String> platform,
      CatalogChange.PutFile manifest,
      CatalogChange.PutFile config) {}

  private static final class Files {
    CatalogChange.@Nullable PutFile manifest;
    CatalogChange.@Nullable PutFile config;
  }

  private final Map<RepositoryPath, Files> folders = new HashMap<>();
  private final Map<ContentHash, Tree> trees = new HashMap<>();
  private final Map<String, NavigableMap<Long, Graft>> layers = new HashMap<>();
  private final Map<String, Digest> diffIds = new HashMap<>();
  private final List<Described> images = new ArrayList<>();
  private final Map<ContentHash, Described> byFile = new HashMap<>();

  private JournalIndex() {}

  /** Reads all of it. */
  static JournalIndex of(Journal journal, RepositoryName repository) {
    JournalIndex index = new JournalIndex();
    journal.read(
        repository,
        entry -> {
          index.add(entry.event());
          return true;
        });
    return index;
  }

  private void add(TransactionPublished event) {
    Set<RepositoryPath> touched = new HashSet<>();
    List<CatalogChange.PutFile> described = new ArrayList<>();
    for (CatalogChange change : event.changes()) {
      switch (change) {
        case CatalogChange.Attach attach -> addTree(attach.graft(), event);
        case CatalogChange.PutSymlink link -> addDiffId(link);
        case CatalogChange.PutFile file when file.path().startsWith(metadata()) -> {
          described.add(file);
          touched.add(file.path().parent());
          Files files = folders.computeIfAbsent(file.path().parent(), _ -> new Files());
          switch (name(file.path())) {
            case MANIFEST -> files.manifest = file;
            case CONFIG -> files.config = file;
            default -> {}
          }
        }
        case CatalogChange.PutFile _, CatalogChange.Split _, CatalogChange.Remove _ -> {}
      }
    }
    for (RepositoryPath folder : touched) {
      describe(event.revision(), folder, described);
    }
    if (trees.size() > MAX_ENTRIES || images.size() > MAX_ENTRIES || byFile.size() > MAX_ENTRIES) {
      throw new JournalException.Rejected(
          event.repository() + " has shown more than " + MAX_ENTRIES + " trees and images");
    }
  }

  private void addTree(Graft graft, TransactionPublished event) {
    trees.put(graft.catalog(), new Tree(graft, event.revision(), event.timestampSeconds()));
    layerOf(graft.path())
        .ifPresent(
            layer ->
                layers
                    .computeIfAbsent(layer.hex(), _ -> new TreeMap<>())
                    .put(event.revision(), graft));
  }

  private void addDiffId(CatalogChange.PutSymlink link) {
    if (name(link.path()).equals("diff-id") && RepositoryLayout.isAmongTrees(link.path())) {
      try {
        diffIds.put(name(link.path().parent()), Digest.parse(link.target()));
      } catch (ImageException.Rejected e) {
        // The image's config says it as well.
      }
    }
  }

  private void describe(long revision, RepositoryPath folder, List<CatalogChange.PutFile> changed) {
    Files files = folders.getOrDefault(folder, new Files());
    CatalogChange.PutFile manifest = files.manifest;
    CatalogChange.PutFile config = files.config;
    RepositoryPath platforms = RepositoryLayout.allPlatformMetadata();
    if (manifest == null
        || config == null
        || folder.equals(metadata())
        || folder.equals(platforms)) {
      return;
    }
    boolean ofPlatform = folder.startsWith(platforms);
    String below =
        folder.toString().substring((ofPlatform ? platforms : metadata()).toString().length() + 1);
    int slash = below.indexOf('/');
    if (ofPlatform && slash < 0) {
      return;
    }
    Described image =
        new Described(
            revision,
            ofPlatform ? below.substring(slash + 1) : below,
            ofPlatform ? Optional.of(below.substring(0, slash)) : Optional.empty(),
            manifest,
            config);
    images.add(image);
    changed.stream()
        .filter(file -> file.path().parent().equals(folder))
        .forEach(file -> byFile.put(file.object(), image));
  }

  Optional<Tree> tree(ContentHash catalog) {
    return Optional.ofNullable(trees.get(catalog));
  }

  /** The layer's tree as it was at a revision. */
  Optional<Tree> layerAt(Digest layer, long revision) {
    NavigableMap<Long, Graft> shown = layers.getOrDefault(layer.hex(), new TreeMap<>());
    Map.Entry<Long, Graft> entry = shown.floorEntry(revision);
    return entry == null ? Optional.empty() : tree(entry.getValue().catalog());
  }

  Optional<Digest> diffId(Digest layer) {
    return Optional.ofNullable(diffIds.get(layer.hex()));
  }

  /** The image that a file in its metadata describes. */
  Optional<Described> describedBy(ContentHash file) {
    return Optional.ofNullable(byFile.get(file));
  }

  /** All images, those of the nearest revisions first. */
  List<Described> imagesNear(long revision) {
    return images.stream()
        .sorted(Comparator.comparingLong(image -> Math.abs(image.revision() - revision)))
        .toList();
  }

  /** Which layer's tree hangs there. */
  static Optional<Digest> layerOf(RepositoryPath path) {
    String hex = path.isRoot() ? "" : name(path.parent());
    return RepositoryLayout.isTree(path)
            && name(path).equals("layerfs")
            && SHA256_HEX.matcher(hex).matches()
        ? Optional.of(Digest.parse("sha256:" + hex))
        : Optional.empty();
  }

  static boolean isThin(RepositoryPath path) {
    return name(path).equals(THIN);
  }

  /** The last part of a path. */
  static String name(RepositoryPath path) {
    byte[] bytes = path.bytes();
    String text = new String(bytes, StandardCharsets.UTF_8);
    return text.substring(text.lastIndexOf('/') + 1);
  }

  private static RepositoryPath metadata() {
    return RepositoryLayout.allMetadata();
  }
}
