package io.lamina.messaging.event;

import io.lamina.cvmfs.ContentHash;

/**
 * Bytes that lie in the repository's storage as a file object.
 *
 * @param sizeBytes uncompressed length
 */
public record StoredFile(ContentHash object, long sizeBytes) {}
