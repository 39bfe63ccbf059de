package io.lamina.repository.releasemanager;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.reader.FileStat;
import io.lamina.cvmfs.reader.HttpRepositoryFiles;
import io.lamina.cvmfs.reader.LocalRepositoryFiles;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.RepositoryReader;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.repository.RepositoryDefinition.Backend;
import io.lamina.repository.RepositoryException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;

/**
 * What a release manager's repository shows, read as clients read it and verified with its public
 * key. A link at {@link #MARKER} names the root catalog of ours that it shows.
 *
 * <p>Thread-safe; close it. Opening it looks at the newest revision.
 */
public final class PublishedRepository implements AutoCloseable {
  /** Written in the same transaction as what it stands for. */
  static final RepositoryPath MARKER = RepositoryPath.of("/.lamina");

  private final RepositoryFiles files;
  private final RepositoryReader reader;

  private PublishedRepository(RepositoryFiles files, RepositoryReader reader) {
    this.files = files;
    this.reader = reader;
  }

  /**
   * @param scratch an existing folder for large catalogs while they are read
   * @throws RepositoryException.Retryable if it is out of reach
   * @throws RepositoryException.Rejected if there is none, or it cannot be trusted with this key
   */
  public static PublishedRepository open(
      RepositoryName name, Backend.CvmfsServer server, Path scratch, Clock clock) {
    RepositoryFiles files = null;
    try {
      files = files(server);
      ReaderSettings settings =
          ReaderSettings.of(name, MasterKeys.load(server.publicKey()), clock).withScratch(scratch);
      return new PublishedRepository(files, RepositoryReader.open(files, settings));
    } catch (CvmfsException e) {
      if (files != null) {
        files.close();
      }
      String what =
          "the release manager's repository "
              + name
              + " cannot be read at "
              + server.read()
              + ": "
              + e.getMessage();
      throw e instanceof CvmfsException.Retryable
          ? new RepositoryException.Retryable(what, e)
          : new RepositoryException.Rejected(what, e);
    }
  }

  private static RepositoryFiles files(Backend.CvmfsServer server) {
    return "file".equals(server.read().getScheme())
        ? new LocalRepositoryFiles(Path.of(server.read()))
        : new HttpRepositoryFiles(server.read(), HttpRepositoryFiles.DEFAULT_TIMEOUT);
  }

  RepositoryReader reader() {
    return reader;
  }

  public Manifest manifest() {
    return reader.manifest();
  }

  /**
   * Our root catalog whose tree it shows; empty before the first.
   *
   * @throws RepositoryException.Rejected if something else has the marker's name
   */
  public Optional<ContentHash> shown() {
    Optional<FileStat> marker = find(MARKER);
    try {
      return marker.map(
          stat ->
              ContentHash.parse(
                  new String(stat.entry().symlinkTarget(), StandardCharsets.ISO_8859_1)));
    } catch (CvmfsException.Rejected e) {
      throw new RepositoryException.Rejected(
          "the entry "
              + MARKER
              + " of the release manager's repository is not the link that this software makes;"
              + " remove it in a transaction of cvmfs_server",
          e);
    }
  }

  Optional<FileStat> find(RepositoryPath path) {
    return find(reader, path);
  }

  static Optional<FileStat> find(RepositoryReader reader, RepositoryPath path) {
    try {
      return Optional.of(reader.stat(path));
    } catch (CvmfsException.NotFound e) {
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    reader.close();
    files.close();
  }
}
