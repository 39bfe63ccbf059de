package io.lamina.node.commit;

import io.lamina.image.thin.ThinDescriptor;
import io.lamina.layers.Change;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerInfo;
import io.lamina.layers.LayerOptions;
import io.lamina.layers.LayerStorage;
import io.lamina.layers.LayerUsage;
import io.lamina.layers.MountLabel;
import io.lamina.layers.StatusLine;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Layers that are known and can be packed, and nothing else. */
final class FakeLayers implements LayerStorage {
  private final Map<LayerId, LayerInfo> layers = new ConcurrentHashMap<>();
  volatile byte[] archive = new byte[0];

  void add(
      String id,
      @Nullable String parent,
      LayerInfo.Kind kind,
      LayerInfo.State state,
      SortedSet<String> repositories) {
    LayerId layer = new LayerId(id);
    Optional<LayerId> below = Optional.ofNullable(parent).map(LayerId::new);
    boolean hasThin =
        kind == LayerInfo.Kind.THIN
            || below.flatMap(this::find).map(LayerInfo::hasThinBelow).orElse(false);
    layers.put(layer, new LayerInfo(layer, below, kind, state, hasThin, repositories, 0));
  }

  @Override
  public Optional<LayerInfo> find(LayerId id) {
    return Optional.ofNullable(layers.get(id));
  }

  @Override
  public void diff(LayerId id, @Nullable LayerId parent, OutputStream tar) {
    try {
      tar.write(archive);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static UnsupportedOperationException unused() {
    return new UnsupportedOperationException("a commit has no need of this");
  }

  @Override
  public void beginSession() {
    throw unused();
  }

  @Override
  public void create(LayerId id, @Nullable LayerId parent, LayerOptions options) {
    throw unused();
  }

  @Override
  public Path mount(LayerId id, MountLabel label) {
    throw unused();
  }

  @Override
  public void unmount(LayerId id) {
    throw unused();
  }

  @Override
  public void remove(LayerId id) {
    throw unused();
  }

  @Override
  public boolean exists(LayerId id) {
    throw unused();
  }

  @Override
  public List<LayerInfo> layers() {
    throw unused();
  }

  @Override
  public long applyDiff(LayerId id, @Nullable LayerId parent, InputStream tar) {
    throw unused();
  }

  @Override
  public long applyThin(LayerId id, ThinDescriptor descriptor) {
    throw unused();
  }

  @Override
  public List<Change> changes(LayerId id, @Nullable LayerId parent) {
    throw unused();
  }

  @Override
  public long diffSize(LayerId id, @Nullable LayerId parent) {
    throw unused();
  }

  @Override
  public LayerUsage usage(LayerId id) {
    throw unused();
  }

  @Override
  public SortedMap<String, String> metadata(LayerId id) {
    throw unused();
  }

  @Override
  public List<StatusLine> status() {
    throw unused();
  }

  @Override
  public void cleanup() {
    throw unused();
  }

  @Override
  public void close() {}
}
