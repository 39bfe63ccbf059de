package io.lamina.cvmfs.check;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogFlags;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.CatalogRow;
import io.lamina.cvmfs.catalog.Chunk;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.cvmfs.reader.OpenCatalog;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Walks the rows of one catalog from its root down and checks them. Holds the directories that are
 * still to be visited and what is special in the one that is being visited, not its rows.
 *
 * <p>Source: docs/format/check.md, "Entries" and "Catalogs". For one use by one thread.
 */
final class CatalogInspection {
  private static final byte[] MARKER = ".cvmfscatalog".getBytes(StandardCharsets.US_ASCII);

  /** What the walk found. */
  record Result(RowCounts self, Optional<CatalogRow> root, List<Child> children) {}

  /** A nested catalog and the row at which it hangs. */
  record Child(NestedCatalog catalog, CatalogRow transition) {}

  private record Directory(RepositoryPath path, int linkCount) {}

  private record ChunkedFile(RepositoryPath path, CatalogRow row) {}

  private record LinkGroup(RepositoryPath path, CatalogRow first, int[] members) {}

  /** A row has two path hashes and a dozen other columns; no encoding of it is shorter. */
  private static final int SMALLEST_ROW_BYTES = 24;

  private final CatalogReader reader;
  private final long maxRows;
  private final RepositoryPath mount;
  private final ObjectChecks objects;
  private final Findings findings;
  private final RowCounts self = new RowCounts();
  private final Set<RepositoryPath> nested = new HashSet<>();
  private final Set<RepositoryPath> bound = new HashSet<>();
  private final Deque<Directory> pending = new ArrayDeque<>();
  private boolean markerFound;
  private long visitedRows;

  CatalogInspection(
      OpenCatalog catalog, RepositoryPath mount, ObjectChecks objects, Findings findings) {
    this.reader = catalog.reader();
    this.maxRows = catalog.sizeBytes() / SMALLEST_ROW_BYTES;
    this.mount = mount;
    this.objects = objects;
    this.findings = findings;
  }

  Result run() {
    List<NestedCatalog> catalogs = readMountpoints();
    Optional<CatalogRow> root = reader.lookup(mount);
    if (root.isEmpty()) {
      findings.add(mount, "failed to lookup root entry");
    } else {
      inspectRoot(root.get());
      pending.push(new Directory(mount, root.get().linkCount()));
    }
    while (!pending.isEmpty()) {
      visit(pending.pop());
    }
    if (!mount.isRoot() && !markerFound) {
      findings.add(mount, "nested catalog without marker");
    }
    requireCounts(catalogs.size());
    return new Result(self, root, children(catalogs));
  }

  private List<NestedCatalog> readMountpoints() {
    List<NestedCatalog> catalogs = reader.nestedCatalogs();
    catalogs.forEach(catalog -> nested.add(catalog.path()));
    for (NestedCatalog bind : reader.bindMountpoints()) {
      bound.add(bind.path());
      if (nested.contains(bind.path())) {
        findings.add(bind.path(), "duplicates among nested catalogs and bind mountpoints");
      }
    }
    return catalogs;
  }

  private void inspectRoot(CatalogRow root) {
    if (!root.isDirectory()) {
      findings.add(mount, "root entry not a directory");
    }
    if (root.isNestedRoot() == mount.isRoot()) {
      findings.add(
          mount,
          mount.isRoot()
              ? "nested catalog root found but not expected"
              : "nested catalog root expected but not found");
    }
    findings.entries.increment();
    RowChecks.check(root, mount, findings);
    self.addDirectory(root);
  }

  /** One directory: its rows in one go, then what needs further questions to the catalog. */
  private void visit(Directory directory) {
    List<Directory> mountpoints = new ArrayList<>();
    List<ChunkedFile> chunked = new ArrayList<>();
    Map<Integer, LinkGroup> groups = new HashMap<>();
    int[] subdirectories = {0};
    reader.forEachChild(
        directory.path().hash(),
        row -> {
          requirePlausible();
          findings.entries.increment();
          if (row.isDirectory()) {
            subdirectories[0]++;
          }
          Optional<RepositoryPath> path = pathOf(directory.path(), row);
          if (path.isPresent()) {
            inspect(path.get(), row, directory.path(), mountpoints, chunked, groups);
          }
        });
    mountpoints.forEach(this::requireEmpty);
    chunked.forEach(file -> inspectChunks(file.path(), file.row()));
    groups.values().forEach(this::requireComplete);
    if (directory.linkCount() != subdirectories[0] + 2) {
      findings.add(
          directory.path(), "wrong linkcount", subdirectories[0] + 2, directory.linkCount());
    }
  }

  /** A database whose pages refer to each other in circles would never end. */
  private void requirePlausible() {
    if (++visitedRows > maxRows) {
      throw new CvmfsException.Corrupt(
          "more than the " + maxRows + " rows that a catalog of its size can hold");
    }
  }

  /** The entry's path, if its name and the hash under which it is filed agree. */
  private Optional<RepositoryPath> pathOf(RepositoryPath directory, CatalogRow row) {
    byte[] name = row.name();
    if (name == null || name.length == 0) {
      findings.add(directory, "empty path of an entry (row " + row.rowId() + ")");
      return Optional.empty();
    }
    try {
      RepositoryPath path = directory.resolve(name);
      if (path.hash().equals(row.path())) {
        return Optional.of(path);
      }
      findings.add(path, "filed under the hash of another path");
    } catch (CvmfsException.Rejected e) {
      findings.add(directory, "bad name of an entry (row " + row.rowId() + ")", e);
    }
    return Optional.empty();
  }

  private void inspect(
      RepositoryPath path,
      CatalogRow row,
      RepositoryPath directory,
      List<Directory> mountpoints,
      List<ChunkedFile> chunked,
      Map<Integer, LinkGroup> groups) {
    RowChecks.check(row, path, findings);
    inspectMarker(path, row, directory);
    if (row.isNestedRoot()) {
      findings.add(path, "nested catalog root found but not expected");
    }
    if (row.isDirectory()) {
      self.addDirectory(row);
      Directory found = new Directory(path, row.linkCount());
      if (row.isNestedMountpoint() || row.isBindMountpoint()) {
        mountpoints.add(found);
        inspectMountpoint(path, row);
      } else {
        pending.push(found);
      }
      return;
    }
    if (row.linkCount() > 1 && row.hardlinkGroup() != 0) {
      join(groups, path, row);
    }
    if (RowChecks.isRegular(row)) {
      self.addRegular(row);
      inspectObject(path, row);
      if (row.isChunked()) {
        chunked.add(new ChunkedFile(path, row));
      }
    } else {
      self.addOther(row);
    }
  }

  private void inspectMarker(RepositoryPath path, CatalogRow row, RepositoryPath directory) {
    if (Arrays.equals(row.name(), MARKER)) {
      if (directory.equals(mount)) {
        markerFound = true;
      } else {
        findings.add(path, "found abandoned nested catalog marker");
      }
    }
  }

  private void inspectMountpoint(RepositoryPath path, CatalogRow row) {
    if (row.isNestedMountpoint()) {
      self.addMountpoint();
    }
    if (!nested.contains(path) && !bound.contains(path)) {
      findings.add(path, "nested catalog not registered");
    }
  }

  private void requireEmpty(Directory mountpoint) {
    boolean[] any = {false};
    reader.forEachChild(
        mountpoint.path().hash(),
        row -> {
          requirePlausible();
          any[0] = true;
        });
    if (any[0]) {
      findings.add(mountpoint.path(), "non-empty nested catalog mountpoint");
    }
  }

  private void join(Map<Integer, LinkGroup> groups, RepositoryPath path, CatalogRow row) {
    LinkGroup group =
        groups.computeIfAbsent(row.hardlinkGroup(), number -> new LinkGroup(path, row, new int[1]));
    group.members()[0]++;
    RowChecks.difference(row, group.first(), false)
        .ifPresent(
            difference ->
                findings.add(path, "hardlink doesn't match " + group.path() + ": " + difference));
  }

  private void requireComplete(LinkGroup group) {
    if (group.first().linkCount() != group.members()[0]) {
      findings.add(
          group.path(), "hardlink linkcount wrong", group.members()[0], group.first().linkCount());
    }
  }

  private void inspectObject(RepositoryPath path, CatalogRow row) {
    byte[] digest = row.hash();
    Optional<HashAlgorithm> algorithm = CatalogFlags.hashAlgorithm(row.flags());
    Optional<CompressionAlgorithm> compression = CatalogFlags.compression(row.flags());
    boolean known = algorithm.isPresent() && compression.isPresent() && row.sizeBytes() >= 0;
    if (known && digest != null && digest.length >= 20 && RowChecks.hasHash(row)) {
      if (!RowChecks.isExternal(row)) {
        objects.content(
            ContentHash.of(algorithm.get(), digest),
            ObjectKind.FILE,
            compression.get(),
            row.sizeBytes(),
            path);
      }
    }
  }

  private void inspectChunks(RepositoryPath path, CatalogRow row) {
    Optional<HashAlgorithm> algorithm = CatalogFlags.hashAlgorithm(row.flags());
    Optional<CompressionAlgorithm> compression = CatalogFlags.compression(row.flags());
    List<Chunk> chunks;
    try {
      chunks = reader.chunks(row.path(), algorithm.orElse(HashAlgorithm.SHA1));
    } catch (CvmfsException.Rejected | CvmfsException.Corrupt e) {
      findings.add(path, "chunks cannot be read", e);
      return;
    }
    self.addChunks(chunks.size());
    if (chunks.isEmpty()) {
      findings.add(path, "no file chunks found for big file");
    }
    long end = 0;
    for (Chunk chunk : chunks) {
      if (chunk.offsetBytes() != end || chunk.sizeBytes() <= 0) {
        findings.add(path, "misaligned chunk offsets", end, chunk.offsetBytes());
      }
      end = chunk.offsetBytes() + chunk.sizeBytes();
      boolean known = algorithm.isPresent() && compression.isPresent() && chunk.sizeBytes() > 0;
      if (known && !RowChecks.isExternal(row)) {
        objects.content(chunk.hash(), ObjectKind.CHUNK, compression.get(), chunk.sizeBytes(), path);
      }
    }
    long sum = chunks.stream().mapToLong(Chunk::sizeBytes).sum();
    if (sum != row.sizeBytes()) {
      findings.add(path, "chunks of file produce a size mismatch", row.sizeBytes(), sum);
    }
  }

  private void requireCounts(int nestedRows) {
    long stored = reader.rowCount(maxRows);
    if (stored != self.rows()) {
      findings.add(mount, "dangling entries in catalog", stored, self.rows());
    }
    if (nestedRows != self.mountpoints()) {
      findings.add(
          mount, "number of nested catalogs does not match", self.mountpoints(), nestedRows);
    }
  }

  private List<Child> children(List<NestedCatalog> catalogs) {
    List<Child> children = new ArrayList<>();
    for (NestedCatalog catalog : catalogs) {
      if (!catalog.path().startsWith(mount) || catalog.path().equals(mount)) {
        findings.add(catalog.path(), "nested catalog outside of the catalog at " + mount);
        continue;
      }
      Optional<CatalogRow> row = reader.lookup(catalog.path());
      if (row.isEmpty()) {
        findings.add(catalog.path(), "failed to lookup transition point");
      } else {
        children.add(new Child(catalog, row.get()));
      }
    }
    return children;
  }
}
