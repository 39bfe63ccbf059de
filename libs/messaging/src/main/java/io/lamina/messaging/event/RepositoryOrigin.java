package io.lamina.messaging.event;

import java.time.Instant;

/**
 * How a repository was made: with this its first root catalog, which no transaction describes, can
 * be made again.
 *
 * <p>Source: docs/protocol/transactions.md, "Creation". Immutable.
 *
 * @param createdAt whole seconds
 * @param flat whether images get a merged tree
 * @param tags whether the history of tags is kept
 * @param genericTags how many tags named after times are kept
 */
public record RepositoryOrigin(
    Instant createdAt,
    long ttlSeconds,
    boolean flat,
    boolean garbageCollectable,
    boolean tags,
    int genericTags) {}
