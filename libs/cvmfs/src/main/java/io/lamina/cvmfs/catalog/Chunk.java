package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.ContentHash;

/**
 * One piece of a chunked file.
 *
 * @param offsetBytes where the piece starts in the uncompressed file
 * @param sizeBytes its uncompressed length, 1 or more
 * @param hash names the object (suffix {@code P})
 */
public record Chunk(long offsetBytes, long sizeBytes, ContentHash hash) {}
