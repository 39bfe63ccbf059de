package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.Whitelist;
import io.lamina.storage.ObjectKey;

/** The keys under which a repository's files lie in its store, and how long they may get. */
final class RepositoryFiles {
  static final ObjectKey MANIFEST = new ObjectKey(Manifest.FILE_NAME);
  static final ObjectKey WHITELIST = new ObjectKey(Whitelist.FILE_NAME);
  static final ObjectKey REFLOG = new ObjectKey(Reflog.FILE_NAME);
  static final ObjectKey MASTER_REPLICA = new ObjectKey(".cvmfs_master_replica");

  /** The manifest that a follower is being brought to: see docs/protocol/transactions.md. */
  static final ObjectKey NEXT = new ObjectKey("lamina/next");

  /** A catalog over this size is refused: the original publisher stops far below. */
  static final int MAX_CATALOG_BYTES = 512 << 20;

  /** The longest record of a transaction. */
  static final int MAX_RECORD_BYTES = 64 << 20;

  private RepositoryFiles() {}

  static ObjectKey object(ObjectKind kind, ContentHash hash) {
    return new ObjectKey(kind.pathOf(hash));
  }

  /** What the transaction that made this root catalog did: see docs/protocol/transactions.md. */
  static ObjectKey record(ContentHash root) {
    return new ObjectKey("lamina/transactions/" + root);
  }
}
