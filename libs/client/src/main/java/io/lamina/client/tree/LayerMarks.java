package io.lamina.client.tree;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What archives of layers say by names, shown as overlays understand it. Other publishers store
 * layers as their archives are, with a file {@code .wh.NAME} for each NAME that is removed and
 * {@code .wh..wh..opq} in a directory that hides all below it.
 *
 * <p>Source: docs/client.md, "Layers of other publishers".
 */
final class LayerMarks {
  static final byte[] OPAQUE_NAME = ascii(".wh..wh..opq");
  private static final byte[] PREFIX = ascii(".wh.");
  private static final byte[] RESERVED = ascii(".wh..wh.");
  private static final byte[] NO_TARGET = {};

  private LayerMarks() {}

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** The name of the mark that removes an entry; empty if it would be too long to exist. */
  static Optional<byte[]> removing(byte[] name) {
    if (PREFIX.length + name.length > RepositoryPath.MAX_NAME_BYTES) {
      return Optional.empty();
    }
    byte[] mark = Arrays.copyOf(PREFIX, PREFIX.length + name.length);
    System.arraycopy(name, 0, mark, PREFIX.length, name.length);
    return Optional.of(mark);
  }

  /** Whether this is a mark and not an entry of the layer. */
  static boolean isMark(Entry entry) {
    return entry.entry().isRegular() && startsWith(entry.path().name(), PREFIX);
  }

  /** A listing without marks, but with what they remove. */
  static List<Entry> translated(RepositoryPath directory, List<Entry> entries) {
    if (entries.stream().noneMatch(LayerMarks::isMark)) {
      return entries;
    }
    Set<RepositoryPath> present = new HashSet<>();
    entries.forEach(entry -> present.add(entry.path()));
    List<Entry> shown = new ArrayList<>(entries.size());
    for (Entry entry : entries) {
      if (isMark(entry)) {
        removed(directory, entry).filter(gone -> present.add(gone.path())).ifPresent(shown::add);
      } else {
        shown.add(entry);
      }
    }
    return shown;
  }

  /** What shows in place of a mark; nothing for those that say something of the directory. */
  static Optional<Entry> removed(RepositoryPath directory, Entry mark) {
    byte[] name = mark.path().name();
    if (startsWith(name, RESERVED) || name.length == PREFIX.length) {
      return Optional.empty();
    }
    byte[] gone = Arrays.copyOfRange(name, PREFIX.length, name.length);
    boolean isDots = gone[0] == '.' && (gone.length == 1 || (gone.length == 2 && gone[1] == '.'));
    if (isDots) {
      return Optional.empty();
    }
    RepositoryPath path = directory.resolve(gone);
    return Optional.of(
        new Entry(
            path,
            new CatalogEntry(
                CatalogEntry.CHARACTER_DEVICE,
                0,
                0,
                0,
                mark.entry().mtimeSeconds(),
                mark.entry().mtimeNanos(),
                0,
                1,
                null,
                CompressionAlgorithm.ZLIB,
                NO_TARGET,
                Xattrs.NONE,
                List.of()),
            path.hash().first() & Long.MAX_VALUE,
            NO_TARGET,
            false,
            false,
            Optional.empty()));
  }

  private static boolean startsWith(byte[] name, byte[] prefix) {
    return name.length >= prefix.length
        && Arrays.equals(name, 0, prefix.length, prefix, 0, prefix.length);
  }
}
