package io.lamina.layers.overlay;

import io.lamina.layers.IdMaps;
import io.lamina.layers.LayersException;
import io.lamina.layers.MountLabel;
import io.lamina.layers.StorageSettings.Mounting;
import io.lamina.linux.Directory;
import io.lamina.linux.FileType;
import io.lamina.linux.LinuxException;
import io.lamina.linux.Mounts;
import io.lamina.linux.Overlay;
import io.lamina.linux.RawName;
import io.lamina.linux.Resolution;
import io.lamina.linux.TreeDeletion;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Mounts overlays with the options that layers need, in the way that this kernel knows. Immutable,
 * thread-safe. Source: docs/layers.md, "Mounting".
 */
final class OverlayMounts {
  private static final Path PARAMETERS = Path.of("/sys/module/overlay/parameters");
  private static final int ELOOP = 40;

  private final Overlay.Method method;
  private final SortedMap<String, String> options;
  private final IdMaps ids;

  private OverlayMounts(Overlay.Method method, SortedMap<String, String> options, IdMaps ids) {
    this.method = method;
    this.options = options;
    this.ids = ids;
  }

  /**
   * Tries overlays in an empty folder, and what layers need of them.
   *
   * @throws LayersException.NotSupported if none works there
   */
  static OverlayMounts probed(Path folder, Mounting wanted, IdMaps ids) {
    List<String> failures = new ArrayList<>();
    for (Overlay.Method method : candidates(wanted)) {
      OverlayMounts mounts = new OverlayMounts(method, standardOptions(), ids);
      try {
        mounts.probe(folder);
        return mounts;
      } catch (LinuxException e) {
        failures.add(method + ": " + e.getMessage());
      }
    }
    throw new LayersException.NotSupported(
        "no overlay can be mounted in " + folder + ": " + String.join("; ", failures));
  }

  private static List<Overlay.Method> candidates(Mounting wanted) {
    return switch (wanted) {
      case AUTOMATIC -> List.of(Overlay.Method.values());
      case DESCRIPTORS -> List.of(Overlay.Method.DESCRIPTORS);
      case NAMES -> List.of(Overlay.Method.NAMES);
      case CLASSIC -> List.of(Overlay.Method.CLASSIC);
    };
  }

  private static SortedMap<String, String> standardOptions() {
    SortedMap<String, String> options = new TreeMap<>();
    option(options, "index", "index", "off");
    option(options, "metacopy", "metacopy", "off");
    option(options, "redirect_dir", "redirect_dir", "nofollow");
    option(options, "nfs_export", "nfs_export", "off");
    option(options, "xino", "xino_auto", "off");
    return options;
  }

  private static void option(
      SortedMap<String, String> options, String name, String parameter, String value) {
    if (Files.exists(PARAMETERS.resolve(parameter))) {
      options.put(name, value);
    }
  }

  Overlay.Method method() {
    return method;
  }

  SortedMap<String, String> options() {
    return options;
  }

  /**
   * Mounts a layer that can be written to.
   *
   * @param layer with its {@code diff} and {@code work}
   */
  void mountWritable(Path target, List<Directory> lowers, Directory layer, MountLabel label) {
    try (Directory upper = part(layer, LayerFiles.DIFF);
        Directory work = part(layer, LayerFiles.WORK)) {
      mount(target, lowers, upper, work, label);
      byte[] inner = RawName.of("work");
      if (!ids.isNone() && work.status(inner).isPresent()) {
        work.changeOwner(inner, ids.userOnHost(0), ids.groupOnHost(0));
      }
    }
  }

  private static Directory part(Directory layer, String name) {
    return layer.openDirectory(RawName.of(name), Resolution.NO_SYMLINKS);
  }

  /**
   * @param lowers two or more
   */
  void mountReadOnly(Path target, List<Directory> lowers, MountLabel label) {
    mount(target, lowers, null, null, label);
  }

  private void mount(
      Path target,
      List<Directory> lowers,
      @Nullable Directory upper,
      @Nullable Directory work,
      MountLabel label) {
    SortedMap<String, String> all = options;
    if (!label.isNone()) {
      all = new TreeMap<>(options);
      all.put("context", label.context());
    }
    try {
      new Overlay(lowers, upper, work, all).mountAt(target, method);
    } catch (LinuxException e) {
      if (e.errno().number() == ELOOP) {
        throw new LayersException.Rejected(
            "the layers cannot be stacked, because a folder of one lies in a folder of another: "
                + e.getMessage(),
            e);
      }
      throw e;
    }
  }

  /** What layers need: whiteouts, types in listings, opaque directories that stay below. */
  private void probe(Path folder) {
    Path merged = folder.resolve(LayerFiles.MERGED);
    try (Directory root = Directory.open(folder)) {
      for (String name :
          List.of(
              "low",
              "low/gone",
              "low/opaque",
              LayerFiles.DIFF,
              LayerFiles.WORK,
              LayerFiles.MERGED)) {
        root.makeDirectory(RawName.of(name));
      }
      root.setXattr(RawName.of("low/opaque"), "trusted.overlay.opaque", RawName.of("y"));
      try (Directory low = part(root, "low")) {
        mountWritable(merged, List.of(low), root, MountLabel.NONE);
      }
      try (Directory view = Directory.open(merged);
          Directory upper = part(root, LayerFiles.DIFF)) {
        view.removeDirectory(RawName.of("gone"));
        view.createFile(RawName.of("opaque/new")).close();
        check(upper.status(RawName.of("gone")).map(s -> s.isWhiteout()).orElse(false), "whiteouts");
        check(
            upper.xattr(RawName.of("opaque"), "trusted.overlay.opaque").isEmpty(),
            "opaque directories that are not copied");
        check(
            upper.list(10).stream().noneMatch(entry -> entry.type() == FileType.UNKNOWN),
            "types in listings (d_type)");
      } finally {
        Mounts.detach(merged);
      }
    } finally {
      clear(folder);
    }
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new LayersException.NotSupported(
          "this kernel or file system lacks what layers need: " + what);
    }
  }

  private static void clear(Path folder) {
    try (Directory root = Directory.open(folder)) {
      for (Directory.Entry entry : root.list(100)) {
        TreeDeletion.delete(root, entry.name());
      }
    }
  }
}
