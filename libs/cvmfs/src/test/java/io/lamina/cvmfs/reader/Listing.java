package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** Describes a tree as the fixture's listing does: one JSON object a line. */
final class Listing {
  private Listing() {}

  /** Reads everything: each entry and each byte of each file. */
  static List<String> of(RepositoryReader reader) {
    List<String> lines = new ArrayList<>();
    reader.walk(RepositoryPath.ROOT, stat -> lines.add(line(reader, stat)));
    return lines;
  }

  private static String line(RepositoryReader reader, FileStat stat) {
    CatalogEntry entry = stat.entry();
    StringBuilder out = new StringBuilder();
    out.append("{\"path\": ").append(quoted(stat.path().toString()));
    out.append(", \"mode\": \"0o").append(Integer.toOctalString(entry.mode())).append('"');
    out.append(", \"uid\": ").append(entry.uid()).append(", \"gid\": ").append(entry.gid());
    out.append(", \"nlink\": ").append(entry.linkCount());
    long nanos = entry.mtimeSeconds() * 1_000_000_000L + Math.max(entry.mtimeNanos(), 0);
    out.append(", \"mtime_ns\": ").append(nanos);
    out.append(", \"size\": ").append(entry.isRegular() ? stat.shownSizeBytes() : null);
    if (entry.isRegular()) {
      out.append(", \"sha256\": \"").append(sha256(reader, stat)).append('"');
    }
    if (entry.isSymlink()) {
      // The listing was taken with the client's variables switched off.
      String target = new String(entry.symlinkTarget(), StandardCharsets.UTF_8);
      out.append(", \"target\": ").append(quoted(target));
    }
    int type = entry.mode() & CatalogEntry.TYPE_MASK;
    if (type == CatalogEntry.CHARACTER_DEVICE || type == CatalogEntry.BLOCK_DEVICE) {
      out.append(", \"rdev\": [").append(entry.deviceMajor());
      out.append(", ").append(entry.deviceMinor()).append(']');
    }
    if (!entry.xattrs().isEmpty()) {
      out.append(", \"xattrs\": {");
      String separator = "";
      for (Map.Entry<String, byte[]> xattr : entry.xattrs().asMap().entrySet()) {
        out.append(separator).append(quoted(xattr.getKey())).append(": \"");
        out.append(HexFormat.of().formatHex(xattr.getValue())).append('"');
        separator = ", ";
      }
      out.append('}');
    }
    return out.append('}').toString();
  }

  private static String sha256(RepositoryReader reader, FileStat stat) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = new DigestInputStream(reader.open(stat), digest)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\t", "\\t") + '"';
  }
}
