package io.lamina.journal.site;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Graft;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What can be asked of another site's repository beyond its journal. Everything that comes back was
 * compared with a hash that the journal or a signed manifest says. For one thread.
 */
interface OtherSite {
  /** The content of a small file object; empty if the site has it no more. */
  Optional<byte[]> file(ContentHash object, int maxBytes);

  /** What the site shows at a revision. */
  interface Shown extends AutoCloseable {
    Optional<Graft> graftAt(RepositoryPath path);

    Optional<ContentHash> catalogAt(RepositoryPath path);

    Optional<CatalogEntry> lookup(RepositoryPath path);

    /** Where an image of this public name may have files and links. */
    List<RepositoryPath> pathsOf(String publicName);

    /** Where other names of platforms may be. */
    List<RepositoryPath> aliases();

    @Override
    void close();
  }

  /**
   * The revision with this root catalog.
   *
   * @throws RevisionGone from its methods, if the site does not have all of its catalogs any more
   */
  Shown at(ContentHash root);

  /**
   * The revision that the site shows now, its signature verified; empty where no key is known.
   *
   * @throws io.lamina.journal.JournalException.Retryable if the site is out of reach
   */
  Optional<Shown> now();

  /** The number of the revision that the site shows now; empty where no key is known. */
  OptionalLong revisionNow();

  /** The site has collected what it was asked for. */
  final class RevisionGone extends RuntimeException {
    private static final long serialVersionUID = 1L;

    RevisionGone(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
