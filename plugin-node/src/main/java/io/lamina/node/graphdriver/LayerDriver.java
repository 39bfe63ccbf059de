package io.lamina.node.graphdriver;

import io.lamina.layers.IdMaps;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerInfo;
import io.lamina.layers.LayerOptions;
import io.lamina.layers.LayerStorage;
import io.lamina.layers.LayersException;
import io.lamina.layers.MountLabel;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does the calls with a layer storage. It is opened when an engine introduces itself, and again
 * when this process starts and an engine was there before: engines say it once. Thread-safe.
 */
public final class LayerDriver implements GraphDriver, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LayerDriver.class);

  private static final String INIT_SUFFIX = "-init";
  private static final String MERGED = "MergedDir";

  private record Open(Session session, EngineOptions options, LayerStorage storage) {}

  private final StorageOpener opener;
  private final SessionFile file;
  private final Supplier<List<StatusLine>> moreStatus;

  /** Of opening and closing; calls in between only read {@code open}. */
  private final Object sessionLock = new Object();

  /**
   * Layers that were mounted when this process or its engine began, and since when they wait for
   * somebody to ask for them.
   */
  private final Map<LayerId, Long> inherited = new ConcurrentHashMap<>();

  private volatile @Nullable Open open;
  private volatile String closedReason =
      "no engine has introduced itself; restart the engine that uses this driver";

  /**
   * @param moreStatus shown behind the storage's own lines
   */
  public LayerDriver(
      StorageOpener opener, SessionFile file, Supplier<List<StatusLine>> moreStatus) {
    this.opener = opener;
    this.file = file;
    this.moreStatus = moreStatus;
  }

  /**
   * Goes on where the last process stopped. If that fails, calls say why until an engine starts.
   */
  public void resume() {
    synchronized (sessionLock) {
      try {
        Optional<Session> last = file.read();
        if (last.isPresent()) {
          Open opened = openFor(last.get());
          translated(() -> dropUnanswered(opened.storage()));
          inherit(opened.storage());
          open = opened;
          LOG.atInfo().addKeyValue("home", last.get().home()).log("layers of the last engine open");
        }
      } catch (DriverException e) {
        closedReason = "the layers could not be opened when the driver started: " + e.getMessage();
        LOG.atError().setCause(e).log("layers of the last engine cannot be opened");
      }
    }
  }

  /**
   * Engines mount the layer below a container's own, {@code ID-init}, for the moment in which they
   * make the container. If the last process died in that moment, the engine gave up and gives
   * nothing back.
   */
  private static void dropUnanswered(LayerStorage storage) {
    for (LayerInfo layer : storage.layers()) {
      if (layer.id().text().endsWith(INIT_SUFFIX)) {
        for (int use = 0; use < layer.uses(); use++) {
          storage.unmount(layer.id());
        }
      }
    }
  }

  @Override
  public void init(Session session) {
    synchronized (sessionLock) {
      Open before = open;
      if (before != null && before.session().equals(session)) {
        translated(before.storage()::beginSession);
        inherit(before.storage());
      } else {
        EngineOptions.parse(session.options());
        if (before != null) {
          checkUnused(before, session);
          open = null;
          closedReason = "the layers are being opened";
          before.storage().close();
        }
        try {
          Open fresh = openFor(session);
          translated(fresh.storage()::beginSession);
          inherit(fresh.storage());
          open = fresh;
        } catch (DriverException e) {
          closedReason = "the layers could not be opened: " + e.getMessage();
          throw e;
        }
      }
      file.write(session);
      LOG.atInfo()
          .addKeyValue("home", session.home())
          .addKeyValue("options", session.options())
          .log("engine introduced itself");
    }
  }

  private void inherit(LayerStorage storage) {
    inherited.clear();
    long nowNanos = System.nanoTime();
    translated(storage::layers).stream()
        .filter(layer -> layer.uses() > 0)
        .forEach(layer -> inherited.put(layer.id(), nowNanos));
  }

  /**
   * Unmounts what was mounted before this process or its engine began, if nobody has asked for it
   * since: the call that should have ended it was lost.
   *
   * @param patience with the engine
   * @param isUsed whether something else than the engine's calls needs a mount, such as a container
   * @return how many were unmounted
   */
  public int releaseUnclaimed(Duration patience, Predicate<Path> isUsed) {
    Open now = open;
    int released = 0;
    for (Map.Entry<LayerId, Long> each : inherited.entrySet()) {
      if (now == null || System.nanoTime() - each.getValue() < patience.toNanos()) {
        continue;
      }
      LayerId id = each.getKey();
      Path merged = Path.of(translated(() -> now.storage().metadata(id)).getOrDefault(MERGED, "/"));
      if (isUsed.test(merged) || !inherited.remove(id, each.getValue())) {
        continue;
      }
      int uses = translated(() -> now.storage().find(id)).map(LayerInfo::uses).orElse(0);
      for (int use = 0; use < uses; use++) {
        translated(() -> now.storage().unmount(id));
      }
      released++;
      LOG.atWarn().addKeyValue("layer", id).log("unmounted a layer that nobody has asked for");
    }
    return released;
  }

  /** Another engine's calls would go to layers that this one has mounted. */
  private static void checkUnused(Open before, Session session) {
    if (before.session().home().equals(session.home())) {
      return;
    }
    long used = before.storage().layers().stream().filter(layer -> layer.uses() > 0).count();
    if (used > 0) {
      throw new DriverException.Refused(
          "this driver serves the engine of "
              + before.session().home()
              + ", which has "
              + used
              + " layers in use; run another one under another name for "
              + session.home());
    }
  }

  private Open openFor(Session session) {
    EngineOptions options = EngineOptions.parse(session.options());
    return translated(
        () -> new Open(session, options, opener.open(session.home(), ids(session), options)));
  }

  private static IdMaps ids(Session session) {
    return new IdMaps(ranges(session.userIds()), ranges(session.groupIds()));
  }

  private static List<IdMaps.Range> ranges(List<IdRange> ranges) {
    return ranges.stream()
        .map(range -> new IdMaps.Range(range.containerId(), range.hostId(), range.size()))
        .toList();
  }

  /**
   * What it serves now, for people.
   *
   * @param session empty before an engine has introduced itself
   * @param problem why calls are refused; empty if they are not
   */
  public record View(Optional<Session> session, Optional<String> problem, List<LayerInfo> layers) {}

  /** May wait for the storage. */
  public View view() {
    Open now = open;
    if (now != null) {
      return new View(
          Optional.of(now.session()), Optional.empty(), translated(now.storage()::layers));
    }
    return new View(Optional.empty(), Optional.of(closedReason), List.of());
  }

  private Open open() {
    Open now = open;
    if (now == null) {
      throw new DriverException.Retryable(closedReason);
    }
    return now;
  }

  private LayerStorage storage() {
    return open().storage();
  }

  @Override
  public void create(LayerRequest layer) {
    if (!layer.storageOptions().isEmpty()) {
      throw new DriverException.Refused(
          "Create: storage options are for containers, not for images");
    }
    create(layer, LayerOptions.NONE);
  }

  @Override
  public void createReadWrite(LayerRequest layer) {
    LayerOptions asked = translated(() -> LayerOptions.parse(layer.storageOptions()));
    create(layer, asked.sizeBytes() > 0 ? asked : new LayerOptions(open().options().sizeBytes()));
    tryOut(new LayerId(layer.id()));
  }

  /**
   * An engine forgets a layer that it could make but not mount, and nobody removes it. So what may
   * be missing elsewhere is found out here, where a failure leaves nothing.
   */
  private void tryOut(LayerId id) {
    if (!translated(() -> storage().find(id).map(LayerInfo::hasThinBelow).orElse(false))) {
      return;
    }
    try {
      translated(() -> storage().mount(id, MountLabel.NONE));
      translated(() -> storage().unmount(id));
    } catch (DriverException e) {
      try {
        translated(() -> storage().remove(id));
      } catch (DriverException left) {
        e.addSuppressed(left);
      }
      throw e;
    }
  }

  private void create(LayerRequest layer, LayerOptions options) {
    translated(() -> storage().create(new LayerId(layer.id()), parent(layer.parent()), options));
  }

  @Override
  public void remove(String id) {
    translated(
        () -> {
          LayerId layer = new LayerId(id);
          inherited.remove(layer);
          storage().remove(layer);
        });
  }

  @Override
  public String get(String id, @Nullable String mountLabel) {
    return translated(
        () -> {
          LayerId layer = new LayerId(id);
          inherited.remove(layer);
          return storage()
              .mount(layer, mountLabel == null ? MountLabel.NONE : new MountLabel(mountLabel))
              .toString();
        });
  }

  @Override
  public void put(String id) {
    translated(
        () -> {
          LayerId layer = new LayerId(id);
          inherited.remove(layer);
          storage().unmount(layer);
        });
  }

  @Override
  public boolean exists(String id) {
    return translated(() -> storage().exists(new LayerId(id)));
  }

  @Override
  public List<StatusLine> status() {
    List<StatusLine> lines = new ArrayList<>();
    translated(storage()::status)
        .forEach(line -> lines.add(new StatusLine(line.name(), line.value())));
    lines.addAll(moreStatus.get());
    return lines;
  }

  @Override
  public Map<String, String> metadata(String id) {
    return translated(() -> storage().metadata(new LayerId(id)));
  }

  @Override
  public void cleanup() {
    translated(storage()::cleanup);
  }

  @Override
  public long applyDiff(String id, @Nullable String parent, InputStream archive) {
    return translated(() -> storage().applyDiff(new LayerId(id), parent(parent), archive));
  }

  @Override
  public void diff(String id, @Nullable String parent, OutputStream archive) {
    translated(() -> storage().diff(new LayerId(id), parent(parent), archive));
  }

  @Override
  public void changes(String id, @Nullable String parent, Consumer<Change> changes) {
    for (io.lamina.layers.Change change :
        translated(() -> storage().changes(new LayerId(id), parent(parent)))) {
      changes.accept(
          new Change(
              new String(change.path(), StandardCharsets.UTF_8),
              switch (change.kind()) {
                case MODIFIED -> ChangeKind.MODIFIED;
                case ADDED -> ChangeKind.ADDED;
                case DELETED -> ChangeKind.DELETED;
              }));
    }
  }

  @Override
  public long diffSize(String id, @Nullable String parent) {
    return translated(() -> storage().diffSize(new LayerId(id), parent(parent)));
  }

  private static @Nullable LayerId parent(@Nullable String parent) {
    return parent == null || parent.isEmpty() ? null : new LayerId(parent);
  }

  private static void translated(Runnable call) {
    translated(
        () -> {
          call.run();
          return true;
        });
  }

  /** All that the engine's user can do about the storage's failures is in their messages. */
  private static <T> T translated(Supplier<T> call) {
    try {
      return call.get();
    } catch (LayersException e) {
      throw new DriverException.Refused(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    }
  }

  /** Ends the work on layers; what is mounted stays. */
  @Override
  public void close() {
    synchronized (sessionLock) {
      Open last = open;
      open = null;
      closedReason = "the driver is stopping";
      if (last != null) {
        last.storage().close();
      }
    }
  }
}
