package io.lamina.repository;

/** Files of a repository's storage, and their length. */
public record Contents(long files, long bytes) {}
