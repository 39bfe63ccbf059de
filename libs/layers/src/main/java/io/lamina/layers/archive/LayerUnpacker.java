package io.lamina.layers.archive;

import io.lamina.image.ImageException;
import io.lamina.image.layer.EntryAttributes;
import io.lamina.image.layer.LayerEntry;
import io.lamina.image.layer.LayerPath;
import io.lamina.image.layer.TarEntries;
import io.lamina.layers.IdMaps;
import io.lamina.layers.LayersException;
import io.lamina.layers.tree.MergedDirectory;
import io.lamina.layers.tree.OverlayMarks;
import io.lamina.layers.tree.TreeSize;
import io.lamina.linux.Directory;
import io.lamina.linux.FileStatus;
import io.lamina.linux.FileType;
import io.lamina.linux.LinuxException;
import io.lamina.linux.OpenFile;
import io.lamina.linux.TreeDeletion;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes an archive's entries into a layer's directory. Every step is relative to a directory that
 * was resolved below the layer's root, and no last component is ever followed, so nothing outside
 * is touched whatever the archive holds.
 *
 * <p>Source: docs/layers.md, "Unpacking". Used once, by one thread; the directory is nobody else's.
 */
public final class LayerUnpacker implements AutoCloseable {
  private static final byte[] WHITEOUT_PREFIX = {'.', 'w', 'h', '.'};

  /** Further away no file system keeps times. */
  private static final long MAX_SECONDS = 1L << 40;

  /**
   * What the archive was.
   *
   * @param sizeBytes of all that is not a directory, files with several names once
   * @param opaqueRoot whether nothing of the layers below shows
   */
  public record Unpacked(long sizeBytes, boolean opaqueRoot) {}

  private record Time(long seconds, int nanos) {}

  private final Directory root;
  private final IdMaps ids;
  private final Cancellation cancellation;
  private final ParentDirectories parents;
  private final FileCopy copy;
  private final Map<LayerPath, Time> directoryTimes = new LinkedHashMap<>();
  private long sizeBytes;
  private boolean sizeMustBeCounted;
  private boolean opaqueRoot;

  /**
   * @param root empty; closed by the caller
   */
  public LayerUnpacker(Directory root, IdMaps ids, Cancellation cancellation) {
    this.root = root;
    this.ids = ids;
    this.cancellation = cancellation;
    this.parents = new ParentDirectories(root, ids.userOnHost(0), ids.groupOnHost(0));
    this.copy = new FileCopy(cancellation);
  }

  /**
   * Reads the archive to its end.
   *
   * @throws LayersException.Rejected if it is malformed or hostile
   * @throws LayersException.Exhausted if the disk or the layer's quota is full
   * @throws LayersException.Failed if it broke off, or a file could not be written
   */
  public Unpacked unpack(TarEntries archive) {
    try {
      Optional<LayerEntry> entry = archive.next();
      while (entry.isPresent()) {
        cancellation.check();
        unpack(entry.get());
        entry = archive.next();
      }
      archive.finish();
      setDirectoryTimes();
      return new Unpacked(sizeMustBeCounted ? countSize() : sizeBytes, opaqueRoot);
    } catch (ImageException.Rejected e) {
      throw new LayersException.Rejected("the layer's archive is refused: " + e.getMessage(), e);
    } catch (ImageException e) {
      throw new LayersException.Failed("the layer's archive is incomplete: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new LayersException.Failed("the layer's archive is broken: " + e.getMessage(), e);
    } catch (LinuxException.NoSpace e) {
      throw new LayersException.Exhausted("no space for the layer: " + e.getMessage(), e);
    } catch (LinuxException e) {
      throw new LayersException.Failed("the layer cannot be unpacked: " + e.getMessage(), e);
    }
  }

  private void unpack(LayerEntry entry) throws IOException {
    switch (entry) {
      case LayerEntry.Directory e -> directory(e);
      case LayerEntry.RegularFile e -> file(e);
      case LayerEntry.Symlink e -> {
        Directory parent = parents.at(e.path().parent());
        byte[] name = e.path().name();
        place(parent, name, e.path(), () -> parent.makeSymlink(name, e.target()));
        sizeBytes += e.target().length;
        attributes(parent, name, e.path(), e.attributes(), false);
      }
      case LayerEntry.HardLink e -> hardLink(e);
      case LayerEntry.Device e -> {
        FileType type =
            switch (e.kind()) {
              case CHARACTER -> FileType.CHARACTER_DEVICE;
              case BLOCK -> FileType.BLOCK_DEVICE;
            };
        node(e.path(), e.attributes(), type, e.major(), e.minor());
      }
      case LayerEntry.Fifo e -> node(e.path(), e.attributes(), FileType.FIFO, 0, 0);
      case LayerEntry.Whiteout e -> whiteout(e);
      case LayerEntry.OpaqueMarker e -> {
        if (e.path().isRoot()) {
          opaqueRoot = true;
        } else {
          OverlayMarks.makeOpaque(parents.at(e.path()));
        }
      }
      case LayerEntry.Ignored e -> ignored(e);
    }
  }

  /** Metadata of AUFS is no part of the tree; kinds of entries that nobody knows are. */
  private static void ignored(LayerEntry.Ignored entry) {
    LayerPath path = entry.path();
    while (!path.isRoot()) {
      if (startsWithMark(path.name())) {
        return;
      }
      path = path.parent();
    }
    throw new LayersException.Rejected("entry '" + entry.path() + "' " + entry.reason());
  }

  private static boolean startsWithMark(byte[] name) {
    return name.length >= WHITEOUT_PREFIX.length
        && Arrays.equals(name, 0, 4, WHITEOUT_PREFIX, 0, 4);
  }

  private void directory(LayerEntry.Directory entry) {
    LayerPath path = entry.path();
    if (path.isRoot()) {
      return;
    }
    Directory parent = parents.at(path.parent());
    byte[] name = path.name();
    try {
      parent.makeDirectory(name);
    } catch (LinuxException.AlreadyExists e) {
      mergeDirectory(parent, name, path);
    }
    attributes(parent, name, path, entry.attributes(), true);
    EntryAttributes attributes = entry.attributes();
    directoryTimes.put(path, new Time(attributes.mtimeSeconds(), attributes.mtimeNanos()));
  }

  private void mergeDirectory(Directory parent, byte[] name, LayerPath path) {
    Optional<FileStatus> existing = parent.status(name);
    if (existing.isPresent() && existing.get().isDirectory()) {
      return;
    }
    boolean opaque = existing.isPresent() && OverlayMarks.isWhiteout(parent, name, existing.get());
    clear(parent, name, path);
    parent.makeDirectory(name);
    if (opaque) {
      OverlayMarks.makeOpaque(parent, name);
    }
  }

  private void file(LayerEntry.RegularFile entry) throws IOException {
    LayerPath path = entry.path();
    Directory parent = parents.at(path.parent());
    byte[] name = path.name();
    try (OpenFile file = create(parent, name, path)) {
      copy.fill(file, entry.content(), entry.sizeBytes());
      sizeBytes += entry.sizeBytes();
      EntryAttributes attributes = entry.attributes();
      file.changeOwner(user(attributes, path), group(attributes, path));
      for (Map.Entry<String, byte[]> xattr : attributes.xattrs().entrySet()) {
        xattr(xattr.getKey(), () -> file.setXattr(xattr.getKey(), xattr.getValue()));
      }
      file.changePermissions(attributes.permissions());
      Time time = bounded(attributes);
      file.changeTime(time.seconds, time.nanos);
    }
  }

  private OpenFile create(Directory parent, byte[] name, LayerPath path) {
    try {
      return parent.createFile(name);
    } catch (LinuxException.AlreadyExists e) {
      clear(parent, name, path);
      return parent.createFile(name);
    }
  }

  private void node(
      LayerPath path, EntryAttributes attributes, FileType type, int major, int minor) {
    Directory parent = parents.at(path.parent());
    byte[] name = path.name();
    place(parent, name, path, () -> parent.makeNode(name, type, major, minor));
    attributes(parent, name, path, attributes, true);
  }

  private void hardLink(LayerEntry.HardLink entry) {
    LayerPath path = entry.path();
    byte[] targetName = entry.target().name();
    Optional<Directory> targetParent =
        entry.target().isRoot() ? Optional.empty() : parents.find(entry.target().parent());
    if (targetParent.isEmpty()) {
      throw noTarget(entry);
    }
    try (Directory from = targetParent.get()) {
      FileStatus target = from.status(targetName).orElseThrow(() -> noTarget(entry));
      if (target.isDirectory() || OverlayMarks.isWhiteout(from, targetName, target)) {
        throw noTarget(entry);
      }
      Directory parent = parents.at(path.parent());
      byte[] name = path.name();
      Optional<FileStatus> existing = parent.status(name);
      boolean same =
          existing.isPresent()
              && existing.get().inode() == target.inode()
              && existing.get().device() == target.device();
      if (!same) {
        place(parent, name, path, () -> parent.makeHardLink(name, from, targetName));
      }
    }
  }

  private static LayersException.Rejected noTarget(LayerEntry.HardLink entry) {
    return new LayersException.Rejected(
        "hard link '"
            + entry.path()
            + "' names '"
            + entry.target()
            + "', which is no file that this layer had before it");
  }

  /** Marks of one layer hide only what the layers below have, not what this one brings. */
  private void whiteout(LayerEntry.Whiteout entry) {
    LayerPath path = entry.path();
    Directory parent = parents.at(path.parent());
    byte[] name = path.name();
    Optional<FileStatus> existing = parent.status(name);
    if (existing.isEmpty()) {
      parent.makeNode(name, FileType.CHARACTER_DEVICE, 0, 0);
      parent.changeOwner(name, user(entry.attributes(), path), group(entry.attributes(), path));
    } else if (existing.get().isDirectory()) {
      OverlayMarks.makeOpaque(parent, name);
    }
  }

  private interface Step {
    void run();
  }

  private void place(Directory parent, byte[] name, LayerPath path, Step make) {
    try {
      make.run();
    } catch (LinuxException.AlreadyExists e) {
      clear(parent, name, path);
      make.run();
    }
  }

  /** Takes away what an earlier entry has put here. */
  private void clear(Directory parent, byte[] name, LayerPath path) {
    Optional<FileStatus> existing = parent.status(name);
    if (existing.isEmpty()) {
      return;
    }
    FileStatus status = existing.get();
    if (status.isDirectory()) {
      sizeMustBeCounted = true;
      TreeDeletion.delete(parent, name);
    } else {
      parent.unlink(name);
      if (status.links() > 1) {
        sizeMustBeCounted = true;
      } else {
        sizeBytes -= status.sizeBytes();
      }
    }
    directoryTimes.remove(path);
    if (parent == root) {
      // A directory that is still open may have been reached through what is gone now.
      parents.forget();
    }
  }

  private void attributes(
      Directory parent,
      byte[] name,
      LayerPath path,
      EntryAttributes attributes,
      boolean hasPermissions) {
    parent.changeOwner(name, user(attributes, path), group(attributes, path));
    for (Map.Entry<String, byte[]> xattr : attributes.xattrs().entrySet()) {
      xattr(xattr.getKey(), () -> parent.setXattr(name, xattr.getKey(), xattr.getValue()));
    }
    if (hasPermissions) {
      parent.changePermissions(name, attributes.permissions());
    }
    Time time = bounded(attributes);
    parent.changeTime(name, time.seconds, time.nanos);
  }

  /**
   * Attributes of overlayfs would change what other layers show; those that this file system or
   * kind of file cannot have are left out, as engines do.
   */
  private static void xattr(String attribute, Step set) {
    if (attribute.startsWith("trusted.") || attribute.startsWith("user.overlay.")) {
      return;
    }
    try {
      set.run();
    } catch (LinuxException.NotSupported | LinuxException.Refused e) {
      // Left out.
    }
  }

  private int user(EntryAttributes attributes, LayerPath path) {
    try {
      return ids.userOnHost(attributes.uid());
    } catch (LayersException.Rejected e) {
      throw unmapped(path, e);
    }
  }

  private int group(EntryAttributes attributes, LayerPath path) {
    try {
      return ids.groupOnHost(attributes.gid());
    } catch (LayersException.Rejected e) {
      throw unmapped(path, e);
    }
  }

  private static LayersException.Rejected unmapped(LayerPath path, LayersException.Rejected e) {
    return new LayersException.Rejected("entry '" + path + "': " + e.getMessage(), e);
  }

  private static Time bounded(EntryAttributes attributes) {
    return Math.abs(attributes.mtimeSeconds()) > MAX_SECONDS
        ? new Time(0, 0)
        : new Time(attributes.mtimeSeconds(), attributes.mtimeNanos());
  }

  /** After all else: each entry that is made changes its directory's time. */
  private void setDirectoryTimes() {
    for (Map.Entry<LayerPath, Time> directory : directoryTimes.entrySet()) {
      cancellation.check();
      LayerPath path = directory.getKey();
      Optional<Directory> parent = parents.find(path.parent());
      if (parent.isPresent()) {
        try (Directory open = parent.get()) {
          Optional<FileStatus> status = open.status(path.name());
          if (status.isPresent() && status.get().isDirectory()) {
            Time time = directory.getValue();
            open.changeTime(path.name(), time.seconds, time.nanos);
          }
        }
      }
    }
  }

  private long countSize() {
    try (MergedDirectory all = new MergedDirectory(List.of(root.reopened()))) {
      return TreeSize.of(all).sizeBytes();
    }
  }

  @Override
  public void close() {
    parents.close();
    copy.close();
  }
}
