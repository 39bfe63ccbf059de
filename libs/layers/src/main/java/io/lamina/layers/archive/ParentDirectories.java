package io.lamina.layers.archive;

import io.lamina.image.layer.LayerPath;
import io.lamina.layers.LayersException;
import io.lamina.layers.tree.OverlayMarks;
import io.lamina.linux.Directory;
import io.lamina.linux.FileStatus;
import io.lamina.linux.LinuxException;
import io.lamina.linux.Resolution;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The directories that entries of an archive lie in, found below the layer's root whatever links
 * say, and made where they are missing. The last one stays open, as archives go directory by
 * directory. Owned by one thread.
 */
final class ParentDirectories implements AutoCloseable {
  private static final int PERMISSIONS = 0755;
  private static final int ENAMETOOLONG = 36;
  private static final int ELOOP = 40;

  private final Directory root;
  private final int uid;
  private final int gid;
  private @Nullable LayerPath lastPath;
  private @Nullable Directory last;

  /**
   * @param uid owner of directories that the archive does not tell of
   */
  ParentDirectories(Directory root, int uid, int gid) {
    this.root = root;
    this.uid = uid;
    this.gid = gid;
  }

  /** The directory of this path, made if need be; open until the next call. */
  Directory at(LayerPath path) {
    if (path.isRoot()) {
      return root;
    }
    Directory known = last;
    LayerPath knownPath = lastPath;
    if (known != null && knownPath != null && path.equals(knownPath)) {
      return known;
    }
    forget();
    Directory found = find(path).orElseGet(() -> make(path));
    last = found;
    lastPath = path;
    return found;
  }

  /** The directory of this path, if it is there; to be closed. */
  Optional<Directory> find(LayerPath path) {
    return find(path.bytes());
  }

  private Optional<Directory> find(byte[] path) {
    try {
      return root.findDirectory(path, Resolution.IN_ROOT);
    } catch (LinuxException.Failed e) {
      if (e.errno().number() != ELOOP && e.errno().number() != ENAMETOOLONG) {
        throw e;
      }
      // A circle of links, or one whose target is no path: the archive's doing.
      throw new LayersException.Rejected(
          "the directory '"
              + LayerPath.display(path)
              + "' of an entry cannot be reached: "
              + e.errno().text(),
          e);
    }
  }

  /** To be called when an entry was replaced: paths may lead elsewhere now. */
  void forget() {
    if (last != null) {
      last.close();
    }
    last = null;
    lastPath = null;
  }

  private Directory make(LayerPath path) {
    byte[] all = path.bytes();
    Directory current = root.reopened();
    int start = 0;
    for (int i = 1; i <= all.length; i++) {
      if (i == all.length || all[i] == '/') {
        byte[] prefix = Arrays.copyOf(all, i);
        byte[] name = Arrays.copyOfRange(all, start, i);
        Directory parent = current;
        try (parent) {
          current = find(prefix).orElseGet(() -> makeOne(parent, name, path));
        }
        start = i + 1;
      }
    }
    return current;
  }

  private Directory makeOne(Directory parent, byte[] name, LayerPath wanted) {
    Optional<FileStatus> existing = parent.status(name);
    boolean replaces =
        existing.isPresent() && OverlayMarks.isWhiteout(parent, name, existing.get());
    if (replaces) {
      parent.unlink(name);
    } else if (existing.isPresent()) {
      throw new LayersException.Rejected(
          "the directory '"
              + wanted
              + "' of an entry cannot be made: '"
              + LayerPath.display(name)
              + "' is "
              + switch (existing.get().type()) {
                case SYMLINK -> "a symbolic link that leads to no directory of this layer";
                default -> "not a directory";
              });
    }
    parent.makeDirectory(name);
    parent.changeOwner(name, uid, gid);
    parent.changePermissions(name, PERMISSIONS);
    if (replaces) {
      OverlayMarks.makeOpaque(parent, name);
    }
    return parent.openDirectory(name, Resolution.NO_SYMLINKS);
  }

  @Override
  public void close() {
    forget();
  }
}
