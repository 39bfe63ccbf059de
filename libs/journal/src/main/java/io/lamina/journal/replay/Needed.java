package io.lamina.journal.replay;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;

/**
 * What a transaction names and does not make: a tree with all below it, or a file.
 *
 * @param path where it shows
 */
record Needed(RepositoryPath path, ObjectKind kind, ContentHash hash) {}
