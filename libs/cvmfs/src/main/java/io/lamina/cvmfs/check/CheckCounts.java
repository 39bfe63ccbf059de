package io.lamina.cvmfs.check;

/**
 * How much a check has looked at so far. Immutable.
 *
 * @param catalogs each catalog once, even if several revisions share it
 * @param entries rows of those catalogs
 * @param objects files, chunks and others whose presence or content was checked, each once
 * @param contentBytes uncompressed content that was read and hashed
 * @param storedBytes of that, as it lies in the store
 * @param problems found so far
 */
public record CheckCounts(
    long catalogs,
    long entries,
    long objects,
    long contentBytes,
    long storedBytes,
    long problems) {}
