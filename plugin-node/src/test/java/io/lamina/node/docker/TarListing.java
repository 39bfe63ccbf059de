package io.lamina.node.docker;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** What an archive holds, as lines that can be compared. */
final class TarListing {
  private TarListing() {}

  /**
   * One line for each name. Of two names of one file either may be the link, so both lines tell of
   * the file; times are told where the image set them.
   */
  static Map<String, String> of(byte[] archive) {
    Map<String, String> lines = new TreeMap<>();
    Map<String, String> links = new TreeMap<>();
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(
            new ByteArrayInputStream(archive), StandardCharsets.UTF_8.name())) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        String name = entry.getName().replaceAll("/+$", "");
        if (entry.isLink()) {
          links.put(name, entry.getLinkName());
        } else {
          // What a mark's own mode is means nothing; the built-in driver writes several.
          boolean isMark = name.substring(name.lastIndexOf('/') + 1).startsWith(".wh.");
          lines.put(name, isMark ? "mark" : line(entry, tar));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    links.forEach((name, target) -> lines.put(name, lines.getOrDefault(target, "link to nothing")));
    Map<String, Integer> names = new TreeMap<>();
    links.values().forEach(target -> names.merge(target, 1, Integer::sum));
    links.forEach((name, target) -> lines.merge(name, "", (line, _) -> line + same(target, links)));
    names
        .keySet()
        .forEach(target -> lines.merge(target, "", (line, _) -> line + same(target, links)));
    return lines;
  }

  /** All names of one file, whichever comes first. */
  private static String same(String target, Map<String, String> links) {
    TreeMap<String, String> all = new TreeMap<>(links);
    all.values().removeIf(other -> !other.equals(target));
    all.put(target, target);
    return " names " + all.keySet();
  }

  private static String line(TarArchiveEntry entry, TarArchiveInputStream tar) throws IOException {
    char type = (char) entry.getLinkFlag();
    StringBuilder line = new StringBuilder();
    line.append(type == 0 ? '0' : type)
        .append(" %o %d:%d".formatted(entry.getMode() & 07777, uid(entry), gid(entry)));
    if (entry.isFile()) {
      byte[] content = tar.readAllBytes();
      line.append(" %d %s".formatted(content.length, ImageArchive.sha256(content)));
    }
    if (entry.isSymbolicLink()) {
      line.append(" -> ").append(entry.getLinkName());
    }
    if (entry.isCharacterDevice() || entry.isBlockDevice()) {
      line.append(" %d,%d".formatted(entry.getDevMajor(), entry.getDevMinor()));
    }
    entry
        .getExtraPaxHeaders()
        .forEach(
            (key, value) -> {
              if (key.startsWith("SCHILY.xattr.")) {
                line.append(' ').append(key).append('=').append(value.hashCode());
              }
            });
    if (entry.getLastModifiedTime().toMillis() == TarArchive.TIME_SECONDS * 1000) {
      line.append(" old");
    }
    return line.toString();
  }

  private static long uid(TarArchiveEntry entry) {
    return entry.getLongUserId();
  }

  private static long gid(TarArchiveEntry entry) {
    return entry.getLongGroupId();
  }
}
