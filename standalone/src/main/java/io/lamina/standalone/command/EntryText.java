package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Chunk;
import io.lamina.cvmfs.reader.FileStat;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;

/** An entry of a repository as text and as JSON. */
final class EntryText {
  private EntryText() {}

  static char type(CatalogEntry entry) {
    return switch (entry.mode() & CatalogEntry.TYPE_MASK) {
      case CatalogEntry.DIRECTORY -> 'd';
      case CatalogEntry.SYMLINK -> 'l';
      case CatalogEntry.CHARACTER_DEVICE -> 'c';
      case CatalogEntry.BLOCK_DEVICE -> 'b';
      case CatalogEntry.FIFO -> 'p';
      case CatalogEntry.SOCKET -> 's';
      default -> '-';
    };
  }

  /** As {@code ls -l} writes it: {@code -rwsr-xr-x}. */
  static String mode(CatalogEntry entry) {
    int mode = entry.mode();
    char[] text = (type(entry) + "rwxrwxrwx").toCharArray();
    for (int i = 0; i < 9; i++) {
      if ((mode & (0400 >> i)) == 0) {
        text[i + 1] = '-';
      }
    }
    special(text, 3, (mode & 04000) != 0, 's');
    special(text, 6, (mode & 02000) != 0, 's');
    special(text, 9, (mode & 01000) != 0, 't');
    return new String(text);
  }

  private static void special(char[] text, int at, boolean isSet, char letter) {
    if (isSet) {
      text[at] = text[at] == 'x' ? letter : Character.toUpperCase(letter);
    }
  }

  static String name(FileStat stat) {
    return stat.path().isRoot() ? "/" : text(stat.path().name());
  }

  static String longLine(FileStat stat, String shownName) {
    CatalogEntry entry = stat.entry();
    String target = entry.isSymlink() ? " -> " + text(stat.linkTarget()) : "";
    return "%s %4d %6d %6d %12d %s %s%s"
        .formatted(
            mode(entry),
            entry.linkCount(),
            entry.uid(),
            entry.gid(),
            stat.shownSizeBytes(),
            Instant.ofEpochSecond(entry.mtimeSeconds()),
            shownName,
            target);
  }

  static ObjectNode json(FileStat stat) {
    CatalogEntry entry = stat.entry();
    ObjectNode node = Output.JSON.createObjectNode();
    node.put("path", stat.path().toString());
    node.put("mode", "%07o".formatted(entry.mode()));
    node.put("uid", entry.uid()).put("gid", entry.gid());
    node.put("nlink", entry.linkCount()).put("inode", stat.inode());
    node.put("size", stat.shownSizeBytes());
    node.put("mtimeSeconds", entry.mtimeSeconds());
    if (entry.mtimeNanos() >= 0) {
      node.put("mtimeNanos", entry.mtimeNanos());
    }
    if (entry.isSymlink()) {
      node.put("target", text(stat.linkTarget())).put("rawTarget", text(entry.symlinkTarget()));
    }
    if (entry.hash() != null) {
      node.put("object", entry.hash().toString());
    }
    if (entry.isRegular()) {
      node.put("compression", entry.compression().name().toLowerCase(java.util.Locale.ROOT));
    }
    if (type(entry) == 'c' || type(entry) == 'b') {
      node.put("device", entry.sizeBytes());
    }
    if (!entry.chunks().isEmpty()) {
      ArrayNode chunks = node.putArray("chunks");
      for (Chunk chunk : entry.chunks()) {
        chunks
            .addObject()
            .put("offset", chunk.offsetBytes())
            .put("size", chunk.sizeBytes())
            .put("object", chunk.hash().toString());
      }
    }
    if (!entry.xattrs().isEmpty()) {
      ObjectNode xattrs = node.putObject("xattrs");
      entry
          .xattrs()
          .asMap()
          .forEach((key, value) -> xattrs.put(key, HexFormat.of().formatHex(value)));
    }
    return node;
  }

  static String text(byte[] raw) {
    return new String(raw, StandardCharsets.UTF_8);
  }
}
