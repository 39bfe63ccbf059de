package io.lamina.node.commit;

import io.lamina.cvmfs.RepositoryName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How commits on thin images are published. Immutable.
 *
 * @param repository that gets the layers; empty: the one that the image's thin layers lie in
 * @param spool folder for archives on their way; nobody else uses it
 * @param patience with a gateway or a store that does not answer
 * @param deadline of one commit, from its first byte to its mount
 * @param maxBytes of an archive
 */
public record CommitSettings(
    Optional<RepositoryName> repository,
    Path spool,
    Duration patience,
    Duration deadline,
    long maxBytes) {}
