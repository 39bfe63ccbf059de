package io.lamina.layers.overlay;

import io.lamina.layers.LayersException;
import io.lamina.linux.Directory;
import io.lamina.linux.LinuxException;
import io.lamina.linux.MountPoint;
import io.lamina.linux.MountTable;
import io.lamina.linux.ProjectQuota;
import java.util.HashSet;
import java.util.Set;

/**
 * Bounds of layers' sizes, by the quotas of projects that XFS and ext4 have. Guarded by its
 * monitor.
 */
final class LayerQuotas {
  private final LayerFiles files;
  private final LayerTable table;
  private int lastProject;

  LayerQuotas(LayerFiles files, LayerTable table) {
    this.files = files;
    this.table = table;
  }

  /**
   * A project that no layer has, after those of whoever else uses the file system.
   *
   * @throws LayersException.NotSupported if there are no such quotas
   */
  synchronized int nextProject() {
    try (Directory home = Directory.open(files.home())) {
      if (lastProject == 0) {
        lastProject = ProjectQuota.projectOf(home);
      }
      Set<Integer> taken = new HashSet<>();
      for (Layer layer : table.everything()) {
        taken.add(layer.record().project());
      }
      do {
        lastProject = lastProject == Integer.MAX_VALUE ? 1 : lastProject + 1;
      } while (taken.contains(lastProject));
      // Asking is harmless, and tells whether quotas are on before anything is made.
      ProjectQuota.limit(home, lastProject, 0);
      return lastProject;
    } catch (LinuxException e) {
      throw notSupported(e);
    }
  }

  /** Bounds all that will be made in an empty directory. */
  void bound(Directory directory, int project, long sizeBytes) {
    try {
      ProjectQuota.limit(directory, project, sizeBytes);
      ProjectQuota.assign(directory, project);
    } catch (LinuxException e) {
      throw notSupported(e);
    }
  }

  private LayersException.NotSupported notSupported(LinuxException e) {
    String type = MountTable.read().holding(files.home()).map(MountPoint::type).orElse("unknown");
    return new LayersException.NotSupported(
        "a layer's size can only be bounded by quotas of projects, which "
            + files.home()
            + " ("
            + type
            + ") does not have: mount an xfs with pquota or an ext4 with prjquota there ("
            + e.getMessage()
            + ")",
        e);
  }

  /** For people. */
  String state() {
    try (Directory home = Directory.open(files.home())) {
      ProjectQuota.usage(home, 0);
      return "on";
    } catch (LinuxException e) {
      return "off";
    }
  }
}
