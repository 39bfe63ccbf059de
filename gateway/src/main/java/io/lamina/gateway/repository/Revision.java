package io.lamina.gateway.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import java.time.Instant;

/**
 * A published revision of a repository. Immutable.
 *
 * @param changes steps of its transaction
 */
public record Revision(
    RepositoryName repository, long number, ContentHash root, Instant publishedAt, int changes) {}
