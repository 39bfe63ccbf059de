package io.lamina.layers.overlay;

import io.lamina.image.thin.ThinDescriptor;
import io.lamina.layers.Change;
import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerInfo;
import io.lamina.layers.LayerInfo.State;
import io.lamina.layers.LayerOptions;
import io.lamina.layers.LayerStorage;
import io.lamina.layers.LayerUsage;
import io.lamina.layers.LayersException;
import io.lamina.layers.MountLabel;
import io.lamina.layers.StatusLine;
import io.lamina.layers.StorageSettings;
import io.lamina.layers.archive.Cancellation;
import io.lamina.layers.archive.ThinArchive;
import io.lamina.linux.Overlay;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Layers in a folder, stacked by overlayfs. One process at a time has the folder open. Needs the
 * rights to mount and to own files as anybody.
 *
 * <p>Locks: each layer has one, held for as long as something about that layer changes; whoever
 * holds one waits at most for those of layers below. Source: docs/layers.md. Thread-safe.
 */
public final class OverlayStorage implements LayerStorage {
  private static final Logger log = LoggerFactory.getLogger(OverlayStorage.class);

  private final StorageFolder folder;
  private final LayerFiles files;
  private final LayerTable table;
  private final LayerMounts mounts;
  private final LayerContents contents;
  private final LayerQuotas quotas;
  private final TrashBin trash;

  private OverlayStorage(StorageFolder folder, StorageSettings settings, CvmfsRoots roots) {
    this.folder = folder;
    this.files = folder.files();
    this.table = folder.table();
    this.mounts = folder.mounts();
    this.contents = new LayerContents(files, roots, settings);
    this.quotas = new LayerQuotas(files, table);
    this.trash = folder.trash();
  }

  /**
   * Opens the folder, and ends what an earlier process has left half done.
   *
   * @throws LayersException.NotSupported if overlayfs cannot work there
   * @throws LayersException.Conflict if another process has it open, or a later version wrote it
   */
  public static OverlayStorage open(StorageSettings settings, CvmfsRoots roots) {
    StorageFolder folder = StorageFolder.open(settings, roots);
    OverlayStorage storage = new OverlayStorage(folder, settings, roots);
    log.atInfo()
        .addKeyValue("home", settings.home())
        .addKeyValue("layers", storage.table.all().size())
        .addKeyValue("mounting", folder.overlays().method())
        .log("the layer storage is open");
    return storage;
  }

  private Layer require(LayerId id) {
    return table
        .find(id)
        .orElseThrow(() -> new LayersException.NotFound("there is no layer " + id));
  }

  private static void checkThere(Layer layer) {
    if (layer.isGone() || layer.record().removed()) {
      throw new LayersException.NotFound("there is no layer " + layer.id + " any more");
    }
  }

  @Override
  public void beginSession() {
    for (Layer layer : table.all()) {
      try (Layer.Locked held = layer.locked()) {
        if (!layer.isGone()) {
          mounts.startSession(layer);
        }
      }
    }
  }

  @Override
  public void create(LayerId id, @Nullable LayerId parentId, LayerOptions options) {
    Layer parent = parentId == null ? null : require(parentId);
    int project = options.sizeBytes() == 0 ? 0 : quotas.nextProject();
    Layer layer = new Layer(LayerRecord.created(id, parentId, project), parent);
    try (Layer.Locked held = layer.locked()) {
      table.add(layer);
      try {
        if (parent != null) {
          seal(parent);
        }
        checkHeight(layer);
        files.make(
            layer.record(),
            directory -> {
              if (project != 0) {
                quotas.bound(directory, project, options.sizeBytes());
              }
            });
      } catch (RuntimeException e) {
        layer.markGone();
        forget(layer);
        throw e;
      }
    }
  }

  /** What others lie on is not changed any more. */
  private void seal(Layer parent) {
    if (parent.record().state() == State.APPLIED) {
      return;
    }
    try (Layer.Locked held = parent.locked()) {
      LayerRecord record = parent.record();
      if (parent.isGone()) {
        throw new LayersException.NotFound("there is no layer " + parent.id + " to lie on");
      }
      switch (record.state()) {
        case APPLYING, FAILED ->
            throw new LayersException.Conflict(
                "layer " + parent.id + " is not complete, so none can lie on it");
        case APPLIED -> {}
        case CREATED -> {
          if (!record.sealed()) {
            files.store(record.withSeal());
            parent.record(record.withSeal());
          }
        }
      }
    }
  }

  private static void checkHeight(Layer layer) {
    int lowers = LayerStack.below(layer).size();
    if (lowers > Overlay.MAX_LOWERS - 1) {
      throw new LayersException.Exhausted(
          "layer "
              + layer.id
              + " would lie on "
              + lowers
              + " layers and folders of CVMFS; the kernel stacks "
              + (Overlay.MAX_LOWERS - 1));
    }
  }

  @Override
  public Path mount(LayerId id, MountLabel label) {
    Layer layer = require(id);
    try (Layer.Locked held = layer.locked()) {
      checkThere(layer);
      return mounts.mount(layer, label);
    }
  }

  @Override
  public void unmount(LayerId id) {
    Optional<Layer> found = table.find(id);
    if (found.isPresent()) {
      Layer layer = found.get();
      try (Layer.Locked held = layer.locked()) {
        if (!layer.isGone()) {
          mounts.unmount(layer);
        }
      }
    }
  }

  @Override
  public void remove(LayerId id) {
    Optional<Layer> found = table.find(id);
    if (found.isEmpty()) {
      return;
    }
    Layer layer = found.get();
    try (Layer.Locked held = layer.locked()) {
      if (layer.isGone() || layer.record().removed()) {
        return;
      }
      mounts.detach(layer);
      if (!table.retire(layer)) {
        files.store(layer.record());
        return;
      }
      discard(layer);
      forget(layer);
    }
  }

  /** Forgets a layer that is gone, and those below that were only kept for it. */
  private void forget(Layer gone) {
    Layer kept = table.forget(gone);
    while (kept != null) {
      discard(kept);
      kept = table.forget(kept);
    }
  }

  private void discard(Layer layer) {
    files.discard(layer.id).ifPresent(name -> layer.whenUnused(() -> trash.add(name)));
  }

  @Override
  public boolean exists(LayerId id) {
    return table.find(id).isPresent();
  }

  @Override
  public Optional<LayerInfo> find(LayerId id) {
    return table.find(id).map(OverlayStorage::info);
  }

  @Override
  public List<LayerInfo> layers() {
    return table.all().stream().map(OverlayStorage::info).toList();
  }

  private static LayerInfo info(Layer layer) {
    LayerRecord record = layer.record();
    return new LayerInfo(
        layer.id,
        Optional.ofNullable(record.parent()),
        record.kind(),
        record.state(),
        LayerStack.hasThin(layer),
        LayerStack.repositories(layer),
        layer.uses);
  }

  @Override
  public long applyDiff(LayerId id, @Nullable LayerId parentId, InputStream tar) {
    Layer layer = require(id);
    begin(layer, parentId);
    try {
      LayerContents.Filled filled = contents.fill(layer, tar, stopsWhenGone(layer));
      try (Layer.Locked held = layer.locked()) {
        checkThere(layer);
        files.store(filled.record());
        layer.record(filled.record());
      }
      warnOfHeight(layer);
      return filled.sizeBytes();
    } catch (RuntimeException e) {
      fail(layer, e);
      throw e;
    } finally {
      layer.release();
    }
  }

  private void begin(Layer layer, @Nullable LayerId parentId) {
    try (Layer.Locked held = layer.locked()) {
      checkThere(layer);
      LayerRecord record = layer.record();
      if (!record.isWritable() || layer.uses > 0) {
        throw new LayersException.Conflict(
            "nothing can be applied to layer "
                + layer.id
                + ", which is "
                + (record.sealed() ? "another layer's parent" : stateInWords(record.state())));
      }
      if (parentId != null && !parentId.equals(record.parent())) {
        throw new LayersException.Conflict(
            "layer " + layer.id + " lies on " + record.parent() + ", not on " + parentId);
      }
      LayerRecord applying = record.with(State.APPLYING);
      files.store(applying);
      layer.record(applying);
      layer.use();
    }
  }

  private static String stateInWords(State state) {
    return switch (state) {
      case CREATED -> "mounted";
      case APPLYING -> "being applied to";
      case APPLIED -> "complete already";
      case FAILED -> "broken by an archive that was not complete; remove it";
    };
  }

  private static Cancellation stopsWhenGone(Layer layer) {
    return () -> {
      if (layer.isGone()) {
        throw new LayersException.Cancelled("layer " + layer.id + " was removed meanwhile");
      }
      checkInterrupt(layer);
    };
  }

  private static void checkInterrupt(Layer layer) {
    if (Thread.currentThread().isInterrupted()) {
      throw new LayersException.Cancelled("interrupted while working on layer " + layer.id);
    }
  }

  private void fail(Layer layer, RuntimeException cause) {
    LayerRecord failed = layer.record().with(State.FAILED);
    // Without the lock: it is the only one that changes a layer in this state, and this thread may
    // be interrupted.
    layer.record(failed);
    if (layer.isGone()) {
      return;
    }
    try {
      files.store(failed);
    } catch (LayersException e) {
      // The record on the disk says that it was being applied to, which means the same.
      cause.addSuppressed(e);
    }
  }

  private static void warnOfHeight(Layer layer) {
    int lowers = LayerStack.from(layer).size();
    if (lowers > Overlay.MAX_LOWERS - 1) {
      log.atWarn()
          .addKeyValue("layer", layer.id)
          .addKeyValue("lowers", lowers)
          .log("a layer cannot be used, because it is higher than the kernel can stack");
    }
  }

  @Override
  public long applyThin(LayerId id, ThinDescriptor descriptor) {
    return applyDiff(id, null, new ByteArrayInputStream(ThinArchive.of(descriptor)));
  }

  @Override
  public void diff(LayerId id, @Nullable LayerId parent, OutputStream tar) {
    reading(
        id,
        top -> {
          List<Layer> span = LayerStack.above(parent, top);
          contents.pack(span, parent == null, () -> checkInterrupt(top), tar);
          return null;
        });
  }

  @Override
  public List<Change> changes(LayerId id, @Nullable LayerId parent) {
    return reading(
        id,
        top -> {
          List<Layer> span = LayerStack.above(parent, top);
          return contents.changes(span, parent == null ? null : span.getLast().parent);
        });
  }

  @Override
  public long diffSize(LayerId id, @Nullable LayerId parent) {
    return reading(id, top -> contents.size(LayerStack.above(parent, top)));
  }

  @Override
  public LayerUsage usage(LayerId id) {
    return reading(id, contents::usage);
  }

  /** Keeps the files of a layer and of all below it meanwhile, without holding anybody up. */
  private <T extends @Nullable Object> T reading(LayerId id, Function<Layer, T> work) {
    Layer top = require(id);
    List<Layer> kept = new ArrayList<>();
    try {
      for (Layer layer = top; layer != null; layer = layer.parent) {
        layer.use();
        kept.add(layer);
      }
      checkThere(top);
      State state = top.record().state();
      if (state == State.APPLYING || state == State.FAILED) {
        throw new LayersException.Conflict("layer " + id + " is not complete");
      }
      return work.apply(top);
    } finally {
      kept.forEach(Layer::release);
    }
  }

  @Override
  public SortedMap<String, String> metadata(LayerId id) {
    Layer layer = require(id);
    SortedMap<String, String> metadata = new TreeMap<>();
    metadata.put("UpperDir", files.path(id, LayerFiles.DIFF).toString());
    metadata.put("WorkDir", files.path(id, LayerFiles.WORK).toString());
    metadata.put("MergedDir", files.path(id, LayerFiles.MERGED).toString());
    List<Lower> below = LayerStack.below(layer);
    if (!below.isEmpty()) {
      metadata.put("LowerDir", String.join(":", below.stream().map(this::shown).toList()));
    }
    return metadata;
  }

  private String shown(Lower lower) {
    return switch (lower) {
      case Lower.Own own -> files.path(own.id(), LayerFiles.DIFF).toString();
      case Lower.Descriptor thin -> files.path(thin.id(), LayerFiles.THIN).toString();
      case Lower.Folder folder -> folder.url().toString();
    };
  }

  @Override
  public List<StatusLine> status() {
    List<StatusLine> lines = new ArrayList<>(folder.status());
    lines.add(new StatusLine("Project Quotas", quotas.state()));
    lines.addAll(LayerCensus.of(table.all()));
    return List.copyOf(lines);
  }

  @Override
  public void cleanup() {
    for (Layer layer : table.all()) {
      try (Layer.Locked held = layer.locked()) {
        if (!layer.isGone() && layer.uses == 0) {
          mounts.detach(layer);
        }
      }
    }
    trash.empty();
  }

  @Override
  public void close() {
    folder.close();
  }
}
