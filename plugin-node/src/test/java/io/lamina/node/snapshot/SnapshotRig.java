package io.lamina.node.snapshot;

import io.lamina.image.Digest;
import io.lamina.image.thin.CvmfsUrl;
import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayersException;
import io.lamina.layers.StorageSettings;
import io.lamina.layers.overlay.OverlayStorage;
import io.lamina.linux.Directory;
import io.lamina.linux.MountPoint;
import io.lamina.linux.MountTable;
import io.lamina.linux.Mounts;
import io.lamina.linux.RawName;
import io.lamina.linux.TreeDeletion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * Snapshots in a folder, with repositories that are plain folders on a file system of their own. A
 * clock that stands still until it is told.
 */
final class SnapshotRig implements AutoCloseable {
  static final List<String> REPOSITORIES = List.of("first.example.org", "second.example.org");

  final Path home;
  final Path records;
  final Repositories cvmfs;

  /** Who shows repositories; may be changed before snapshots are used. */
  CvmfsRoots roots;

  boolean unverified = true;
  private final Path folder;
  private final AtomicLong seconds = new AtomicLong(1_000_000);
  private @Nullable LayerSnapshots open;

  SnapshotRig(Path folder) {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")), "mounting layers needs root");
    this.folder = folder;
    this.home = folder.resolve("home");
    this.records = folder.resolve("records");
    try {
      Assumptions.assumeTrue(
          Files.readString(Path.of("/proc/filesystems")).contains("\toverlay\n"),
          "this kernel has no overlayfs");
      String type = MountTable.read().holding(folder).map(MountPoint::type).orElse("");
      if (!List.of("ext4", "xfs", "btrfs", "tmpfs").contains(type)) {
        // A temporary folder on overlayfs can hold no layers.
        Mounts.mount("none", Files.createDirectories(home), "tmpfs", "mode=755");
      }
      Mounts.mount("none", Files.createDirectories(folder.resolve("cvmfs")), "tmpfs", "mode=755");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.cvmfs = new Repositories(folder.resolve("cvmfs"));
    this.roots = cvmfs;
  }

  LayerSnapshots snapshots() {
    LayerSnapshots now = open;
    if (now == null) {
      now =
          LayerSnapshots.open(
              OverlayStorage.open(StorageSettings.of(home, folder.resolve("run")), roots),
              records,
              roots,
              REPOSITORIES,
              unverified,
              clock(),
              () -> Duration.ofSeconds(seconds.get()).toNanos());
      open = now;
    }
    return now;
  }

  private Clock clock() {
    return new Clock() {
      @Override
      public ZoneId getZone() {
        return ZoneOffset.UTC;
      }

      @Override
      public Clock withZone(ZoneId zone) {
        return this;
      }

      @Override
      public Instant instant() {
        return now();
      }
    };
  }

  Instant now() {
    return Instant.ofEpochSecond(seconds.get());
  }

  void pass(Duration time) {
    seconds.addAndGet(time.toSeconds());
  }

  /** As a process that was killed and one that comes after it, but for the threads. */
  LayerSnapshots reopened() {
    stop();
    return snapshots();
  }

  void stop() {
    if (open != null) {
      open.close();
      open = null;
    }
  }

  /** Where the files of a snapshot that is not committed are seen. */
  static Path shown(List<SnapshotMount> mounts) {
    return Path.of(mounts.getFirst().source());
  }

  Path prepare(String key, String parent) {
    return shown(snapshots().prepare(key, parent, Map.of()));
  }

  /** Commits a snapshot with one file. */
  void commit(String name, String parent, String file, String content) {
    Path root = prepare(name + "-making", parent);
    write(root, file, content);
    snapshots().commit(name, name + "-making", Map.of());
  }

  static void write(Path root, String file, String content) {
    try {
      Path path = root.resolve(file);
      Files.createDirectories(path.getParent());
      Files.writeString(path, content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String read(Path root, String file) {
    try {
      return Files.readString(root.resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Layers that are on the disk, in use or not. */
  List<String> layersOnDisk() {
    try (var layers = Files.list(home.resolve("layers"))) {
      return layers.map(layer -> layer.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  List<Path> recordsOnDisk() {
    try (var files = Files.list(records)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  long mountsOfLayers() {
    return MountTable.read().below(home.resolve("layers")).size();
  }

  @Override
  public void close() {
    stop();
    for (MountPoint mount : MountTable.read().below(home.resolve("layers"))) {
      Mounts.detach(Path.of(mount.path()));
    }
    Mounts.detach(folder.resolve("cvmfs"));
    while (Mounts.detach(home)) {}
    try (Directory parent = Directory.open(folder)) {
      for (Directory.Entry entry : parent.list(1000)) {
        TreeDeletion.delete(parent, entry.name());
      }
    }
  }

  /** Repositories that can be away, and know who uses them. */
  static final class Repositories implements CvmfsRoots {
    private final Path folder;
    final Map<String, AtomicInteger> uses = new ConcurrentHashMap<>();
    final Map<String, AtomicInteger> asked = new ConcurrentHashMap<>();
    final Set<String> away = new HashSet<>();

    /** Leases that were given before count as dead afterwards. */
    volatile int generation;

    Repositories(Path folder) {
      this.folder = folder;
    }

    Path layer(String repository, Digest digest) {
      try {
        return Files.createDirectories(
            folder.resolve(repository).resolve(CvmfsUrl.ofLayer(repository, digest).path()));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    int uses(String repository) {
      return count(uses, repository).get();
    }

    int asked(String repository) {
      return count(asked, repository).get();
    }

    private static AtomicInteger count(Map<String, AtomicInteger> counts, String repository) {
      return counts.computeIfAbsent(repository, _ -> new AtomicInteger());
    }

    @Override
    public Lease acquire(String repository) {
      count(asked, repository).incrementAndGet();
      Path root = folder.resolve(repository);
      if (away.contains(repository) || !Files.isDirectory(root)) {
        throw new LayersException.Unavailable("repository " + repository + " is away");
      }
      count(uses, repository).incrementAndGet();
      int given = generation;
      return new Lease() {
        private boolean closed;

        @Override
        public Path root() {
          return root;
        }

        @Override
        public long revision() {
          return 1;
        }

        @Override
        public boolean isAlive() {
          return given == generation;
        }

        @Override
        public synchronized void close() {
          if (!closed) {
            closed = true;
            count(uses, repository).decrementAndGet();
          }
        }
      };
    }
  }

  static byte[] name(String text) {
    return RawName.of(text);
  }
}
