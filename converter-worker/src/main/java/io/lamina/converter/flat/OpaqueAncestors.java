package io.lamina.converter.flat;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.tree.LayerMerge;
import org.jspecify.annotations.Nullable;

/** On a walk through a layer's tree: what the lower layers have there, does it show at all? */
final class OpaqueAncestors {
  private @Nullable RepositoryPath opaque;

  /** To be asked for every entry, each directory before what it holds. */
  boolean hides(RepositoryPath path, CatalogEntry entry) {
    RepositoryPath above = opaque;
    if (above != null && path.startsWith(above)) {
      return true;
    }
    opaque = null;
    if (entry.isDirectory()
        && !entry.xattrs().isEmpty()
        && entry.xattrs().asMap().containsKey(LayerMerge.OPAQUE_ATTRIBUTE)) {
      opaque = path;
      return true;
    }
    return false;
  }
}
