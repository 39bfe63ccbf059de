package io.lamina.standalone.bench;

import io.lamina.cvmfs.RepositoryName;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What is to be measured. Immutable.
 *
 * @param source web address of the repository, or its folder, which is then served on loopback
 * @param key public key of the repository
 * @param path directory that is read, relative to the repository's root
 * @param rounds 1 or more; the first one shows fresh processes
 * @param original the original client's program; empty to leave it out
 */
public record MountPlan(
    String source,
    RepositoryName name,
    Path key,
    String path,
    int rounds,
    Optional<Path> original) {}
