package io.lamina.messaging.event;

/**
 * What a piece of work took.
 *
 * @param compressedBytes fetched
 * @param unpackedBytes of the tar, or of the files named
 * @param files entries of any type
 * @param objects objects that it names
 * @param newObjects of these, not there before
 * @param newBytes stored for them
 * @param cpuNanos of the threads that worked on it
 * @param wallNanos from start to end
 */
public record WorkFigures(
    long compressedBytes,
    long unpackedBytes,
    long files,
    long objects,
    long newObjects,
    long newBytes,
    long cpuNanos,
    long wallNanos) {}
