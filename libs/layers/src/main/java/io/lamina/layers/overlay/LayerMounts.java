package io.lamina.layers.overlay;

import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.IdMaps;
import io.lamina.layers.LayersException;
import io.lamina.layers.MountLabel;
import io.lamina.linux.Directory;
import io.lamina.linux.LinuxException;
import io.lamina.linux.Mounts;
import io.lamina.linux.RawName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Mounts of layers and their uses. All is done with the layer's lock held, unless a method says
 * otherwise. Source: docs/layers.md, "Uses".
 */
final class LayerMounts {
  private static final Logger log = LoggerFactory.getLogger(LayerMounts.class);
  private static final int MAX_STACKED_MOUNTS = 100;

  private final LayerFiles files;
  private final OverlayMounts overlays;
  private final UseCounts counts;
  private final CvmfsRoots roots;
  private final IdMaps ids;

  LayerMounts(
      LayerFiles files, OverlayMounts overlays, UseCounts counts, CvmfsRoots roots, IdMaps ids) {
    this.files = files;
    this.overlays = overlays;
    this.counts = counts;
    this.roots = roots;
    this.ids = ids;
  }

  /** One more use; the path is the same each time. */
  Path mount(Layer layer, MountLabel label) {
    LayerRecord record = layer.record();
    switch (record.state()) {
      case CREATED, APPLIED -> {}
      case APPLYING, FAILED ->
          throw new LayersException.Conflict(
              "layer " + layer.id + " is not complete, so it cannot be mounted");
    }
    if (record.isThin() && !record.ownFiles()) {
      return files.path(layer.id, LayerFiles.THIN);
    }
    List<Lower> below = below(layer);
    if (below.isEmpty()) {
      return files.path(layer.id, LayerFiles.DIFF);
    }
    Path merged = files.path(layer.id, LayerFiles.MERGED);
    if (Mounts.isMounted(merged)) {
      if (layer.uses > 0) {
        checkAlive(layer);
      }
      // An unused mount that is still there may be in use by what the engine has forgotten.
      keepUses(layer, layer.uses + 1);
      return merged;
    }
    giveBack(layer);
    keepUses(layer, layer.uses + 1);
    try {
      mountAnew(layer, merged, below, label);
      return merged;
    } catch (RuntimeException e) {
      keepUses(layer, layer.uses - 1);
      removeMountPoint(layer);
      throw e;
    }
  }

  /** A thin layer alone shows what its archive has brought, as engines pack that again. */
  private static List<Lower> below(Layer layer) {
    return layer.record().isThin()
        ? List.of(new Lower.Descriptor(layer.id))
        : LayerStack.below(layer);
  }

  private void checkAlive(Layer layer) {
    if (layer.leases.isEmpty() && !LayerStack.repositories(layer).isEmpty()) {
      // Left by an earlier process, and not looked at yet.
      layer.broken = !works(layer);
    }
    if (layer.broken || !layer.leases.stream().allMatch(CvmfsRoots.Lease::isAlive)) {
      SortedSet<String> repositories = LayerStack.repositories(layer);
      throw new LayersException.Unavailable(
          "the CVMFS client that layer "
              + layer.id
              + " was mounted with has ended ("
              + String.join(", ", repositories)
              + "): stop its container and start it again");
    }
  }

  private void mountAnew(Layer layer, Path merged, List<Lower> below, MountLabel label) {
    if (!ids.isNone() && below.stream().anyMatch(Lower.Folder.class::isInstance)) {
      throw new LayersException.NotSupported(
          "thin images cannot be used with user namespaces: the files of CVMFS belong to the host's"
              + " users");
    }
    files.makePart(layer.id, LayerFiles.MERGED, 0700);
    try (OpenLowers lowers = OpenLowers.open(below, files, roots);
        Directory own = files.open(layer.id, ".")) {
      if (layer.record().isWritable()) {
        overlays.mountWritable(merged, lowers.directories(), own, label);
      } else {
        mountReadOnly(layer, merged, lowers.directories(), label);
      }
      layer.leases.addAll(lowers.takeLeases());
    } catch (LinuxException e) {
      throw LayerFiles.failed("layer " + layer.id + " cannot be mounted", e);
    }
  }

  private void mountReadOnly(Layer layer, Path merged, List<Directory> below, MountLabel label) {
    try (Directory diff = files.open(layer.id, LayerFiles.DIFF)) {
      List<Directory> all = new ArrayList<>(below.size() + 1);
      if (layer.record().isThin()) {
        all.addAll(below);
        all.add(diff);
      } else {
        all.add(diff);
        all.addAll(below);
      }
      overlays.mountReadOnly(merged, all, label);
    }
  }

  /** One use less; the last one ends the mount. */
  void unmount(Layer layer) {
    if (layer.uses > 1) {
      keepUses(layer, layer.uses - 1);
    } else {
      detach(layer);
    }
  }

  /** Ends the mount, however often it is used. What still runs in it keeps it until it ends. */
  void detach(Layer layer) {
    Path merged = files.path(layer.id, LayerFiles.MERGED);
    try {
      int stacked = 0;
      while (Mounts.detach(merged) && ++stacked < MAX_STACKED_MOUNTS) {}
    } catch (LinuxException e) {
      throw LayerFiles.failed("layer " + layer.id + " cannot be unmounted", e);
    }
    removeMountPoint(layer);
    keepUses(layer, 0);
    giveBack(layer);
  }

  /** Without its directory a mount that some other namespace has of it ends, too. */
  private void removeMountPoint(Layer layer) {
    try (Directory own = files.open(layer.id, ".")) {
      own.removeDirectory(RawName.of(LayerFiles.MERGED));
    } catch (LinuxException.NotFound e) {
      // It never had one.
    } catch (LinuxException e) {
      log.atDebug()
          .addKeyValue("layer", layer.id)
          .addKeyValue("reason", e.getMessage())
          .log("a mount point stays");
    }
  }

  private void giveBack(Layer layer) {
    layer.leases.forEach(CvmfsRoots.Lease::close);
    layer.leases.clear();
    layer.broken = false;
  }

  private void keepUses(Layer layer, int uses) {
    if (layer.uses != uses) {
      counts.write(layer.id, uses);
      layer.uses = uses;
    }
  }

  /**
   * Takes over what an earlier process has left of a layer.
   *
   * @param kept the uses that it has noted; 0 for none
   */
  void adopt(Layer layer, boolean mounted, int kept) {
    if (mounted) {
      layer.uses = Math.max(kept, 1);
      counts.write(layer.id, layer.uses);
    } else if (kept > 0) {
      removeMountPoint(layer);
      counts.write(layer.id, 0);
    }
  }

  /** A new engine has asked for nothing yet. */
  void startSession(Layer layer) {
    if (Mounts.isMounted(files.path(layer.id, LayerFiles.MERGED))) {
      keepUses(layer, 1);
    } else {
      if (layer.uses > 0) {
        removeMountPoint(layer);
      }
      keepUses(layer, 0);
      giveBack(layer);
    }
  }

  /**
   * Holds the repositories of an adopted mount again, and looks whether it still works: both may
   * take as long as the network does. Called without the lock.
   */
  void holdAgain(Layer layer) {
    List<CvmfsRoots.Lease> taken = new ArrayList<>();
    for (String repository : LayerStack.repositories(layer)) {
      try {
        taken.add(roots.acquire(repository));
      } catch (LayersException e) {
        log.atWarn()
            .addKeyValue("layer", layer.id)
            .addKeyValue("repository", repository)
            .addKeyValue("reason", e.getMessage())
            .log("a repository of a mounted layer cannot be held");
      }
    }
    boolean works = works(layer);
    try (Layer.Locked held = layer.locked()) {
      if (!layer.isGone() && layer.uses > 0 && layer.leases.isEmpty()) {
        layer.leases.addAll(taken);
        taken.clear();
        layer.broken = !works;
      }
    } finally {
      taken.forEach(CvmfsRoots.Lease::close);
    }
  }

  /** Listing its root asks each layer below. */
  private boolean works(Layer layer) {
    try (Directory merged = files.open(layer.id, LayerFiles.MERGED)) {
      merged.forEach(entry -> {});
      return true;
    } catch (LinuxException e) {
      log.atWarn()
          .addKeyValue("layer", layer.id)
          .addKeyValue("reason", e.getMessage())
          .log("a mounted layer lost its CVMFS client; its container must be started again");
      return false;
    }
  }
}
