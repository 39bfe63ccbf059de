package io.lamina.cvmfs.signing;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/**
 * What {@code .cvmfspublished} says of a revision: the objects from which all else is found.
 *
 * <p>Source: docs/format/manifest.md, "Manifest". Immutable.
 *
 * @param rootCatalog the root catalog's object
 * @param rootCatalogSizeBytes uncompressed size of the root catalog, 0 if unknown
 * @param ttl how long a client may go on without asking again; whole seconds
 * @param revision 0 or more, higher with each publication
 * @param garbageCollectable whether unreferenced objects may be removed
 * @param alternativePaths whether {@code .cvmfsalt-} links exist
 * @param certificate the certificate object whose key signs this manifest
 * @param history the tags database, if there is one
 * @param publishedSeconds time of publication since the epoch, 0 if unknown
 * @param metaInfo the description object, if there is one
 * @param reflog hash of the file {@code .cvmfsreflog}, if it is known
 */
public record Manifest(
    RepositoryName repository,
    ContentHash rootCatalog,
    long rootCatalogSizeBytes,
    Duration ttl,
    long revision,
    boolean garbageCollectable,
    boolean alternativePaths,
    ContentHash certificate,
    Optional<ContentHash> history,
    long publishedSeconds,
    Optional<ContentHash> metaInfo,
    Optional<ContentHash> reflog) {
  /** The file's name in the repository's root. */
  public static final String FILE_NAME = ".cvmfspublished";

  /** The time to live that the original publisher writes. */
  public static final Duration DEFAULT_TTL = Duration.ofSeconds(240);

  private static final String ROOT_PATH_MD5 = "d41d8cd98f00b204e9800998ecf8427e";

  public Manifest {
    if (rootCatalogSizeBytes < 0 || revision < 0 || publishedSeconds < 0 || ttl.isNegative()) {
      throw new CvmfsException.Rejected(
          "negative number in the manifest of "
              + repository
              + ": size "
              + rootCatalogSizeBytes
              + ", revision "
              + revision
              + ", time "
              + publishedSeconds
              + ", TTL "
              + ttl);
    }
  }

  /**
   * Reads the lines before {@code --}, in any order; lines with unknown letters are ignored.
   *
   * @throws CvmfsException.Corrupt if a mandatory line is missing, a line comes twice, or a value
   *     is not what it should be
   */
  public static Manifest parse(byte[] body) {
    ManifestLines lines = ManifestLines.split(body);
    if (!lines.text('R').equals(ROOT_PATH_MD5)) {
      throw new CvmfsException.Corrupt(
          "manifest line R is '" + lines.text('R') + "', expected " + ROOT_PATH_MD5);
    }
    return new Manifest(
        lines.repositoryName('N'),
        lines.hash('C'),
        lines.has('B') ? lines.number('B') : 0,
        Duration.ofSeconds(lines.number('D')),
        lines.number('S'),
        lines.flag('G'),
        lines.flag('A'),
        lines.hash('X'),
        lines.optionalHash('H'),
        lines.has('T') ? lines.number('T') : 0,
        lines.optionalHash('M'),
        lines.optionalHash('Y'));
  }

  /** The lines before {@code --}, in the order of the original publisher. */
  public byte[] encode() {
    StringBuilder out = new StringBuilder(512);
    line(out, 'C', rootCatalog);
    line(out, 'B', rootCatalogSizeBytes);
    line(out, 'R', ROOT_PATH_MD5);
    line(out, 'D', ttl.toSeconds());
    line(out, 'S', revision);
    line(out, 'G', garbageCollectable ? "yes" : "no");
    line(out, 'A', alternativePaths ? "yes" : "no");
    line(out, 'N', repository);
    line(out, 'X', certificate);
    history.ifPresent(hash -> line(out, 'H', hash));
    line(out, 'T', publishedSeconds);
    metaInfo.ifPresent(hash -> line(out, 'M', hash));
    reflog.ifPresent(hash -> line(out, 'Y', hash));
    return out.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static void line(StringBuilder out, char letter, Object value) {
    out.append(letter).append(value).append('\n');
  }
}
