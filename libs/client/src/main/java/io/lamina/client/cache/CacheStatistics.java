package io.lamina.client.cache;

/**
 * What the cache holds and has done since it was opened. Bytes held count whole blocks of 4 KiB.
 *
 * @param objects how many are held
 * @param usedBytes room that they take
 * @param limitBytes room that they may take
 * @param objectsInUse how many cannot be evicted now
 * @param hits requests that were answered from what was there
 * @param misses requests for which an object had to be fetched
 * @param storedBytes content that was fetched and stored
 * @param evictions objects that had to go
 * @param evictedBytes room that they gave
 * @param damaged objects that were found damaged on disk and were dropped
 */
public record CacheStatistics(
    long objects,
    long usedBytes,
    long limitBytes,
    long objectsInUse,
    long hits,
    long misses,
    long storedBytes,
    long evictions,
    long evictedBytes,
    long damaged) {}
