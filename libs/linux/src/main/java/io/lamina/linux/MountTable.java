package io.lamina.linux;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is mounted, as this process sees it, in the order of mounting. A picture of one moment.
 * Immutable. Source: man 5 proc, /proc/[pid]/mountinfo.
 */
public final class MountTable {
  private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");

  /** Room for 500 layers with the longest paths there are, each byte escaped. */
  private static final int MAX_LINE_BYTES = 1 << 24;

  private static final int MAX_MOUNTS = 1_000_000;
  private static final int FIXED_FIELDS = 6;

  private final List<MountPoint> mounts;

  private MountTable(List<MountPoint> mounts) {
    this.mounts = List.copyOf(mounts);
  }

  public static MountTable read() {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(MOUNTINFO), 1 << 16)) {
      return parse(in);
    } catch (IOException e) {
      throw new UncheckedIOException("the mount table " + MOUNTINFO + " cannot be read", e);
    }
  }

  /**
   * The same as another process sees it; empty if it is gone, or this one may not look.
   *
   * @param pid of the process, in this one's namespace
   */
  public static Optional<MountTable> of(long pid) {
    Path file = Path.of("/proc", Long.toString(pid), "mountinfo");
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      return Optional.of(parse(in));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Lines that are no mounts are left out: later kernels may have more kinds. */
  static MountTable parse(InputStream in) throws IOException {
    List<MountPoint> mounts = new ArrayList<>();
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    int b = in.read();
    while (b >= 0 || line.size() > 0) {
      if (b == '\n' || b < 0) {
        line(line.toByteArray()).ifPresent(mounts::add);
        line.reset();
      } else if (line.size() == MAX_LINE_BYTES || mounts.size() == MAX_MOUNTS) {
        throw new IOException("a mount table with more or longer lines than any kernel has");
      } else {
        line.write(b);
      }
      b = b < 0 ? b : in.read();
    }
    return new MountTable(mounts);
  }

  private static Optional<MountPoint> line(byte[] raw) {
    // Fields hold any byte but blanks, so they are cut before they are decoded.
    String[] fields = new String(raw, StandardCharsets.ISO_8859_1).split(" ", -1);
    int separator = FIXED_FIELDS;
    while (separator < fields.length && !fields[separator].equals("-")) {
      separator++;
    }
    if (separator + 3 >= fields.length) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new MountPoint(
              Integer.parseInt(fields[0]),
              Integer.parseInt(fields[1]),
              fields[2],
              unescape(fields[3]),
              unescape(fields[4]),
              unescape(fields[5]),
              unescape(fields[separator + 1]),
              unescape(fields[separator + 2]),
              unescape(fields[separator + 3])));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** The kernel writes blanks, newlines and backslashes as three octal digits. */
  private static String unescape(String field) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(field.length());
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      if (c == '\\' && i + 3 < field.length() && isOctal(field, i + 1)) {
        out.write(Integer.parseInt(field.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        out.write(c);
      }
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  private static boolean isOctal(String field, int from) {
    for (int i = from; i < from + 3; i++) {
      if (field.charAt(i) < '0' || field.charAt(i) > '7') {
        return false;
      }
    }
    return true;
  }

  public List<MountPoint> mounts() {
    return mounts;
  }

  /** What shows at exactly this path, which was mounted last there; empty if nothing is. */
  public Optional<MountPoint> at(Path path) {
    String wanted = path.toString();
    return mounts.reversed().stream().filter(mount -> mount.path().equals(wanted)).findFirst();
  }

  /** All mounts below a directory, without one on itself. */
  public List<MountPoint> below(Path directory) {
    String prefix = directory.toString().endsWith("/") ? directory.toString() : directory + "/";
    return mounts.stream().filter(mount -> mount.path().startsWith(prefix)).toList();
  }

  /** The file system that a path lies on: the last mount of the longest path that leads to it. */
  public Optional<MountPoint> holding(Path path) {
    MountPoint best = null;
    for (MountPoint mount : mounts) {
      if (path.startsWith(mount.path())
          && (best == null || mount.path().length() >= best.path().length())) {
        best = mount;
      }
    }
    return Optional.ofNullable(best);
  }
}
