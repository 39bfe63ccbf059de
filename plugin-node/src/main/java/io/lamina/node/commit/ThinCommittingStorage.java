package io.lamina.node.commit;

import io.lamina.image.thin.ThinDescriptor;
import io.lamina.layers.Change;
import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerInfo;
import io.lamina.layers.LayerOptions;
import io.lamina.layers.LayerStorage;
import io.lamina.layers.LayerUsage;
import io.lamina.layers.MountLabel;
import io.lamina.layers.StatusLine;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/** A storage whose {@link #diff} publishes containers on thin images. Thread-safe. */
public final class ThinCommittingStorage implements LayerStorage {
  private final LayerStorage storage;
  private final CvmfsRoots roots;
  private final ThinCommits commits;

  /**
   * @param storage closed with this
   * @param roots that the storage uses too
   */
  public ThinCommittingStorage(LayerStorage storage, CvmfsRoots roots, ThinCommits commits) {
    this.storage = storage;
    this.roots = roots;
    this.commits = commits;
  }

  @Override
  public void diff(LayerId id, @Nullable LayerId parent, OutputStream tar) {
    commits.diff(storage, roots, id, parent, tar);
  }

  @Override
  public void beginSession() {
    storage.beginSession();
  }

  @Override
  public void create(LayerId id, @Nullable LayerId parent, LayerOptions options) {
    storage.create(id, parent, options);
  }

  @Override
  public Path mount(LayerId id, MountLabel label) {
    return storage.mount(id, label);
  }

  @Override
  public void unmount(LayerId id) {
    storage.unmount(id);
  }

  @Override
  public void remove(LayerId id) {
    storage.remove(id);
  }

  @Override
  public boolean exists(LayerId id) {
    return storage.exists(id);
  }

  @Override
  public Optional<LayerInfo> find(LayerId id) {
    return storage.find(id);
  }

  @Override
  public List<LayerInfo> layers() {
    return storage.layers();
  }

  @Override
  public long applyDiff(LayerId id, @Nullable LayerId parent, InputStream tar) {
    return storage.applyDiff(id, parent, tar);
  }

  @Override
  public long applyThin(LayerId id, ThinDescriptor descriptor) {
    return storage.applyThin(id, descriptor);
  }

  @Override
  public List<Change> changes(LayerId id, @Nullable LayerId parent) {
    return storage.changes(id, parent);
  }

  @Override
  public long diffSize(LayerId id, @Nullable LayerId parent) {
    return storage.diffSize(id, parent);
  }

  @Override
  public LayerUsage usage(LayerId id) {
    return storage.usage(id);
  }

  @Override
  public SortedMap<String, String> metadata(LayerId id) {
    return storage.metadata(id);
  }

  @Override
  public List<StatusLine> status() {
    return storage.status();
  }

  @Override
  public void cleanup() {
    storage.cleanup();
  }

  @Override
  public void close() {
    storage.close();
  }
}
