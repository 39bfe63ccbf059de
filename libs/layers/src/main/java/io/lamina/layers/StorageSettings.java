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
 */
public record StorageSettings(
    Path home, Path runtime, IdMaps ids, Mounting mounting, LayerLimits limits) {
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

  /** Room for all that engines pack themselves, deeper than what is published. */
  public static final LayerLimits DEFAULT_LIMITS =
      new LayerLimits(
          4_000_000,
          4000,
          1000,
          4095,
          255,
          1 << 20,
          2 << 20,
          65_536,
          1L << 40,
          4L << 40,
          1,
          Long.MAX_VALUE);

  public StorageSettings {
    if (!home.isAbsolute() || !runtime.isAbsolute()) {
      throw new LayersException.Rejected(
          "the folders of the layers must be absolute paths: " + home + ", " + runtime);
    }
    home = home.normalize();
    runtime = runtime.normalize();
  }

  /** Everything else as usual. */
  public static StorageSettings of(Path home, Path runtime) {
    return new StorageSettings(home, runtime, IdMaps.NONE, Mounting.AUTOMATIC, DEFAULT_LIMITS);
  }

  public StorageSettings withIds(IdMaps changed) {
    return new StorageSettings(home, runtime, changed, mounting, limits);
  }

  public StorageSettings withMounting(Mounting changed) {
    return new StorageSettings(home, runtime, ids, changed, limits);
  }

  public StorageSettings withLimits(LayerLimits changed) {
    return new StorageSettings(home, runtime, ids, mounting, changed);
  }
}
