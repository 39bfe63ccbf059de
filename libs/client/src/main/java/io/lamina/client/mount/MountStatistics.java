package io.lamina.client.mount;

/**
 * What a mounted repository is doing.
 *
 * @param nodes files and directories that the kernel remembers
 * @param reads requests for content since it was mounted; what the kernel had in memory was not
 *     asked for
 * @param readBytes what they were answered with
 */
public record MountStatistics(int nodes, long reads, long readBytes) {}
