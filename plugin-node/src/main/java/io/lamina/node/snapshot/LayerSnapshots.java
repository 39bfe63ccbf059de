package io.lamina.node.snapshot;

import io.lamina.image.Digest;
import io.lamina.image.thin.CvmfsUrl;
import io.lamina.image.thin.ThinDescriptor;
import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerInfo;
import io.lamina.layers.LayerOptions;
import io.lamina.layers.LayerStorage;
import io.lamina.layers.LayerUsage;
import io.lamina.layers.LayersException;
import io.lamina.layers.MountLabel;
import io.lamina.node.snapshot.SnapshotInfo.Kind;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Snapshots as containerd knows them, made of layers. What a call has done survives the end of the
 * process at any moment: a snapshot is there with its record, and a layer without a record is
 * nobody's.
 *
 * <p>Every snapshot that can be mounted is mounted here, from its making until it is committed or
 * removed, and containerd gets a bind mount of that. Thread-safe; methods may wait for the disk and
 * for CVMFS, and hang where those do.
 *
 * <p>Source: docs/snapshotter.md.
 */
public final class LayerSnapshots implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LayerSnapshots.class);
  private static final String LAYER_PREFIX = "s";
  private static final int MAX_TRIES = 1000;

  private final LayerStorage storage;
  private final SnapshotFiles files;
  private final RemoteLayers remote;
  private final boolean unverified;
  private final Clock clock;
  private final SnapshotTable table = new SnapshotTable();
  private final AtomicLong lastLayer = new AtomicLong();

  /** Held from the look for snapshots of the same target until one more is shown. */
  private final ReentrantLock committing = new ReentrantLock();

  private LayerSnapshots(
      LayerStorage storage,
      SnapshotFiles files,
      RemoteLayers remote,
      boolean unverified,
      Clock clock) {
    this.unverified = unverified;
    this.storage = storage;
    this.files = files;
    this.remote = remote;
    this.clock = clock;
  }

  /**
   * Goes on where an earlier process stopped, and removes what it has left half made.
   *
   * @param storage of these snapshots alone; closed with this
   * @param records folder for what is known of snapshots; made if absent
   * @param roots asked for layers
   * @param repositories to ask, the first one first
   * @param unverified whether layers are taken that a repository has without their diff ids
   * @param nanoTime that never goes back
   * @throws SnapshotException.Failed if the folder cannot be used
   */
  public static LayerSnapshots open(
      LayerStorage storage,
      Path records,
      CvmfsRoots roots,
      List<String> repositories,
      boolean unverified,
      Clock clock,
      LongSupplier nanoTime) {
    LayerSnapshots snapshots =
        new LayerSnapshots(
            storage,
            new SnapshotFiles(records),
            new RemoteLayers(roots, repositories, nanoTime),
            unverified,
            clock);
    snapshots.load();
    return snapshots;
  }

  private void load() {
    SnapshotFiles.Loaded loaded = files.load();
    table.addLoaded(loaded.records());
    List<LayerInfo> layers = translated(storage::layers);
    removeNobodys(layers, loaded.known());
    loaded.known().forEach(this::count);
    layers.forEach(layer -> count(layer.id()));
    for (SnapshotRecord record : loaded.records()) {
      if (!translated(() -> storage.exists(record.layer()))) {
        LOG.atError()
            .addKeyValue("snapshot", record.info().name())
            .addKeyValue("layer", record.layer())
            .log("a snapshot has lost its layer; it can only be removed");
      } else if (record.info().kind() == Kind.COMMITTED) {
        translated(() -> release(record.layer()));
      }
    }
    LOG.atInfo().addKeyValue("snapshots", loaded.records().size()).log("snapshots are open");
  }

  /** Layers that were being made for a snapshot, or whose snapshot was being removed. */
  private void removeNobodys(List<LayerInfo> layers, Set<LayerId> known) {
    for (LayerInfo layer : layers) {
      if (!known.contains(layer.id())) {
        translated(() -> storage.remove(layer.id()));
        LOG.atInfo().addKeyValue("layer", layer.id()).log("removed a layer without a snapshot");
      }
    }
  }

  private void count(LayerId layer) {
    String text = layer.text();
    if (text.matches(LAYER_PREFIX + "[0-9]{1,18}")) {
      long number = Long.parseLong(text, LAYER_PREFIX.length(), text.length(), 10);
      lastLayer.accumulateAndGet(number, Math::max);
    }
  }

  /**
   * Makes a snapshot that can be written to.
   *
   * @param parent name of a committed snapshot; empty for none
   * @return what is to be mounted to see it
   * @throws SnapshotException.AlreadyExists if the key is taken, or if the labels name a target and
   *     a repository has its layer: then a committed snapshot with these labels is there on return
   */
  public List<SnapshotMount> prepare(String key, String parent, Map<String, String> labels) {
    return create(Kind.ACTIVE, key, parent, labels);
  }

  /** Makes a snapshot that can only be read. */
  public List<SnapshotMount> view(String key, String parent, Map<String, String> labels) {
    return create(Kind.VIEW, key, parent, labels);
  }

  private List<SnapshotMount> create(
      Kind kind, String key, String parent, Map<String, String> unchecked) {
    SnapshotLabels.checkedName("key", key);
    SortedMap<String, String> labels = SnapshotLabels.checked(unchecked);
    try (SnapshotTable.Reservation reserved = table.reserve(key, parent)) {
      if (kind == Kind.ACTIVE && labels.containsKey(SnapshotLabels.TARGET)) {
        commitRemote(reserved, key, parent, labels);
      }
      Instant now = clock.instant();
      SnapshotInfo info = new SnapshotInfo(key, parent, kind, labels, now, now);
      LayerId layer = createLayer(reserved);
      try {
        List<SnapshotMount> mounts = mounted(kind, layer);
        SnapshotRecord record =
            new SnapshotRecord(layer, info, SnapshotRecord.NOTHING, Optional.empty());
        files.store(record);
        reserved.publish(record);
        return mounts;
      } catch (RuntimeException e) {
        discard(layer, e);
        throw e;
      }
    }
  }

  private LayerId createLayer(SnapshotTable.Reservation reserved) {
    @Nullable LayerId below = reserved.parent().map(parent -> parent.record().layer()).orElse(null);
    for (int i = 0; ; i++) {
      LayerId layer = new LayerId(LAYER_PREFIX + lastLayer.incrementAndGet());
      try {
        storage.create(layer, below, LayerOptions.NONE);
        return layer;
      } catch (LayersException.Conflict e) {
        // The folder of one that could not be read, perhaps.
        if (i == MAX_TRIES) {
          throw translated(e);
        }
      } catch (LayersException.NotFound e) {
        throw new SnapshotException.Failed("the parent's files are lost: " + e.getMessage(), e);
      } catch (LayersException e) {
        throw translated(e);
      }
    }
  }

  /** Of a layer that no record names. */
  private void discard(LayerId layer, RuntimeException cause) {
    try {
      files.delete(layer);
      storage.remove(layer);
    } catch (SnapshotException | LayersException e) {
      // The next process removes it.
      cause.addSuppressed(e);
    }
  }

  /**
   * Commits a snapshot at once if a repository has its layer. Whatever keeps it from that is no
   * reason for the pull to fail: then the layer is fetched.
   *
   * @throws SnapshotException.AlreadyExists if it is there now
   */
  private void commitRemote(
      SnapshotTable.Reservation reserved,
      String key,
      String parent,
      SortedMap<String, String> labels) {
    String target = labels.getOrDefault(SnapshotLabels.TARGET, "");
    Optional<Digest> digest = SnapshotLabels.layerDigest(labels);
    if (digest.isEmpty()) {
      return;
    }
    if (isTaken(target, parent, digest.get())) {
      return;
    }
    Optional<CvmfsUrl> found =
        remote
            .find(digest.get(), layer -> isTrusted(layer, target, reserved.parent()))
            .map(RemoteLayers.Found::url);
    if (found.isEmpty()) {
      return;
    }
    committing.lock();
    try {
      if (!isTaken(target, parent, digest.get())) {
        commitThin(
            reserved, table.isFree(target) ? target : key, labels, digest.get(), found.get());
      }
    } finally {
      committing.unlock();
    }
  }

  /**
   * Whether the layer is the one that the target's chain id names. A config may claim any chain id;
   * for layers that are pulled, unpacking checks it.
   */
  private boolean isTrusted(
      RemoteLayers.Found layer, String target, Optional<SnapshotTable.Entry> parent) {
    if (layer.diffId().isEmpty()) {
      return unverified;
    }
    Optional<String> chain =
        parent.isEmpty()
            ? Optional.of(layer.diffId().get().toString())
            : parent
                .map(below -> below.record().info().labels().get(SnapshotLabels.TARGET))
                .map(below -> Digest.sha256(chained(below, layer.diffId().get())).toString());
    // A parent that was made without a target has no chain to compare with.
    boolean isTrusted = chain.map(target::equals).orElse(unverified);
    if (!isTrusted) {
      LOG.atWarn()
          .addKeyValue("url", layer.url())
          .addKeyValue("diffId", layer.diffId().get())
          .addKeyValue("target", SnapshotLabels.printable(target))
          .log("a layer of a repository is not what its image claims; it is pulled");
    }
    return isTrusted;
  }

  /** Source: OCI image specification, "Layer ChainID". */
  private static byte[] chained(String chain, Digest diffId) {
    return (chain + " " + diffId).getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Whether there is a snapshot for this target that comes from another blob, or was unpacked here.
   * Containerd would take the first that it finds, so this one has to be fetched, which checks it.
   *
   * @throws SnapshotException.AlreadyExists if there is one that comes from this blob
   */
  private boolean isTaken(String target, String parent, Digest digest) {
    List<SnapshotRecord> same = table.all(sameTarget(target, parent));
    if (same.stream().anyMatch(record -> isOf(record, digest))) {
      throw isThere(target);
    }
    return !same.isEmpty();
  }

  private void commitThin(
      SnapshotTable.Reservation reserved,
      String name,
      SortedMap<String, String> labels,
      Digest digest,
      CvmfsUrl url) {
    LayerId layer = createLayer(reserved);
    try {
      storage.applyThin(layer, descriptor(digest, url));
      Instant now = clock.instant();
      String parent = reserved.parent().map(below -> below.record().info().name()).orElse("");
      SnapshotRecord record =
          new SnapshotRecord(
              layer,
              new SnapshotInfo(name, parent, Kind.COMMITTED, labels, now, now),
              storage.usage(layer),
              Optional.of(url));
      files.store(record);
      reserved.publish(record);
    } catch (LayersException e) {
      discard(layer, e);
      LOG.atWarn()
          .addKeyValue("url", url)
          .addKeyValue("reason", e.getMessage())
          .log("a layer of a repository cannot be used; it is pulled");
      return;
    } catch (RuntimeException e) {
      discard(layer, e);
      throw e;
    }
    LOG.atInfo().addKeyValue("snapshot", name).addKeyValue("url", url).log("layer is not pulled");
    throw isThere(labels.getOrDefault(SnapshotLabels.TARGET, name));
  }

  private static Predicate<SnapshotRecord> sameTarget(String target, String parent) {
    return record ->
        record.info().kind() == Kind.COMMITTED
            && record.info().parent().equals(parent)
            && target.equals(record.info().labels().get(SnapshotLabels.TARGET));
  }

  private static boolean isOf(SnapshotRecord record, Digest digest) {
    return record
        .remote()
        .filter(url -> url.equals(CvmfsUrl.ofLayer(url.repository(), digest)))
        .isPresent();
  }

  private static SnapshotException.AlreadyExists isThere(String target) {
    return new SnapshotException.AlreadyExists(
        "target snapshot " + SnapshotLabels.printable(target) + " is there already");
  }

  private static ThinDescriptor descriptor(Digest digest, CvmfsUrl url) {
    return new ThinDescriptor(
        List.of(new ThinDescriptor.Layer(Optional.of(digest), url)),
        Optional.empty(),
        Optional.empty());
  }

  /**
   * What is to be mounted to see a snapshot that is not committed.
   *
   * @throws SnapshotException.FailedPrecondition for a committed one
   */
  public List<SnapshotMount> mounts(String key) {
    SnapshotTable.Entry entry = table.require(key);
    try (SnapshotTable.Held held = entry.held()) {
      SnapshotRecord record = entry.record();
      if (record.info().kind() == Kind.COMMITTED) {
        throw new SnapshotException.FailedPrecondition(
            "snapshot "
                + SnapshotLabels.printable(key)
                + " is committed; only views and active ones are mounted");
      }
      return mounted(record.info().kind(), record.layer());
    }
  }

  /** Mounts the layer unless it is, so that it counts as used once. */
  private List<SnapshotMount> mounted(Kind kind, LayerId layer) {
    Path path =
        translated(
            () -> {
              Path shown = mountAlive(layer);
              if (uses(layer) > 1) {
                storage.unmount(layer);
              }
              return shown;
            });
    return List.of(
        new SnapshotMount(
            "bind", path.toString(), List.of(kind == Kind.VIEW ? "ro" : "rw", "rbind")));
  }

  /** Nobody says when a container has ended; its dead mount is of no use to the next one. */
  private Path mountAlive(LayerId layer) {
    try {
      return storage.mount(layer, MountLabel.NONE);
    } catch (LayersException.Unavailable e) {
      if (uses(layer) == 0) {
        throw e;
      }
      LOG.atInfo().addKeyValue("layer", layer).log("mounting a layer anew that lost its client");
      release(layer);
      return storage.mount(layer, MountLabel.NONE);
    }
  }

  private int uses(LayerId layer) {
    return storage.find(layer).map(LayerInfo::uses).orElse(0);
  }

  /** Ends the layer's mount, however often it is used. */
  private void release(LayerId layer) {
    for (int uses = uses(layer); uses > 0; uses--) {
      storage.unmount(layer);
    }
  }

  /**
   * Makes an active snapshot a committed one under another name. Labels are not inherited.
   *
   * @throws SnapshotException.AlreadyExists if the name is taken
   * @throws SnapshotException.FailedPrecondition if it is a view or committed already
   */
  public void commit(String name, String key, Map<String, String> unchecked) {
    SnapshotLabels.checkedName("name", name);
    SortedMap<String, String> labels = SnapshotLabels.checked(unchecked);
    try (SnapshotTable.Reservation reserved = table.reserve(name)) {
      SnapshotTable.Entry entry = table.require(key);
      try (SnapshotTable.Held held = entry.held()) {
        SnapshotRecord record = entry.record();
        if (record.info().kind() != Kind.ACTIVE) {
          throw new SnapshotException.FailedPrecondition(
              "snapshot " + SnapshotLabels.printable(key) + " is not active");
        }
        LayerUsage usage = translated(() -> storage.usage(record.layer()));
        translated(() -> release(record.layer()));
        SnapshotRecord committed =
            new SnapshotRecord(
                record.layer(),
                record.info().committed(name, labels, clock.instant()),
                usage,
                record.remote());
        files.store(committed);
        reserved.rename(entry, committed);
      }
    }
  }

  /**
   * Takes a snapshot away. Its files are deleted in the background.
   *
   * @throws SnapshotException.FailedPrecondition if others lie on it
   */
  public void remove(String key) {
    SnapshotTable.Entry entry = table.require(key);
    try (SnapshotTable.Held held = entry.held()) {
      table.retire(entry);
      LayerId layer = entry.record().layer();
      try {
        files.delete(layer);
      } catch (SnapshotException e) {
        table.restore(entry);
        throw e;
      }
      table.forget(entry);
      try {
        storage.remove(layer);
      } catch (LayersException e) {
        LOG.atWarn()
            .addKeyValue("layer", layer)
            .addKeyValue("reason", e.getMessage())
            .log("a removed snapshot's layer stays until the next start");
      }
    }
  }

  public SnapshotInfo stat(String key) {
    return table.require(key).record().info();
  }

  /**
   * Changes labels, which is all that can be changed.
   *
   * @param fields {@code labels} or {@code labels.NAME}; none for all that can be changed
   * @throws SnapshotException.Invalid for other fields
   */
  public SnapshotInfo update(String key, Map<String, String> labels, List<String> fields) {
    SnapshotTable.Entry entry = table.require(key);
    try (SnapshotTable.Held held = entry.held()) {
      SnapshotRecord record = entry.record();
      SortedMap<String, String> changed =
          fields.isEmpty() ? new TreeMap<>(labels) : new TreeMap<>(record.info().labels());
      for (String field : fields) {
        if (field.equals("labels")) {
          changed = new TreeMap<>(labels);
        } else if (field.startsWith("labels.")) {
          String name = field.substring("labels.".length());
          changed.put(name, labels.getOrDefault(name, ""));
        } else {
          throw new SnapshotException.Invalid(
              "cannot update the field '"
                  + SnapshotLabels.printable(field)
                  + "' of a snapshot; only labels can be changed");
        }
      }
      SnapshotRecord updated =
          record.with(record.info().withLabels(SnapshotLabels.checked(changed), clock.instant()));
      files.store(updated);
      table.replace(entry, updated);
      return updated.info();
    }
  }

  /**
   * All snapshots that one of the filters fits, by name; all without filters.
   *
   * @throws SnapshotException.Invalid if one is malformed
   */
  public List<SnapshotInfo> list(List<String> filters) {
    Predicate<SnapshotInfo> wanted = SnapshotFilter.parse(filters);
    return table.all(_ -> true).stream().map(SnapshotRecord::info).filter(wanted).toList();
  }

  /** What the snapshot's own files take here; measured anew unless it is committed. */
  public LayerUsage usage(String key) {
    SnapshotRecord record = table.require(key).record();
    return switch (record.info().kind()) {
      case COMMITTED -> record.usage();
      case ACTIVE, VIEW -> translated(() -> storage.usage(record.layer()));
    };
  }

  /** Ends mounts that nobody uses and finishes removals. */
  public void cleanup() {
    translated(storage::cleanup);
  }

  /**
   * How many there are, for people.
   *
   * @param remote those whose files CVMFS has
   */
  public record Counts(int active, int views, int committed, int remote) {}

  public Counts counts() {
    List<SnapshotRecord> all = table.all(_ -> true);
    return new Counts(
        count(all, record -> record.info().kind() == Kind.ACTIVE),
        count(all, record -> record.info().kind() == Kind.VIEW),
        count(all, record -> record.info().kind() == Kind.COMMITTED),
        count(all, record -> record.remote().isPresent()));
  }

  private static int count(List<SnapshotRecord> all, Predicate<SnapshotRecord> wanted) {
    return (int) all.stream().filter(wanted).count();
  }

  private static void translated(Runnable call) {
    translated(
        () -> {
          call.run();
          return true;
        });
  }

  private static <T> T translated(Supplier<T> call) {
    try {
      return call.get();
    } catch (LayersException e) {
      throw translated(e);
    }
  }

  private static SnapshotException translated(LayersException e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return switch (e) {
      case LayersException.NotFound _ -> new SnapshotException.Failed(message, e);
      case LayersException.Rejected _ -> new SnapshotException.Invalid(message);
      case LayersException.Conflict _ -> new SnapshotException.FailedPrecondition(message);
      case LayersException.Unavailable _, LayersException.Cancelled _ ->
          new SnapshotException.Unavailable(message, e);
      case LayersException.Exhausted _ -> new SnapshotException.Exhausted(message, e);
      case LayersException.NotSupported _, LayersException.Failed _ ->
          new SnapshotException.Failed(message, e);
    };
  }

  /** Ends the work on snapshots; what is mounted stays. */
  @Override
  public void close() {
    storage.close();
  }
}
