package io.lamina.converter.flat;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.Graft;
import java.util.List;

/**
 * An image to be merged. Immutable; the array must not be changed.
 *
 * @param layers bottom first, their catalogs stored
 * @param config the image's config as the registry has it
 * @param mount the one place where the merged tree will hang
 * @param timestampSeconds recorded time for what has no time of its own; part of the result
 */
public record FlatWork(
    List<Graft> layers, byte[] config, RepositoryPath mount, long timestampSeconds) {
  public FlatWork {
    layers = List.copyOf(layers);
  }
}
