package io.lamina.layers.tree;

import io.lamina.layers.Change;
import io.lamina.linux.FileStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Tells what layers change of those below them. Only names that the upper layers have are looked up
 * below, but for directories that replace one.
 *
 * <p>Source: docs/layers.md, "Changes". Used once, by one thread.
 */
public final class ChangeFinder {
  private static final String CAPABILITY = "security.capability";
  private static final byte[] NONE = {};

  private final List<Change> changes = new ArrayList<>();

  private ChangeFinder() {}

  /**
   * @param upper closed by the caller
   * @param below what the upper layers lie on; null if on nothing; closed by the caller
   * @param opaqueRoot whether nothing of {@code below} shows
   */
  public static List<Change> find(
      MergedDirectory upper, @Nullable MergedDirectory below, boolean opaqueRoot) {
    ChangeFinder finder = new ChangeFinder();
    finder.compare(upper, below, opaqueRoot, NONE, 0);
    return finder.changes;
  }

  /**
   * @param replaces whether the upper directory shows nothing of the one below
   */
  private void compare(
      MergedDirectory upper,
      @Nullable MergedDirectory below,
      boolean replaces,
      byte[] path,
      int depth) {
    TreeDepth.check(depth);
    TreeSet<byte[]> names = new TreeSet<>(Arrays::compareUnsigned);
    names.addAll(upper.names());
    if (replaces && below != null) {
      names.addAll(below.names());
    }
    for (byte[] name : names) {
      Optional<MergedEntry> mine = upper.find(name);
      MergedEntry old =
          below == null ? null : below.find(name).filter(e -> !e.whiteout()).orElse(null);
      if (mine.isPresent() && !mine.get().whiteout()) {
        entry(upper, mine.get(), below, old, join(path, name), depth);
      } else if (old != null && (mine.isPresent() || replaces)) {
        changes.add(new Change(join(path, name), Change.Kind.DELETED));
      }
    }
  }

  private void entry(
      MergedDirectory upper,
      MergedEntry mine,
      @Nullable MergedDirectory below,
      @Nullable MergedEntry old,
      byte[] path,
      int depth) {
    if (!mine.isDirectory()) {
      if (old == null) {
        changes.add(new Change(path, Change.Kind.ADDED));
      } else if (old.isDirectory() || differs(mine, old)) {
        changes.add(new Change(path, Change.Kind.MODIFIED));
      }
      return;
    }
    int before = changes.size();
    changes.add(new Change(path, old == null ? Change.Kind.ADDED : Change.Kind.MODIFIED));
    boolean overDirectory = old != null && old.isDirectory();
    try (MergedDirectory content = upper.open(mine)) {
      if (overDirectory && below != null && old != null) {
        try (MergedDirectory oldContent = below.open(old)) {
          compare(content, oldContent, mine.replaces(), path, depth + 1);
        }
      } else {
        compare(content, null, false, path, depth + 1);
      }
    }
    if (overDirectory
        && old != null
        && changes.size() == before + 1
        && !metadataDiffers(mine, old)) {
      changes.removeLast();
    }
  }

  private static boolean differs(MergedEntry mine, MergedEntry old) {
    FileStatus a = mine.status();
    FileStatus b = old.status();
    return a.type() != b.type()
        || a.sizeBytes() != b.sizeBytes()
        || timeDiffers(a, b)
        || metadataDiffers(mine, old);
  }

  /** Archives keep whole seconds, so a time without nanoseconds may be the other's. */
  private static boolean timeDiffers(FileStatus a, FileStatus b) {
    return a.mtimeSeconds() != b.mtimeSeconds()
        || a.mtimeNanos() != b.mtimeNanos() && a.mtimeNanos() != 0 && b.mtimeNanos() != 0;
  }

  private static boolean metadataDiffers(MergedEntry mine, MergedEntry old) {
    FileStatus a = mine.status();
    FileStatus b = old.status();
    return a.permissions() != b.permissions()
        || a.uid() != b.uid()
        || a.gid() != b.gid()
        || a.deviceMajor() != b.deviceMajor()
        || a.deviceMinor() != b.deviceMinor()
        || !Arrays.equals(capability(mine), capability(old));
  }

  private static byte[] capability(MergedEntry entry) {
    return switch (entry.status().type()) {
      case REGULAR -> entry.holder().xattr(entry.name(), CAPABILITY).orElse(NONE);
      default -> NONE;
    };
  }

  private static byte[] join(byte[] path, byte[] name) {
    byte[] joined = Arrays.copyOf(path, path.length + 1 + name.length);
    joined[path.length] = '/';
    System.arraycopy(name, 0, joined, path.length + 1, name.length);
    return joined;
  }
}
