package io.lamina.layers.archive;

import io.lamina.layers.IdMaps;
import io.lamina.layers.LayersException;
import io.lamina.layers.archive.TarWriter.Header;
import io.lamina.layers.archive.TarWriter.Type;
import io.lamina.layers.tree.FileKey;
import io.lamina.layers.tree.MergedDirectory;
import io.lamina.layers.tree.MergedEntry;
import io.lamina.layers.tree.TreeDepth;
import io.lamina.linux.FileStatus;
import io.lamina.linux.LinuxException;
import io.lamina.linux.OpenFile;
import io.lamina.linux.RawName;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes directories of layers as an archive: names in the order of their bytes, a directory before
 * its content, whiteouts in the form that archives have. The same files give the same bytes.
 *
 * <p>Source: docs/layers.md, "Packing". Used once, by one thread.
 */
public final class LayerPacker {
  private static final byte[] WHITEOUT_PREFIX = RawName.of(".wh.");
  private static final byte[] OPAQUE_NAME = RawName.of(".wh..wh..opq");
  private static final byte[] NOTHING = {};
  private static final String CAPABILITY = "security.capability";
  private static final int WHITEOUT_PERMISSIONS = 0600;

  /** What of the layers below the packed ones the archive hides. */
  public enum Marks {
    /** The archive lies on other layers: whiteouts and opaque directories are written. */
    WRITTEN,
    /** The archive is the whole file system. */
    LEFT_OUT
  }

  private final OutputStream out;
  private final TarWriter tar;
  private final IdMaps ids;
  private final Marks marks;
  private final Cancellation cancellation;
  private final FileCopy copy;
  private final Map<FileKey, byte[]> linked = new HashMap<>();

  private LayerPacker(
      OutputStream out, IdMaps ids, Marks marks, Cancellation cancellation, FileCopy copy) {
    this.out = out;
    this.tar = new TarWriter(out);
    this.ids = ids;
    this.marks = marks;
    this.cancellation = cancellation;
    this.copy = copy;
  }

  /**
   * @param root closed by the caller
   * @param opaqueRoot whether nothing below these layers shows
   * @throws IOException of {@code out}
   */
  public static void pack(
      MergedDirectory root,
      boolean opaqueRoot,
      Marks marks,
      IdMaps ids,
      Cancellation cancellation,
      OutputStream out)
      throws IOException {
    try (FileCopy copy = new FileCopy(cancellation)) {
      LayerPacker packer = new LayerPacker(out, ids, marks, cancellation, copy);
      if (opaqueRoot && marks == Marks.WRITTEN) {
        packer.marker(OPAQUE_NAME, 0755, 0);
      }
      packer.directory(root, NOTHING, 0);
      packer.tar.end();
    }
  }

  private void directory(MergedDirectory directory, byte[] path, int depth) throws IOException {
    TreeDepth.check(depth);
    for (byte[] name : directory.names()) {
      cancellation.check();
      Optional<MergedEntry> found = directory.find(name);
      if (found.isEmpty()) {
        continue;
      }
      MergedEntry entry = found.get();
      if (entry.whiteout()) {
        if (marks == Marks.WRITTEN) {
          byte[] marked = concat(path, concat(WHITEOUT_PREFIX, name));
          marker(marked, WHITEOUT_PERMISSIONS, entry.status().mtimeSeconds());
        }
      } else if (entry.isDirectory()) {
        subdirectory(directory, entry, path, depth);
      } else {
        other(entry, concat(path, name));
      }
    }
  }

  private void subdirectory(MergedDirectory parent, MergedEntry entry, byte[] path, int depth)
      throws IOException {
    byte[] below = concat(path, concat(entry.name(), RawName.of("/")));
    try (MergedDirectory content = parent.open(entry)) {
      tar.begin(header(Type.DIRECTORY, below, NOTHING, 0, entry));
      if (entry.replaces() && marks == Marks.WRITTEN) {
        marker(
            concat(below, OPAQUE_NAME),
            entry.status().permissions(),
            entry.status().mtimeSeconds());
      }
      directory(content, below, depth + 1);
    }
  }

  private void other(MergedEntry entry, byte[] path) throws IOException {
    FileStatus status = entry.status();
    switch (status.type()) {
      case SOCKET, UNKNOWN, DIRECTORY -> {
        // A socket is nothing without its process; the other two are not among files.
      }
      case REGULAR, SYMLINK, CHARACTER_DEVICE, BLOCK_DEVICE, FIFO -> {
        byte[] first = status.links() > 1 ? linked.get(FileKey.of(status)) : null;
        if (first != null) {
          tar.begin(header(Type.HARD_LINK, path, first, 0, entry));
          return;
        }
        try {
          if (content(entry, path) && status.links() > 1) {
            linked.put(FileKey.of(status), path);
          }
        } catch (LinuxException.NotFound e) {
          // It vanished between listing and reading: a file system in use may do that.
        }
      }
    }
  }

  /** Whether the entry was written. */
  private boolean content(MergedEntry entry, byte[] path) throws IOException {
    FileStatus status = entry.status();
    switch (status.type()) {
      case REGULAR -> {
        return file(entry, path);
      }
      case SYMLINK -> {
        byte[] target = entry.holder().readLink(entry.name());
        tar.begin(header(Type.SYMLINK, path, target, 0, entry));
      }
      case CHARACTER_DEVICE -> tar.begin(header(Type.CHARACTER_DEVICE, path, NOTHING, 0, entry));
      case BLOCK_DEVICE -> tar.begin(header(Type.BLOCK_DEVICE, path, NOTHING, 0, entry));
      case FIFO -> tar.begin(header(Type.FIFO, path, NOTHING, 0, entry));
      case DIRECTORY, SOCKET, UNKNOWN -> {
        return false;
      }
    }
    return true;
  }

  private boolean file(MergedEntry entry, byte[] path) throws IOException {
    try (OpenFile file = entry.holder().openFile(entry.name())) {
      FileStatus status = file.status();
      if (!status.isRegular()) {
        return false;
      }
      long size = status.sizeBytes();
      tar.begin(header(Type.FILE, path, NOTHING, size, entry));
      copy.send(file, size, out);
      tar.endContent(size);
      return true;
    }
  }

  private Header header(Type type, byte[] path, byte[] link, long sizeBytes, MergedEntry entry) {
    FileStatus status = entry.status();
    return new Header(
        type,
        path,
        link,
        status.permissions(),
        user(status, path),
        group(status, path),
        sizeBytes,
        status.mtimeSeconds(),
        status.deviceMajor(),
        status.deviceMinor(),
        type == Type.HARD_LINK ? Collections.emptySortedMap() : xattrs(entry));
  }

  private long user(FileStatus status, byte[] path) {
    try {
      return ids.userInContainer(status.uid());
    } catch (LayersException.Rejected e) {
      throw unmapped(path, e);
    }
  }

  private long group(FileStatus status, byte[] path) {
    try {
      return ids.groupInContainer(status.gid());
    } catch (LayersException.Rejected e) {
      throw unmapped(path, e);
    }
  }

  private static LayersException.Rejected unmapped(byte[] path, LayersException.Rejected cause) {
    return new LayersException.Rejected(
        RawName.display(path) + " cannot be packed: " + cause.getMessage(), cause);
  }

  private static SortedMap<String, byte[]> xattrs(MergedEntry entry) {
    SortedMap<String, byte[]> xattrs = new TreeMap<>();
    for (String attribute : entry.holder().xattrs(entry.name())) {
      boolean wanted =
          attribute.equals(CAPABILITY)
              || attribute.startsWith("user.") && !attribute.startsWith("user.overlay.");
      if (wanted) {
        entry
            .holder()
            .xattr(entry.name(), attribute)
            .ifPresent(
                value ->
                    xattrs.put(
                        attribute, attribute.equals(CAPABILITY) ? withoutRoot(value) : value));
      }
    }
    return xattrs;
  }

  /**
   * Capabilities of version 3 name the user namespace's root on this host, which means nothing
   * elsewhere; version 2 is the same without. Source: linux/capability.h, struct vfs_ns_cap_data.
   */
  static byte[] withoutRoot(byte[] capability) {
    if (capability.length != 24 || capability[3] != 3) {
      return capability;
    }
    byte[] older = Arrays.copyOf(capability, 20);
    older[3] = 2;
    return older;
  }

  private void marker(byte[] path, int permissions, long mtimeSeconds) throws IOException {
    tar.begin(
        new Header(
            Type.FILE,
            path,
            NOTHING,
            permissions,
            0,
            0,
            0,
            mtimeSeconds,
            0,
            0,
            Collections.emptySortedMap()));
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
