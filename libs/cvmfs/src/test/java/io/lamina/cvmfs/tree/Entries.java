package io.lamina.cvmfs.tree;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Chunk;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Entries and trees for tests. */
final class Entries {
  static final CatalogEntry DIRECTORY = CatalogEntry.directory(0755, 0, 0, 1_700_000_000);
  static final CatalogEntry WHITEOUT = entry(CatalogEntry.CHARACTER_DEVICE, 0, null, Xattrs.NONE);
  static final CatalogEntry OPAQUE =
      entry(
          CatalogEntry.DIRECTORY | 0755,
          4096,
          null,
          Xattrs.of(
              Map.of(
                  LayerMerge.OPAQUE_ATTRIBUTE,
                  "y".getBytes(StandardCharsets.US_ASCII),
                  "user.kept",
                  new byte[1])));

  private Entries() {}

  static RepositoryPath path(String path) {
    return RepositoryPath.of(path);
  }

  static CatalogEntry file(int number) {
    byte[] digest = new byte[20];
    new Random(number).nextBytes(digest);
    return CatalogEntry.file(
        ContentHash.of(HashAlgorithm.SHA1, digest), number, 0644, 1_700_000_000);
  }

  static CatalogEntry symlink(String target) {
    return CatalogEntry.symlink(target.getBytes(StandardCharsets.UTF_8), 1_700_000_000);
  }

  static CatalogEntry entry(int mode, long sizeBytes, @Nullable ContentHash hash, Xattrs xattrs) {
    return new CatalogEntry(
        mode,
        4_000_000_000L,
        7,
        sizeBytes,
        -5,
        999_999_999,
        0,
        mode == (CatalogEntry.DIRECTORY | 0755) ? 2 : 1,
        hash,
        CompressionAlgorithm.ZLIB,
        new byte[0],
        xattrs,
        List.of());
  }

  static FileTree tree() {
    return new FileTree(100_000, DIRECTORY);
  }

  /** Every path with its entry as text; what readers of the tree can tell apart. */
  static Map<String, String> listing(FileTree tree) {
    Map<String, String> listing = new TreeMap<>();
    tree.forEach((path, entry) -> listing.put(latin(path), describe(entry)));
    return listing;
  }

  private static String latin(RepositoryPath path) {
    return new String(path.bytes(), StandardCharsets.ISO_8859_1);
  }

  private static String describe(CatalogEntry entry) {
    StringBuilder text = new StringBuilder();
    entry.xattrs().asMap().forEach((name, value) -> text.append(name).append(value.length));
    return "%o %d:%d %d %d.%d %s %s %s %s %s"
        .formatted(
            entry.mode(),
            entry.uid(),
            entry.gid(),
            entry.sizeBytes(),
            entry.mtimeSeconds(),
            entry.mtimeNanos(),
            entry.hash(),
            entry.compression(),
            new String(entry.symlinkTarget(), StandardCharsets.ISO_8859_1),
            entry.chunks(),
            text);
  }

  /** A tree of about so many entries of all kinds, with hard links and odd names. */
  static FileTree random(long seed, int entries) {
    Random random = new Random(seed);
    FileTree tree = new FileTree(entries * 20 + 10, DIRECTORY);
    RepositoryPath lastFile = path("/first");
    tree.put(lastFile, file(0));
    while (tree.entries() < entries) {
      RepositoryPath path = RepositoryPath.ROOT;
      int depth = 1 + random.nextInt(5);
      for (int i = 0; i < depth; i++) {
        path = path.resolve(randomName(random, i == depth - 1));
      }
      switch (random.nextInt(9)) {
        case 0 -> tree.put(path, DIRECTORY);
        case 1 -> tree.put(path, symlink("../" + random.nextInt(100)));
        case 2 ->
            tree.put(
                path,
                entry(
                    CatalogEntry.BLOCK_DEVICE | 0600,
                    CatalogEntry.deviceNumber(259, random.nextInt(1000)),
                    null,
                    Xattrs.NONE));
        case 3 -> {
          if (tree.find(lastFile).filter(CatalogEntry::isRegular).isPresent()) {
            tree.link(lastFile, path);
          }
        }
        case 4 -> {
          if (tree.find(lastFile).filter(CatalogEntry::isRegular).isPresent()) {
            tree.link(lastFile, lastFile.parent().resolve(randomName(random, true)));
          }
        }
        case 5 -> tree.put(path, chunked(random.nextInt(1000)));
        case 6 ->
            tree.put(
                path,
                entry(
                    CatalogEntry.REGULAR | random.nextInt(010000),
                    9,
                    file(random.nextInt(100)).hash(),
                    Xattrs.of(Map.of("user.x", new byte[random.nextInt(256)]))));
        default -> {
          tree.put(path, file(random.nextInt(10_000)));
          lastFile = path;
        }
      }
    }
    return tree;
  }

  static CatalogEntry chunked(int number) {
    ContentHash hash = Objects.requireNonNull(file(number).hash());
    return new CatalogEntry(
        CatalogEntry.REGULAR | 0444,
        0,
        0,
        11 + number,
        1,
        -1,
        0,
        1,
        null,
        CompressionAlgorithm.NONE,
        new byte[0],
        Xattrs.NONE,
        List.of(new Chunk(0, 10, hash), new Chunk(10, 1 + number, hash)));
  }

  private static byte[] randomName(Random random, boolean last) {
    if (random.nextInt(40) == 0) {
      return new byte[] {'o', (byte) (0x80 + random.nextInt(4)), '\n'};
    }
    return ((last ? "f" : "d") + random.nextInt(last ? 300 : 8)).getBytes(StandardCharsets.UTF_8);
  }
}
