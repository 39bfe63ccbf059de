package io.lamina.converter.layer;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.image.LayerDescriptor;

/**
 * A layer to be converted. Immutable.
 *
 * @param mount the one place where its catalog will hang
 * @param timestampSeconds recorded time for what has no time of its own; part of the result
 */
public record LayerWork(LayerDescriptor layer, RepositoryPath mount, long timestampSeconds) {}
