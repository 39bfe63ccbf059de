package io.lamina.client.mount;

/**
 * What a mounted repository is doing.
 *
 * @param openFiles files and directories that are open
 * @param nodes files and directories that the kernel remembers
 * @param opens files that were opened since it was mounted
 * @param readBytes content that the kernel asked for; what it had in its own cache is not in it
 */
public record MountStatistics(int openFiles, int nodes, long opens, long readBytes) {}
