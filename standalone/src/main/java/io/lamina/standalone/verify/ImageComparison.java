package io.lamina.standalone.verify;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.reader.FileStat;
import io.lamina.cvmfs.reader.RepositoryReader;
import io.lamina.image.ImageSource;
import io.lamina.image.ResolvedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeSet;

/**
 * Compares a published root file system with the image it was made from: every path, type, mode,
 * owner, time, link target and the SHA-256 of every content. Stateless.
 */
public final class ImageComparison {
  private static final int MAX_DIFFERENCES = 1_000;

  /** What Apptainer needs and the merge adds where the image has nothing at that place. */
  private static final Set<String> ADDED =
      Set.of(
          ".singularity.d",
          "singularity",
          "environment",
          ".run",
          ".exec",
          ".test",
          ".shell",
          "dev",
          "proc",
          "root",
          "var",
          "var/tmp",
          "tmp",
          "etc",
          "sys",
          "home",
          "etc/hosts",
          "etc/resolv.conf");

  private ImageComparison() {}

  /**
   * What was found.
   *
   * @param files whose content was compared
   * @param bytes of these
   * @param differences at most {@value #MAX_DIFFERENCES}, each a sentence for people
   */
  public record Result(long entries, long files, long bytes, List<String> differences) {
    public Result {
      differences = List.copyOf(differences);
    }
  }

  /**
   * @param root directory of the published tree
   */
  public static Result compare(
      ImageSource source, ResolvedImage image, RepositoryReader reader, RepositoryPath root) {
    SourceTree tree = SourceTree.read(source, image);
    NavigableMap<String, SourceEntry> expected = tree.entries();
    Set<String> missing = new TreeSet<>(expected.keySet());
    List<String> differences = new ArrayList<>();
    long[] counts = new long[3];
    String prefix = root.toString() + "/";
    reader.walk(
        root,
        stat -> {
          if (stat.path().equals(root)) {
            return;
          }
          String path = stat.path().toString().substring(prefix.length());
          SourceEntry entry = expected.get(path);
          missing.remove(path);
          counts[0]++;
          if (entry == null) {
            if (!isAllowed(path, tree)) {
              note(differences, path + ": published, but the image does not have it");
            }
            return;
          }
          compareEntry(path, entry, stat, differences);
          if (entry.type() == 'f' && stat.entry().isRegular()) {
            counts[1]++;
            counts[2] += entry.sizeBytes();
            compareContent(path, entry, stat, reader, differences);
          }
        });
    missing.forEach(path -> note(differences, path + ": in the image, but not published"));
    return new Result(counts[0], counts[1], counts[2], differences);
  }

  /** Added for Apptainer, a catalog's marker, or a directory that tars may leave out. */
  private static boolean isAllowed(String path, SourceTree expected) {
    String name = path.substring(path.lastIndexOf('/') + 1);
    return ADDED.contains(path)
        || path.startsWith(".singularity.d/")
        || name.equals(".cvmfscatalog")
        || name.equals(".cvmfsautocatalog")
        || expected.impliesFolder(path);
  }

  private static void compareEntry(
      String path, SourceEntry expected, FileStat found, List<String> differences) {
    CatalogEntry entry = found.entry();
    char type = type(entry);
    if (type != expected.type()) {
      note(differences, path + ": type " + type + " instead of " + expected.type());
      return;
    }
    int permissions = entry.mode() & 07777;
    if (type != 'l' && permissions != expected.permissions()) {
      note(
          differences,
          "%s: mode %o instead of %o".formatted(path, permissions, expected.permissions()));
    }
    if (entry.uid() != expected.uid() || entry.gid() != expected.gid()) {
      note(
          differences,
          "%s: owner %d:%d instead of %d:%d"
              .formatted(path, entry.uid(), entry.gid(), expected.uid(), expected.gid()));
    }
    if (entry.mtimeSeconds() != expected.mtimeSeconds()) {
      note(
          differences,
          "%s: time %d instead of %d"
              .formatted(path, entry.mtimeSeconds(), expected.mtimeSeconds()));
    }
    String target = new String(entry.symlinkTarget(), StandardCharsets.UTF_8);
    if (!target.equals(expected.target())) {
      note(differences, path + ": leads to " + target + " instead of " + expected.target());
    }
  }

  private static void compareContent(
      String path,
      SourceEntry expected,
      FileStat found,
      RepositoryReader reader,
      List<String> differences) {
    if (found.entry().sizeBytes() != expected.sizeBytes()) {
      note(
          differences,
          path + ": " + found.entry().sizeBytes() + " bytes instead of " + expected.sizeBytes());
      return;
    }
    try (InputStream content = reader.open(found)) {
      if (!SourceTree.sha256(content).equals(expected.sha256())) {
        note(differences, path + ": another content");
      }
    } catch (IOException | CvmfsException e) {
      note(differences, path + ": cannot be read: " + e.getMessage());
    }
  }

  private static char type(CatalogEntry entry) {
    return switch (entry.mode() & CatalogEntry.TYPE_MASK) {
      case CatalogEntry.DIRECTORY -> 'd';
      case CatalogEntry.SYMLINK -> 'l';
      case CatalogEntry.CHARACTER_DEVICE -> 'c';
      case CatalogEntry.BLOCK_DEVICE -> 'b';
      case CatalogEntry.FIFO -> 'p';
      default -> 'f';
    };
  }

  private static void note(List<String> differences, String difference) {
    if (differences.size() < MAX_DIFFERENCES) {
      differences.add(difference);
    }
  }
}
