package io.lamina.layers.tree;

import io.lamina.linux.Directory;
import io.lamina.linux.FileStatus;
import io.lamina.linux.Resolution;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * One directory as several layers have it, merged as overlayfs does. Owned by one thread.
 *
 * <p>Reading the layers themselves, not an overlay of them, tells files apart by their real devices
 * and inodes, and asks a network file system only for the names that matter.
 */
public final class MergedDirectory implements AutoCloseable {
  /** Names of one directory that are held in memory at once. */
  private static final int MAX_NAMES = 4_000_000;

  private final List<Directory> parts;

  /**
   * @param parts the topmost first; closed with this
   */
  public MergedDirectory(List<Directory> parts) {
    this.parts = List.copyOf(parts);
  }

  /** All names, those of whiteouts too, in the order of their bytes. */
  public List<byte[]> names() {
    if (parts.size() == 1) {
      List<byte[]> names = new ArrayList<>();
      for (Directory.Entry entry : parts.getFirst().list(MAX_NAMES)) {
        names.add(entry.name());
      }
      names.sort(Arrays::compareUnsigned);
      return names;
    }
    SortedSet<byte[]> names = new TreeSet<>(Arrays::compareUnsigned);
    for (Directory part : parts) {
      for (Directory.Entry entry : part.list(MAX_NAMES)) {
        names.add(entry.name());
      }
    }
    return List.copyOf(names);
  }

  /** What the layers have under a name; empty if nothing, not even a whiteout. */
  public Optional<MergedEntry> find(byte[] name) {
    List<Directory> holders = new ArrayList<>(1);
    FileStatus top = null;
    for (Directory part : parts) {
      Optional<FileStatus> found = part.status(name);
      if (found.isEmpty()) {
        continue;
      }
      FileStatus status = found.get();
      boolean whiteout = OverlayMarks.isWhiteout(part, name, status);
      if (top == null) {
        if (whiteout || !status.isDirectory()) {
          return Optional.of(new MergedEntry(name, List.of(part), status, whiteout, true));
        }
        top = status;
      } else if (whiteout || !status.isDirectory()) {
        return Optional.of(new MergedEntry(name, holders, top, false, true));
      }
      holders.add(part);
      if (OverlayMarks.isOpaque(part, name)) {
        return Optional.of(new MergedEntry(name, holders, top, false, true));
      }
    }
    return top == null
        ? Optional.empty()
        : Optional.of(new MergedEntry(name, holders, top, false, false));
  }

  /** A directory that {@link #find} has found; parts that vanished meanwhile are left out. */
  public MergedDirectory open(MergedEntry directory) {
    List<Directory> opened = new ArrayList<>(directory.holders().size());
    try {
      for (Directory holder : directory.holders()) {
        holder.findDirectory(directory.name(), Resolution.NO_SYMLINKS).ifPresent(opened::add);
      }
      return new MergedDirectory(opened);
    } catch (RuntimeException e) {
      opened.forEach(Directory::close);
      throw e;
    }
  }

  @Override
  public void close() {
    parts.forEach(Directory::close);
  }
}
