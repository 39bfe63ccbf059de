package io.lamina.linux;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Deletes directory trees of any depth and width: a directory that is not empty is moved up to the
 * tree's root before it is emptied, so neither paths nor stacks nor descriptors grow with the
 * depth. Links are never followed, other file systems never entered. Thread-safe.
 */
public final class TreeDeletion {
  private static final int MAX_TAKEN_NAMES = 1 << 16;

  private final Directory root;
  private final long device;
  private final AtomicLong moved = new AtomicLong();

  private TreeDeletion(Directory root, long device) {
    this.root = root;
    this.device = device;
  }

  /**
   * Deletes an entry of a directory with all below it; fine if there is none.
   *
   * @throws LinuxException.Refused if another file system is mounted in it
   */
  public static void delete(Directory parent, byte[] name) {
    Optional<FileStatus> status = parent.status(name);
    if (status.isEmpty()) {
      return;
    }
    if (!status.get().isDirectory()) {
      unlink(parent, name);
      return;
    }
    try (Directory root = parent.openDirectory(name, Resolution.NO_SYMLINKS)) {
      TreeDeletion deletion = new TreeDeletion(root, parent.status().device());
      deletion.checkNotMounted(root);
      // What is moved up while the root is read may be missed by this reading.
      while (deletion.emptyRootOnce()) {}
    }
    removeDirectory(parent, name);
  }

  /** Whether there was anything. */
  private boolean emptyRootOnce() {
    AtomicBoolean any = new AtomicBoolean();
    root.forEach(
        entry -> {
          any.setPlain(true);
          if (isDirectory(root, entry)) {
            root.findDirectory(entry.name(), Resolution.NO_SYMLINKS).ifPresent(this::empty);
            removeDirectory(root, entry.name());
          } else {
            unlink(root, entry.name());
          }
        });
    return any.getPlain();
  }

  private void empty(Directory directory) {
    try (directory) {
      checkNotMounted(directory);
      directory.forEach(
          entry -> {
            if (isDirectory(directory, entry)) {
              removeOrMoveUp(directory, entry.name());
            } else {
              unlink(directory, entry.name());
            }
          });
    }
  }

  private void checkNotMounted(Directory directory) {
    if (directory.status().device() != device) {
      throw LinuxException.of("delete", directory + ", where something is mounted", Errno.EPERM);
    }
  }

  private static boolean isDirectory(Directory parent, Directory.Entry entry) {
    return switch (entry.type()) {
      case DIRECTORY -> true;
      case UNKNOWN -> parent.status(entry.name()).map(FileStatus::isDirectory).orElse(false);
      case REGULAR, SYMLINK, CHARACTER_DEVICE, BLOCK_DEVICE, FIFO, SOCKET -> false;
    };
  }

  private void removeOrMoveUp(Directory directory, byte[] name) {
    try {
      removeDirectory(directory, name);
    } catch (LinuxException.AlreadyExists notEmpty) {
      moveUp(directory, name);
    }
  }

  private void moveUp(Directory directory, byte[] name) {
    for (int attempt = 0; ; attempt++) {
      try {
        directory.renameToFree(name, root, RawName.of(".deleted-" + moved.getAndIncrement()));
        return;
      } catch (LinuxException.AlreadyExists taken) {
        if (attempt == MAX_TAKEN_NAMES) {
          throw taken;
        }
      }
    }
  }

  private static void removeDirectory(Directory directory, byte[] name) {
    try {
      directory.removeDirectory(name);
    } catch (LinuxException.NotFound e) {
      // Somebody else was faster.
    }
  }

  private static void unlink(Directory directory, byte[] name) {
    try {
      directory.unlink(name);
    } catch (LinuxException.NotFound e) {
      // Somebody else was faster.
    }
  }
}
