package io.lamina.layers.overlay;

import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerInfo.State;
import io.lamina.layers.LayersException;
import io.lamina.layers.StatusLine;
import io.lamina.layers.StorageSettings;
import io.lamina.linux.LinuxException;
import io.lamina.linux.MountPoint;
import io.lamina.linux.MountTable;
import io.lamina.linux.Mounts;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The opened folder of a storage: locked, repaired, loaded. Parts of it are shared. */
final class StorageFolder implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(StorageFolder.class);
  private static final String LOCK = "lock";
  private static final String PROBE = "tmp/probe";
  private static final Duration GRACE = Duration.ofSeconds(1);
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final StorageSettings settings;
  private final FileChannel lockFile;
  private final LayerFiles files;
  private final LayerTable table = new LayerTable();
  private final TrashBin trash;
  private final OverlayMounts overlays;
  private final LayerMounts mounts;
  private final Thread adoption;

  private StorageFolder(
      StorageSettings settings, CvmfsRoots roots, LayerFiles files, FileChannel lockFile) {
    this.settings = settings;
    this.files = files;
    this.lockFile = lockFile;
    files.prepare();
    this.overlays = probe(settings);
    UseCounts counts = new UseCounts(settings.runtime());
    this.mounts = new LayerMounts(files, overlays, counts, roots, settings.ids());
    this.trash = new TrashBin(files);
    load();
    List<Layer> adopted = adoptMounts(counts.readAll());
    emptyTrash();
    this.adoption =
        Thread.ofPlatform().daemon().name("layer-adoption").unstarted(() -> hold(adopted));
  }

  static StorageFolder open(StorageSettings settings, CvmfsRoots roots) {
    LayerFiles files = new LayerFiles(settings.home(), settings.ids());
    FileChannel lockFile = lock(settings.home());
    try {
      StorageFolder folder = new StorageFolder(settings, roots, files, lockFile);
      folder.adoption.start();
      return folder;
    } catch (LinuxException e) {
      close(lockFile);
      throw LayerFiles.failed("the folder of layers " + settings.home() + " cannot be opened", e);
    } catch (RuntimeException e) {
      close(lockFile);
      throw e;
    }
  }

  private static FileChannel lock(Path home) {
    FileChannel channel = null;
    try {
      Files.createDirectories(home);
      channel =
          FileChannel.open(home.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return channel;
      }
    } catch (OverlappingFileLockException e) {
      // Told below, as if another process had it.
    } catch (IOException e) {
      close(channel);
      throw new LayersException.Failed("the folder of layers " + home + " cannot be used: " + e, e);
    }
    close(channel);
    throw new LayersException.Conflict(
        "the folder of layers " + home + " is open already, here or in another process");
  }

  private static void close(@Nullable FileChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      log.atDebug().log("the lock of a folder of layers cannot be closed");
    }
  }

  private static OverlayMounts probe(StorageSettings settings) {
    Path folder = settings.home().resolve(PROBE);
    try {
      Files.createDirectories(folder);
      return OverlayMounts.probed(folder, settings.mounting(), settings.ids());
    } catch (IOException e) {
      throw new LayersException.Failed("nothing can be made in " + settings.home() + ": " + e, e);
    } finally {
      try {
        Files.deleteIfExists(folder);
      } catch (IOException e) {
        log.atDebug().addKeyValue("folder", folder).log("a folder for a test stays");
      }
    }
  }

  private void load() {
    Map<LayerId, LayerRecord> records =
        files.load(StorageFolder::warnOfBroken).stream()
            .collect(Collectors.toMap(LayerRecord::id, record -> record));
    Set<LayerId> parents =
        records.values().stream()
            .map(LayerRecord::parent)
            .filter(Objects::nonNull)
            .collect(Collectors.toSet());
    records.values().removeIf(record -> isLeftOver(record, parents));
    Map<LayerId, Layer> loaded = new HashMap<>();
    for (LayerRecord record : records.values()) {
      load(record, records, loaded);
    }
    discardUnneeded();
  }

  private static void warnOfBroken(LayersException e) {
    log.atError()
        .addKeyValue("reason", e.getMessage())
        .log("a layer on the disk cannot be used and is left alone");
  }

  /** Half-made layers are of no use: nobody can finish an archive that broke off. */
  private boolean isLeftOver(LayerRecord record, Set<LayerId> parents) {
    boolean broken = record.state() == State.APPLYING || record.state() == State.FAILED;
    if (!broken || parents.contains(record.id())) {
      return false;
    }
    detachLeftOver(record.id());
    files.discard(record.id());
    log.atInfo().addKeyValue("layer", record.id()).log("removed a layer that was not completed");
    return true;
  }

  private void detachLeftOver(LayerId id) {
    while (Mounts.detach(files.path(id, LayerFiles.MERGED))) {}
  }

  private void load(
      LayerRecord top, Map<LayerId, LayerRecord> records, Map<LayerId, Layer> loaded) {
    List<LayerRecord> chain = new ArrayList<>();
    Set<LayerId> seen = new HashSet<>();
    LayerRecord record = top;
    while (record != null && !loaded.containsKey(record.id())) {
      if (!seen.add(record.id())) {
        warnOfBroken(new LayersException.Failed("layer " + top.id() + " lies on itself"));
        return;
      }
      chain.add(record);
      LayerId parent = record.parent();
      record = parent == null ? null : records.get(parent);
      if (parent != null && record == null) {
        warnOfBroken(
            new LayersException.Failed(
                "layer " + top.id() + " needs layer " + parent + ", which is not there"));
        return;
      }
    }
    for (LayerRecord each : chain.reversed()) {
      LayerId parent = each.parent();
      Layer layer = new Layer(each, parent == null ? null : loaded.get(parent));
      loaded.put(each.id(), layer);
      table.addLoaded(layer);
    }
  }

  /** Finishes removals that were put off and then forgotten with the process. */
  private void discardUnneeded() {
    for (Layer layer : table.everything()) {
      if (layer.record().removed() && table.retire(layer)) {
        Layer unneeded = layer;
        while (unneeded != null) {
          detachLeftOver(unneeded.id);
          files.discard(unneeded.id);
          unneeded = table.forget(unneeded);
        }
      }
    }
  }

  /** Returns those that need CVMFS. */
  private List<Layer> adoptMounts(Map<LayerId, Integer> uses) {
    Set<String> mounted = new HashSet<>();
    MountTable.read().below(files.layers()).forEach(mount -> mounted.add(mount.path()));
    List<Layer> needCvmfs = new ArrayList<>();
    for (Layer layer : table.all()) {
      boolean isMounted = mounted.contains(files.path(layer.id, LayerFiles.MERGED).toString());
      try (Layer.Locked held = layer.locked()) {
        mounts.adopt(layer, isMounted, uses.getOrDefault(layer.id, 0));
      }
      if (isMounted && !LayerStack.repositories(layer).isEmpty()) {
        needCvmfs.add(layer);
      }
    }
    return needCvmfs;
  }

  private void emptyTrash() {
    for (MountPoint mount : MountTable.read().below(files.trash())) {
      Mounts.detach(Path.of(mount.path()));
    }
    files.discarded().forEach(trash::add);
  }

  private void hold(List<Layer> adopted) {
    for (Layer layer : adopted) {
      try {
        mounts.holdAgain(layer);
      } catch (LayersException.Cancelled e) {
        return;
      }
    }
  }

  LayerFiles files() {
    return files;
  }

  LayerTable table() {
    return table;
  }

  LayerMounts mounts() {
    return mounts;
  }

  OverlayMounts overlays() {
    return overlays;
  }

  TrashBin trash() {
    return trash;
  }

  List<StatusLine> status() {
    String type =
        MountTable.read().holding(settings.home()).map(MountPoint::type).orElse("unknown");
    return List.of(
        new StatusLine("Home", settings.home().toString()),
        new StatusLine("Backing Filesystem", type),
        new StatusLine("Supports d_type", "true"),
        new StatusLine("Native Overlay Diff", "true"),
        new StatusLine("userxattr", "false"),
        new StatusLine("Mounting", overlays.method().name().toLowerCase(Locale.ROOT)),
        new StatusLine("Mount Options", overlays.options().toString()));
  }

  @Override
  public void close() {
    try {
      if (!adoption.join(GRACE)) {
        adoption.interrupt();
        adoption.join(PATIENCE);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    trash.close();
    close(lockFile);
  }
}
