package io.lamina.layers.overlay;

import io.lamina.image.testing.TarBuilder;
import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.IdMaps;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerOptions;
import io.lamina.layers.LayerStorage;
import io.lamina.layers.LayersException;
import io.lamina.layers.MountLabel;
import io.lamina.layers.StorageSettings;
import io.lamina.linux.Directory;
import io.lamina.linux.MountPoint;
import io.lamina.linux.MountTable;
import io.lamina.linux.Mounts;
import io.lamina.linux.RawName;
import io.lamina.linux.TreeDeletion;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * A storage in a folder, with repositories that are plain folders on a file system of their own.
 */
final class StorageRig implements AutoCloseable {
  final Path home;
  final Repositories cvmfs;
  private final Path folder;
  private StorageSettings settings;
  private @Nullable OverlayStorage storage;

  StorageRig(Path folder) {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")), "mounting layers needs root");
    try {
      Assumptions.assumeTrue(
          Files.readString(Path.of("/proc/filesystems")).contains("\toverlay\n"),
          "this kernel has no overlayfs");
      this.folder = folder;
      this.home = folder.resolve("home");
      Files.createDirectories(folder.resolve("cvmfs"));
      String type = MountTable.read().holding(folder).map(MountPoint::type).orElse("");
      if (!List.of("ext4", "xfs", "btrfs", "tmpfs").contains(type)) {
        // A temporary folder on overlayfs can hold no layers.
        Mounts.mount("none", Files.createDirectories(home), "tmpfs", "mode=755");
      }
      Mounts.mount("none", folder.resolve("cvmfs"), "tmpfs", "mode=755");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.settings = StorageSettings.of(home, folder.resolve("run"));
    this.cvmfs = new Repositories(folder.resolve("cvmfs"));
  }

  StorageRig with(StorageSettings.Mounting mounting) {
    settings = settings.withMounting(mounting);
    return this;
  }

  StorageRig with(IdMaps ids) {
    settings = settings.withIds(ids);
    return this;
  }

  StorageSettings settings() {
    return settings;
  }

  LayerStorage storage() {
    OverlayStorage open = storage;
    if (open == null) {
      open = OverlayStorage.open(settings, cvmfs);
      storage = open;
    }
    return open;
  }

  /** As a process that was killed and one that comes after it, but for the threads. */
  LayerStorage reopened() {
    stop();
    return storage();
  }

  void stop() {
    OverlayStorage open = storage;
    if (open != null) {
      open.close();
    }
    storage = null;
  }

  static LayerId id(String text) {
    return new LayerId(text);
  }

  void create(String id, @Nullable String parent) {
    storage().create(id(id), parent == null ? null : id(parent), LayerOptions.NONE);
  }

  /** Makes a layer that holds an archive; returns what was told as its size. */
  long layer(String id, @Nullable String parent, TarBuilder tar) {
    return layer(id, parent, tar.toBytes());
  }

  long layer(String id, @Nullable String parent, byte[] tar) {
    create(id, parent);
    return storage()
        .applyDiff(id(id), parent == null ? null : id(parent), new ByteArrayInputStream(tar));
  }

  Path mount(String id) {
    return storage().mount(id(id), MountLabel.NONE);
  }

  void unmount(String id) {
    storage().unmount(id(id));
  }

  byte[] diff(String id, @Nullable String parent) {
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    storage().diff(id(id), parent == null ? null : id(parent), tar);
    return tar.toByteArray();
  }

  List<String> changes(String id, @Nullable String parent) {
    return storage().changes(id(id), parent == null ? null : id(parent)).stream()
        .map(Object::toString)
        .toList();
  }

  /** Everything below a folder: type, content and link targets by path. */
  static Map<String, String> tree(Path root) throws IOException {
    Map<String, String> tree = new TreeMap<>();
    try (var all = Files.walk(root)) {
      for (Path path : all.filter(p -> !p.equals(root)).toList()) {
        String name = root.relativize(path).toString();
        if (Files.isSymbolicLink(path)) {
          tree.put(name, "-> " + Files.readSymbolicLink(path));
        } else if (Files.isDirectory(path)) {
          tree.put(name, "dir");
        } else if (Files.isRegularFile(path)) {
          tree.put(name, Files.readString(path));
        } else {
          tree.put(name, "special");
        }
      }
    }
    return tree;
  }

  List<MountPoint> mounts() {
    return MountTable.read().below(home);
  }

  @Override
  public void close() {
    stop();
    for (MountPoint mount : MountTable.read().below(folder).reversed()) {
      Mounts.detach(Path.of(mount.path()));
    }
    // Deep trees take the test's own clean-up minutes.
    try (Directory directory = Directory.open(folder)) {
      TreeDeletion.delete(directory, RawName.of("home"));
    }
  }

  /** Repositories in folders, and who holds them. */
  static final class Repositories implements CvmfsRoots {
    private final Path root;
    final Map<String, Integer> held = new HashMap<>();
    volatile boolean away;
    volatile boolean alive = true;
    volatile Runnable acquired = () -> {};

    Repositories(Path root) {
      this.root = root;
    }

    Path file(String repository, String path, String content) {
      try {
        Path file = root.resolve(repository).resolve(path);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, content);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    synchronized int held() {
      return held.values().stream().mapToInt(Integer::intValue).sum();
    }

    @Override
    public synchronized Lease acquire(String repository) {
      if (away || !Files.isDirectory(root.resolve(repository))) {
        throw new LayersException.Unavailable("repository " + repository + " cannot be mounted");
      }
      held.merge(repository, 1, Integer::sum);
      acquired.run();
      return new Lease() {
        private boolean closed;

        @Override
        public Path root() {
          return root.resolve(repository);
        }

        @Override
        public long revision() {
          return 7;
        }

        @Override
        public boolean isAlive() {
          return alive;
        }

        @Override
        public void close() {
          synchronized (Repositories.this) {
            if (!closed) {
              held.merge(repository, -1, Integer::sum);
            }
            closed = true;
          }
        }
      };
    }
  }
}
