package io.lamina.client.mount;

import io.lamina.linux.CopyBuffer;
import io.lamina.linux.Directory;
import io.lamina.linux.FileStatus;
import io.lamina.linux.FileType;
import io.lamina.linux.OpenFile;
import io.lamina.linux.Resolution;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Describes what the kernel shows below a folder as the fixture's listing does. */
final class MountedListing {
  private static final int MAX_ENTRIES = 100_000;

  private MountedListing() {}

  static List<String> of(Path mountPoint) {
    List<String> lines = new ArrayList<>();
    try (Directory root = Directory.open(mountPoint)) {
      FileStatus status = root.status();
      lines.add(line("/", status, xattrs(root, new byte[] {'.'}), ""));
      walk(root, "", lines);
    }
    return lines;
  }

  private static void walk(Directory directory, String path, List<String> lines) {
    List<Directory.Entry> entries = new ArrayList<>(directory.list(MAX_ENTRIES));
    entries.sort((left, right) -> Arrays.compareUnsigned(left.name(), right.name()));
    for (Directory.Entry entry : entries) {
      String child = path + "/" + new String(entry.name(), StandardCharsets.UTF_8);
      FileStatus status = directory.status(entry.name()).orElseThrow();
      if (entry.type() != status.type()) {
        throw new AssertionError(child + " is listed as " + entry.type());
      }
      String content =
          switch (status.type()) {
            case REGULAR -> ", \"sha256\": \"" + sha256(directory, entry.name()) + "\"";
            case SYMLINK ->
                ", \"target\": "
                    + quoted(new String(directory.readLink(entry.name()), StandardCharsets.UTF_8));
            case CHARACTER_DEVICE, BLOCK_DEVICE ->
                ", \"rdev\": [" + status.deviceMajor() + ", " + status.deviceMinor() + "]";
            case DIRECTORY, FIFO, SOCKET, UNKNOWN -> "";
          };
      lines.add(line(child, status, xattrs(directory, entry.name()), content));
      if (status.type() == FileType.DIRECTORY) {
        try (Directory below = directory.openDirectory(entry.name(), Resolution.BENEATH)) {
          walk(below, child, lines);
        }
      }
    }
  }

  private static Map<String, byte[]> xattrs(Directory directory, byte[] name) {
    Map<String, byte[]> values = new TreeMap<>();
    for (String attribute : directory.xattrs(name)) {
      // The root lists what the client adds of its own.
      if (name.length != 1 || name[0] != '.') {
        values.put(attribute, directory.xattr(name, attribute).orElseThrow());
      }
    }
    return values;
  }

  private static String line(
      String path, FileStatus status, Map<String, byte[]> xattrs, String content) {
    StringBuilder out = new StringBuilder();
    out.append("{\"path\": ").append(quoted(path));
    int mode = status.type().modeBits() | status.permissions();
    out.append(", \"mode\": \"0o").append(Integer.toOctalString(mode)).append('"');
    out.append(", \"uid\": ").append(status.uid()).append(", \"gid\": ").append(status.gid());
    out.append(", \"nlink\": ").append(status.links());
    long nanos = status.mtimeSeconds() * 1_000_000_000L + status.mtimeNanos();
    out.append(", \"mtime_ns\": ").append(nanos);
    out.append(", \"size\": ").append(status.isRegular() ? status.sizeBytes() : null);
    out.append(content);
    if (!xattrs.isEmpty()) {
      List<String> parts = new ArrayList<>();
      xattrs.forEach(
          (name, value) ->
              parts.add(quoted(name) + ": \"" + HexFormat.of().formatHex(value) + '"'));
      out.append(", \"xattrs\": {").append(String.join(", ", parts)).append('}');
    }
    return out.append('}').toString();
  }

  private static String sha256(Directory directory, byte[] name) {
    try (OpenFile file = directory.openFile(name);
        CopyBuffer buffer = new CopyBuffer(64 << 10)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (int count; (count = file.read(buffer, buffer.sizeBytes())) > 0; ) {
        digest.update(buffer.bytes(), 0, count);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\t", "\\t") + '"';
  }
}
