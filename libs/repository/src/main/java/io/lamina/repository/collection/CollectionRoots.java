package io.lamina.repository.collection;

import io.lamina.cvmfs.ContentHash;
import java.util.Set;

/**
 * What is referred to from outside of the repository's own files: by requests that are unfinished.
 * Immutable.
 *
 * @param catalogs with all below them
 * @param objects by themselves
 */
public record CollectionRoots(Set<ContentHash> catalogs, Set<ContentHash> objects) {
  public static final CollectionRoots NONE = new CollectionRoots(Set.of(), Set.of());

  public CollectionRoots {
    catalogs = Set.copyOf(catalogs);
    objects = Set.copyOf(objects);
  }
}
