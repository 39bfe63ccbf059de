package io.lamina.repository.releasemanager;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogMarker;
import io.lamina.cvmfs.catalog.Chunk;
import io.lamina.cvmfs.reader.FileStat;
import io.lamina.cvmfs.reader.RepositoryReader;
import io.lamina.repository.RepositoryException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.jspecify.annotations.Nullable;

/**
 * Additions to a repository as the archive that {@code cvmfs_server ingest} takes for its root
 * folder. Every object is verified while it is written. The last entry is the link that says which
 * of our revisions is shown.
 *
 * <p>Names are raw bytes in GNU form, since those of PAX would have to be UTF-8.
 *
 * <p>Source: docs/operations-publishing.md, "What cvmfs_server drops".
 */
final class TreeArchive {
  private static final int BLOCK_BYTES = 512;

  /** Beyond these, equal files are written again: a bound on memory, not on what is right. */
  private static final int MAX_REMEMBERED_FILES = 200_000;

  private static final int HEADER_BYTES = 4 * BLOCK_BYTES;
  private static final byte[] MARKER = CatalogMarker.NAME.getBytes(StandardCharsets.US_ASCII);
  private static final byte[] AUTOMATIC =
      CatalogMarker.AUTOMATIC_NAME.getBytes(StandardCharsets.US_ASCII);
  private static final byte UNSUPPORTED = 0x7f;

  /** Notes of this software for merging, which is done on our own catalogs. */
  private static final String OWN_ATTRIBUTES = "trusted.lamina.";

  private static final String GRAFT_PREFIX = ".cvmfsgraft-";
  private static final String BUNDLES = ".cvmfsbundles";

  /**
   * @param sizeBytes upper bound of the archive
   * @param losses how many entries the tool shows without something that they have
   * @param firstLoss one of them, for people
   */
  record Survey(long entries, long sizeBytes, long losses, Optional<String> firstLoss) {}

  private final RepositoryReader tree;
  private final List<TreeDifference.Put> puts;

  TreeArchive(RepositoryReader tree, List<TreeDifference.Put> puts) {
    this.tree = tree;
    this.puts = puts;
  }

  /**
   * Looks at all that would be written, without its contents.
   *
   * @throws RepositoryException.Rejected naming an entry that would stop the tool
   */
  Survey survey() {
    long[] numbers = new long[3];
    String[] loss = new String[1];
    EqualFiles equals = new EqualFiles();
    forEach(
        stat -> {
          requireIngestible(stat);
          numbers[0]++;
          numbers[1] += HEADER_BYTES + 2L * stat.path().bytes().length;
          if (stat.entry().isRegular() && equals.earlier(stat).isEmpty()) {
            numbers[1] += stat.entry().sizeBytes() + BLOCK_BYTES;
          }
          Optional<String> lost = loss(stat);
          if (lost.isPresent()) {
            numbers[2]++;
            loss[0] = loss[0] == null ? lost.get() : loss[0];
          }
        });
    return new Survey(numbers[0], numbers[1], numbers[2], Optional.ofNullable(loss[0]));
  }

  private static void requireIngestible(FileStat stat) {
    String name = new String(stat.path().name(), StandardCharsets.ISO_8859_1);
    if (name.equals(BUNDLES)) {
      throw new RepositoryException.Rejected(
          stat.path() + " cannot be published by cvmfs_server: it refuses files of that name");
    }
  }

  /** What the tool does not show of an entry as it is. */
  private static Optional<String> loss(FileStat stat) {
    if (isGraftInstruction(stat)) {
      return Optional.of(stat.path() + " itself, which it takes for an instruction");
    }
    if ((stat.entry().mode() & CatalogEntry.TYPE_MASK) == CatalogEntry.SOCKET) {
      return Optional.of("the socket " + stat.path());
    }
    List<String> attributes =
        stat.entry().xattrs().asMap().keySet().stream()
            .filter(attribute -> !attribute.startsWith(OWN_ATTRIBUTES))
            .toList();
    return attributes.isEmpty()
        ? Optional.empty()
        : Optional.of("the extended attributes " + attributes + " of " + stat.path());
  }

  /** Every entry that is added, directories before what lies in them. */
  private void forEach(Consumer<FileStat> sink) {
    for (TreeDifference.Put put : puts) {
      if (put.whole()) {
        tree.walk(
            put.path(),
            stat -> {
              if (!Arrays.equals(stat.path().name(), AUTOMATIC)) {
                sink.accept(stat);
              }
            });
      } else {
        sink.accept(tree.stat(put.path()));
      }
    }
  }

  /**
   * @param shown named by the archive's last entry
   * @throws io.lamina.cvmfs.CvmfsException if an object is missing or damaged; what was written is
   *     then worthless
   */
  void write(OutputStream out, ContentHash shown, long timeSeconds) throws IOException {
    try (TarArchiveOutputStream tar =
        new TarArchiveOutputStream(out, StandardCharsets.ISO_8859_1.name())) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
      tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_STAR);
      EqualFiles equals = new EqualFiles();
      try {
        forEach(
            stat -> {
              try {
                write(tar, stat, equals);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
      TarArchiveEntry marker =
          entry(PublishedRepository.MARKER, TarConstants.LF_SYMLINK, 0777, 0, 0, timeSeconds);
      marker.setLinkName(shown.toString());
      tar.putArchiveEntry(marker);
      tar.closeArchiveEntry();
      tar.finish();
    }
  }

  private void write(TarArchiveOutputStream tar, FileStat stat, EqualFiles equals)
      throws IOException {
    CatalogEntry from = stat.entry();
    if (!isPublished(stat)) {
      return;
    }
    byte type = type(from);
    TarArchiveEntry entry =
        entry(stat.path(), type, from.mode() & 07777, from.uid(), from.gid(), from.mtimeSeconds());
    if (type == TarConstants.LF_SYMLINK) {
      entry.setLinkName(new String(from.symlinkTarget(), StandardCharsets.ISO_8859_1));
    } else if (type == TarConstants.LF_CHR || type == TarConstants.LF_BLK) {
      entry.setDevMajor(from.deviceMajor());
      entry.setDevMinor(from.deviceMinor());
    } else if (type == TarConstants.LF_NORMAL) {
      Optional<RepositoryPath> earlier = equals.earlier(stat);
      if (earlier.isPresent()) {
        TarArchiveEntry link =
            entry(
                stat.path(),
                TarConstants.LF_LINK,
                from.mode() & 07777,
                from.uid(),
                from.gid(),
                from.mtimeSeconds());
        link.setLinkName(nameOf(earlier.get()));
        tar.putArchiveEntry(link);
        tar.closeArchiveEntry();
        return;
      }
      entry.setSize(from.sizeBytes());
      tar.putArchiveEntry(entry);
      try (InputStream content = tree.open(stat)) {
        content.transferTo(tar);
      }
      tar.closeArchiveEntry();
      return;
    }
    tar.putArchiveEntry(entry);
    tar.closeArchiveEntry();
  }

  private static byte type(CatalogEntry entry) {
    return switch (entry.mode() & CatalogEntry.TYPE_MASK) {
      case CatalogEntry.DIRECTORY -> TarConstants.LF_DIR;
      case CatalogEntry.REGULAR -> TarConstants.LF_NORMAL;
      case CatalogEntry.SYMLINK -> TarConstants.LF_SYMLINK;
      case CatalogEntry.CHARACTER_DEVICE -> TarConstants.LF_CHR;
      case CatalogEntry.BLOCK_DEVICE -> TarConstants.LF_BLK;
      case CatalogEntry.FIFO -> TarConstants.LF_FIFO;
      default -> UNSUPPORTED;
    };
  }

  private static TarArchiveEntry entry(
      RepositoryPath path, byte type, int permissions, long uid, long gid, long timeSeconds) {
    String name = nameOf(path);
    TarArchiveEntry entry =
        new TarArchiveEntry(type == TarConstants.LF_DIR ? name + "/" : name, type);
    entry.setMode(permissions);
    entry.setUserId(uid);
    entry.setGroupId(gid);
    entry.setUserName("");
    entry.setGroupName("");
    entry.setModTime(FileTime.fromMillis(timeSeconds * 1_000));
    return entry;
  }

  private static String nameOf(RepositoryPath path) {
    byte[] bytes = path.bytes();
    return new String(bytes, 1, bytes.length - 1, StandardCharsets.ISO_8859_1);
  }

  /**
   * Finds files that are equal in all that the tool keeps. The tool copies the entry of the first
   * one for a hard link, in whatever catalog it lies: layers and the image that they make cost
   * their bytes once.
   */
  private static final class EqualFiles {
    private record Key(
        @Nullable ContentHash hash,
        List<Chunk> chunks,
        int mode,
        long uid,
        long gid,
        long mtimeSeconds) {}

    private final Map<Key, RepositoryPath> first = new HashMap<>();

    Optional<RepositoryPath> earlier(FileStat file) {
      CatalogEntry entry = file.entry();
      if (entry.sizeBytes() == 0 || !isPublished(file)) {
        return Optional.empty();
      }
      Key key =
          new Key(
              entry.hash(),
              entry.chunks(),
              entry.mode(),
              entry.uid(),
              entry.gid(),
              entry.mtimeSeconds());
      RepositoryPath known = first.get(key);
      if (known == null && first.size() < MAX_REMEMBERED_FILES) {
        first.put(key, file.path());
      }
      return Optional.ofNullable(known);
    }
  }

  /** Whether the tool shows such an entry at all. */
  static boolean isPublished(FileStat stat) {
    return type(stat.entry()) != UNSUPPORTED && !isGraftInstruction(stat);
  }

  private static boolean isGraftInstruction(FileStat stat) {
    return !stat.entry().isDirectory()
        && new String(stat.path().name(), StandardCharsets.ISO_8859_1).startsWith(GRAFT_PREFIX);
  }

  static boolean isCatalogMarker(RepositoryPath path) {
    return Arrays.equals(path.name(), MARKER) || Arrays.equals(path.name(), AUTOMATIC);
  }
}
