package io.lamina.client;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;

/**
 * What a client knows of a repository and has fetched of it.
 *
 * @param isStale what is shown may be older than what is published: no server could tell
 * @param fetchedObjects since it was opened
 * @param fetchedBytes of their content, uncompressed
 * @param serverFailures requests that failed at one server
 */
public record RepositoryStatistics(
    RepositoryName name,
    long revision,
    ContentHash rootHash,
    boolean isStale,
    long fetchedObjects,
    long fetchedBytes,
    long serverFailures) {}
