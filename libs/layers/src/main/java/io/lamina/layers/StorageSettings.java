package io.lamina.layers;

import io.lamina.image.layer.LayerLimits;
import java.nio.file.Path;

/**
 * Where and how layers are stored. Immutable.
 *
 * @param home folder of the layers, on a file system that overlayfs can write to; made if absent
 * @param runtime folder for what is forgotten when the machine starts, as below {@code /run}; made
 *     if absent
 * @param ids how users of containers are shown on the host
 * @param mounting how the kernel is told of many layers
 * @param limits of applied archives
 * @param sizeBytes what a layer may hold unless it says so itself; 0 for no bound
 */
public record StorageSettings(
    Path home, Path runtime, IdMaps ids, Mounting mounting, LayerLimits limits, long sizeBytes) {
  /** How the kernel is told of many layers. */
  public enum Mounting {
    /** The best that this kernel has. */
    AUTOMATIC,
    /** The new mount calls with descriptors: Linux 6.13. */
    DESCRIPTORS,
    /** The new mount calls with names: Linux 6.8. */
    NAMES,
    /** {@code mount(2)}: any Linux. */
    CLASSIC
  }

  public StorageSettings {
    if (!home.isAbsolute() || !runtime.isAbsolute()) {
      throw new LayersException.Rejected(
          "the folders of the layers must be absolute paths: " + home + ", " + runtime);
    }
    if (sizeBytes < 0) {
      throw new LayersException.Rejected("a layer's size below 0: " + sizeBytes);
    }
    home = home.normalize();
    runtime = runtime.normalize();
  }

  /** Everything else as usual. */
  public static StorageSettings of(Path home, Path runtime) {
    return new StorageSettings(
        home, runtime, IdMaps.NONE, Mounting.AUTOMATIC, LayerLimits.DEFAULT, 0);
  }

  public StorageSettings withIds(IdMaps changed) {
    return new StorageSettings(home, runtime, changed, mounting, limits, sizeBytes);
  }

  public StorageSettings withMounting(Mounting changed) {
    return new StorageSettings(home, runtime, ids, changed, limits, sizeBytes);
  }

  public StorageSettings withLimits(LayerLimits changed) {
    return new StorageSettings(home, runtime, ids, mounting, changed, sizeBytes);
  }

  public StorageSettings withSizeBytes(long changed) {
    return new StorageSettings(home, runtime, ids, mounting, limits, changed);
  }
}
