package io.lamina.cvmfs.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Recomputes everything that a catalog and those below it claim, the plain and slow way. */
public final class CatalogAudit {
  private final Function<ContentHash, byte[]> databases;
  private final List<String> listing = new ArrayList<>();
  private int catalogs;

  public CatalogAudit(Function<ContentHash, byte[]> databases) {
    this.databases = databases;
  }

  /** Every path that was met, with its entry; markers and link groups are left out. */
  public List<String> listing() {
    return listing;
  }

  public int catalogs() {
    return catalogs;
  }

  /** Audits the catalog and all below it; returns its total counters. */
  public Counters audit(byte[] database, RepositoryPath mount, @Nullable CatalogRow transition)
      throws SQLException {
    catalogs++;
    try (PlainSqlite sqlite = new PlainSqlite(database)) {
      assertThat(sqlite.rows("PRAGMA integrity_check")).containsExactly("ok");
      assertThat(sqlite.rows("PRAGMA foreign_key_check")).isEmpty();
      assertThat(sqlite.rows("SELECT count(*) FROM statistics")).containsExactly("24");
      assertThat(sqlite.rows("SELECT name FROM catalog WHERE rowid = 1"))
          .containsExactly(new String(mount.name(), StandardCharsets.UTF_8));
    }
    try (CatalogReader reader = CatalogReader.open(database)) {
      assertThat(reader.mount()).isEqualTo(mount);
      CatalogRow root = reader.lookup(mount).orElseThrow();
      assertThat(root.isNestedRoot()).isEqualTo(!mount.isRoot());
      assertThat(reader.lookup(mount.resolve(CatalogMarker.NAME)).isPresent())
          .isEqualTo(!mount.isRoot());
      if (transition != null) {
        assertThat(reader.entry(root)).isEqualTo(reader.entry(transition));
      }
      Walk walk = new Walk(reader, mount);
      walk.directory(mount, root);
      assertThat(walk.rows).as("rows reached in %s", mount).isEqualTo(reader.self().rows());
      assertThat(walk.self).as("counters of %s", mount).isEqualTo(reader.self());
      assertThat(walk.subtree).as("subtree counters of %s", mount).isEqualTo(reader.subtree());
      assertThat(reader.nestedCatalogs()).hasSize(walk.mountpoints);
      return reader.total();
    }
  }

  private final class Walk {
    private final CatalogReader reader;
    private final RepositoryPath mount;
    private Counters self = Counters.ZERO;
    private Counters subtree = Counters.ZERO;
    private long rows;
    private int mountpoints;

    Walk(CatalogReader reader, RepositoryPath mount) {
      this.reader = reader;
      this.mount = mount;
    }

    void directory(RepositoryPath path, CatalogRow row) throws SQLException {
      count(path, row);
      int directories = 0;
      Map<Integer, List<CatalogEntry>> groups = new HashMap<>();
      Set<RepositoryPath> paths = new HashSet<>();
      for (CatalogRow child : reader.list(path)) {
        RepositoryPath childPath = path.resolve(child.requireName());
        assertThat(child.path()).isEqualTo(childPath.hash());
        assertThat(paths.add(childPath)).isTrue();
        boolean marker = child.displayName().equals(CatalogMarker.NAME);
        assertThat(marker && !path.equals(mount)).as("stray marker %s", childPath).isFalse();
        if (child.isDirectory()) {
          directories++;
          if (child.isNestedMountpoint()) {
            nested(childPath, child);
          } else {
            directory(childPath, child);
          }
        } else {
          count(childPath, child);
          assertThat(child.hardlinkGroup() == 0 ? child.linkCount() : 1).isEqualTo(1);
          if (child.hardlinkGroup() != 0) {
            groups
                .computeIfAbsent(child.hardlinkGroup(), group -> new ArrayList<>())
                .add(reader.entry(child));
          }
        }
      }
      assertThat(row.linkCount()).as("link count of %s", path).isEqualTo(2 + directories);
      groups.forEach(
          (group, members) -> {
            assertThat(members).allMatch(members.getFirst()::equals);
            assertThat(members.getFirst().linkCount()).isEqualTo(members.size());
          });
    }

    private void nested(RepositoryPath path, CatalogRow row) throws SQLException {
      mountpoints++;
      rows++;
      self = self.plus(Counters.of(reader.entry(row))).plus(Counters.ONE_NESTED);
      assertThat(reader.list(path)).isEmpty();
      NestedCatalog nested = reader.nestedAt(path).orElseThrow();
      byte[] database = databases.apply(nested.hash());
      assertThat(nested.sizeBytes()).isEqualTo(database.length);
      subtree = subtree.plus(audit(database, path, row));
    }

    private void count(RepositoryPath path, CatalogRow row) {
      rows++;
      CatalogEntry entry = reader.entry(row);
      self = self.plus(Counters.of(entry));
      String name = row.displayName();
      if (!name.equals(CatalogMarker.NAME) && !name.equals(CatalogMarker.AUTOMATIC_NAME)) {
        listing.add(
            path
                + " "
                + entry.withLinks(0, 1).hashCode()
                + " "
                + entry.chunks()
                + new String(entry.symlinkTarget(), StandardCharsets.ISO_8859_1)
                + entry.xattrs());
      }
    }
  }
}
