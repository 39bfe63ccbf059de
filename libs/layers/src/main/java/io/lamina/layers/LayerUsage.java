package io.lamina.layers;

/**
 * What a layer's own files take on this node. Immutable.
 *
 * @param sizeBytes of all that is not a directory, each file with several names once
 * @param inodes files, directories and whiteouts, the root included
 */
public record LayerUsage(long sizeBytes, long inodes) {}
