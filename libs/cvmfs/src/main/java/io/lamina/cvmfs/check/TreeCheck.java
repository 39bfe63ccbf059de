package io.lamina.cvmfs.check;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.CatalogRow;
import io.lamina.cvmfs.catalog.CounterName;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.cvmfs.reader.OpenCatalog;
import io.lamina.cvmfs.reader.VerifiedObjects;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Checks whole trees of catalogs, from a root catalog down. A catalog that several revisions share
 * is checked once. A catalog is closed before those below it are opened, so one is open at a time.
 *
 * <p>Source: docs/format/check.md, "Catalogs". Not thread-safe.
 */
final class TreeCheck {
  /** Paths end before this; it keeps a hostile chain from using up the stack. */
  private static final int MAX_NESTING = 512;

  /** Some 100 MiB of memory; further catalogs are inspected for each revision that names them. */
  private static final int MAX_REMEMBERED = 200_000;

  private final VerifiedObjects catalogs;
  private final ObjectChecks objects;
  private final Findings findings;
  private final Runnable progress;
  private final Map<NestedCatalog, Inspected> known = new HashMap<>();

  /**
   * What is remembered of a catalog.
   *
   * @param total empty where something below could not be read, so that nothing can be compared
   */
  private record Inspected(Optional<CatalogRow> root, Optional<Counters> total) {}

  TreeCheck(VerifiedObjects catalogs, ObjectChecks objects, Findings findings, Runnable progress) {
    this.catalogs = catalogs;
    this.objects = objects;
    this.findings = findings;
    this.progress = progress;
  }

  /** Checks the tree below a root catalog; {@code sizeBytes} is 0 if it is not known. */
  void check(ContentHash root, long sizeBytes) {
    inspect(new NestedCatalog(RepositoryPath.ROOT, root, sizeBytes), 0);
  }

  private Inspected inspect(NestedCatalog catalog, int depth) {
    Inspected remembered = known.get(catalog);
    if (remembered != null) {
      return remembered;
    }
    Inspected inspected = inspectAnew(catalog, depth);
    if (known.size() < MAX_REMEMBERED) {
      known.put(catalog, inspected);
    }
    progress.run();
    return inspected;
  }

  private Inspected inspectAnew(NestedCatalog catalog, int depth) {
    CatalogInspection.Result rows;
    Map<String, Long> statistics;
    int schemaRevision;
    try (OpenCatalog open = catalogs.openCatalog(catalog.hash(), catalog.sizeBytes())) {
      findings.catalogs.increment();
      objects.verified(catalog.hash(), ObjectKind.CATALOG);
      CatalogReader reader = open.reader();
      requireMount(reader, catalog);
      rows = new CatalogInspection(open, catalog.path(), objects, findings).run();
      statistics = reader.statistics();
      schemaRevision = reader.schemaRevision();
    } catch (CvmfsException e) {
      findings.add(catalog.path(), "failed to load catalog " + catalog.hash(), e);
      return new Inspected(Optional.empty(), Optional.empty());
    }
    Counters self = rows.self().toCounters();
    Optional<Counters> subtree = inspectChildren(rows, depth);
    compare(catalog, CounterName::self, self, statistics, schemaRevision);
    subtree.ifPresent(
        counters -> compare(catalog, CounterName::subtree, counters, statistics, schemaRevision));
    return new Inspected(rows.root(), subtree.map(self::plus));
  }

  private Optional<Counters> inspectChildren(CatalogInspection.Result rows, int depth) {
    Optional<Counters> subtree = Optional.of(Counters.ZERO);
    for (CatalogInspection.Child child : rows.children()) {
      NestedCatalog catalog = child.catalog();
      if (depth >= MAX_NESTING) {
        findings.add(
            catalog.path(), "nested catalogs deeper than " + MAX_NESTING + " are not checked");
        return Optional.empty();
      }
      Inspected inspected = inspect(catalog, depth + 1);
      inspected
          .root()
          .flatMap(root -> RowChecks.difference(child.transition(), root, true))
          .ifPresent(
              difference ->
                  findings.add(
                      catalog.path(), "transition point and root entry differ: " + difference));
      subtree = subtree.flatMap(sum -> inspected.total().map(sum::plus));
    }
    return subtree;
  }

  private void requireMount(CatalogReader reader, NestedCatalog catalog) {
    RepositoryPath mount = reader.mount();
    if (!mount.equals(catalog.path())) {
      findings.add(catalog.path(), "root prefix mismatch", catalog.path(), mount);
    }
  }

  private interface NameInTable {
    String of(CounterName name);
  }

  private void compare(
      NestedCatalog catalog,
      NameInTable nameInTable,
      Counters expected,
      Map<String, Long> statistics,
      int schemaRevision) {
    for (CounterName name : CounterName.values()) {
      String row = nameInTable.of(name);
      Long stored = statistics.get(row);
      if (stored == null) {
        if (schemaRevision >= CatalogReader.FIRST_REVISION_WITH_ALL_COUNTERS) {
          findings.add(catalog.path(), "failed to load statistics counters: no " + row);
        }
      } else if (stored != name.of(expected)) {
        findings.add(
            catalog.path(),
            "catalog statistics mismatch: " + row + " [" + catalog.hash() + "]",
            name.of(expected),
            stored);
      }
    }
  }
}
