package io.lamina.repository.releasemanager;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogMarker;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.cvmfs.reader.FileStat;
import io.lamina.cvmfs.reader.RepositoryReader;
import io.lamina.repository.RepositoryLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Finds what must be done to a release manager's repository so that it shows another of our
 * revisions. Catalogs with the same hash are not looked into, so the work depends on what differs.
 *
 * <p>Not thread-safe; used once.
 */
final class TreeDifference {
  /**
   * Something to add.
   *
   * @param whole with all below it; else a directory that is there already, of which only the entry
   *     itself is said again
   */
  record Put(RepositoryPath path, boolean whole) {}

  /**
   * @param first what must be gone before the additions, since the tool cannot replace it
   * @param removals the rest of what must go
   * @param puts directories before what lies in them
   */
  record Plan(List<RepositoryPath> first, List<RepositoryPath> removals, List<Put> puts) {}

  private enum Kind {
    NOTHING,
    DIRECTORY,
    OTHER
  }

  private static final byte[] MARKER = CatalogMarker.NAME.getBytes(StandardCharsets.US_ASCII);

  private final Optional<RepositoryReader> before;
  private final Set<RepositoryPath> suspects;
  private final RepositoryReader after;
  private final PublishedRepository published;
  private final TreeSet<RepositoryPath> first = new TreeSet<>();
  private final TreeSet<RepositoryPath> removals = new TreeSet<>();
  private final List<Put> puts = new ArrayList<>();

  /**
   * @param before our revision that is shown; empty for none
   * @param suspects paths at which the repository may not show what {@code before} says
   * @param after our revision to be shown
   */
  TreeDifference(
      Optional<RepositoryReader> before,
      Set<RepositoryPath> suspects,
      RepositoryReader after,
      PublishedRepository published) {
    this.before = before;
    this.suspects = suspects;
    this.after = after;
    this.published = published;
  }

  Plan plan() {
    compareEntriesOf(RepositoryPath.ROOT, before.isPresent());
    return new Plan(List.copyOf(first), List.copyOf(removals), List.copyOf(puts));
  }

  private void compareEntriesOf(RepositoryPath directory, boolean wasDirectory) {
    TreeMap<RepositoryPath, FileStat> was =
        wasDirectory ? entries(before.orElseThrow(), directory) : new TreeMap<>();
    TreeMap<RepositoryPath, FileStat> is = entries(after, directory);
    TreeSet<RepositoryPath> all = new TreeSet<>(was.keySet());
    all.addAll(is.keySet());
    for (RepositoryPath path : all) {
      compare(path, was.get(path), is.get(path));
    }
  }

  private static TreeMap<RepositoryPath, FileStat> entries(
      RepositoryReader reader, RepositoryPath directory) {
    TreeMap<RepositoryPath, FileStat> entries = new TreeMap<>();
    reader.list(directory).forEach(stat -> entries.put(stat.path(), stat));
    return entries;
  }

  private void compare(RepositoryPath path, @Nullable FileStat was, @Nullable FileStat is) {
    FileStat known = suspects.contains(path) ? null : was;
    Kind now =
        known != null
            ? kind(known)
            : published.find(path).map(TreeDifference::kind).orElse(Kind.NOTHING);
    if (is == null) {
      if (now != Kind.NOTHING) {
        removals.add(path);
      }
    } else if (is.entry().isDirectory()) {
      directory(path, was, known != null, now);
    } else if (known == null || !same(known.entry(), is.entry())) {
      other(path, now);
    }
  }

  private void directory(RepositoryPath path, @Nullable FileStat was, boolean known, Kind now) {
    switch (now) {
      case NOTHING -> puts.add(new Put(path, true));
      case OTHER -> {
        first.add(path);
        puts.add(new Put(path, true));
      }
      case DIRECTORY -> {
        if (known && sameCatalog(path) && nothingSuspectBelow(path)) {
          return;
        }
        if (RepositoryLayout.isTree(path)) {
          first.add(path);
          puts.add(new Put(path, true));
        } else {
          compareEntriesOf(path, was != null && was.entry().isDirectory());
        }
      }
    }
  }

  private void other(RepositoryPath path, Kind now) {
    if (Arrays.equals(path.name(), MARKER)) {
      if (now == Kind.NOTHING) {
        // The tool takes a directory's attributes from the archive when it becomes a catalog.
        puts.add(new Put(path.parent(), false));
        puts.add(new Put(path, true));
      }
      return;
    }
    if (now == Kind.DIRECTORY) {
      first.add(path);
    }
    puts.add(new Put(path, true));
  }

  private boolean sameCatalog(RepositoryPath path) {
    Optional<ContentHash> was = before.flatMap(b -> b.nestedAt(path)).map(NestedCatalog::hash);
    Optional<ContentHash> is = after.nestedAt(path).map(NestedCatalog::hash);
    return was.isPresent() && was.equals(is);
  }

  private boolean nothingSuspectBelow(RepositoryPath path) {
    return suspects.stream().noneMatch(suspect -> suspect.startsWith(path));
  }

  private static Kind kind(FileStat stat) {
    return stat.entry().isDirectory() ? Kind.DIRECTORY : Kind.OTHER;
  }

  /** Times do not count: a change that only says the same again makes none. */
  private static boolean same(CatalogEntry was, CatalogEntry is) {
    return was.mode() == is.mode()
        && was.uid() == is.uid()
        && was.gid() == is.gid()
        && was.sizeBytes() == is.sizeBytes()
        && Objects.equals(was.hash(), is.hash())
        && was.chunks().equals(is.chunks())
        && Arrays.equals(was.symlinkTarget(), is.symlinkTarget());
  }
}
