package io.lamina.node.graphdriver;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Layers in memory: an archive's bytes under an id. Calls can be replaced one by one. */
class FakeDriver implements GraphDriver {
  final Map<String, byte[]> layers = new ConcurrentHashMap<>();
  final Map<String, AtomicInteger> uses = new ConcurrentHashMap<>();
  final List<Session> sessions = new CopyOnWriteArrayList<>();

  /** Names of calls that changed something, in order, with their id. */
  final BlockingQueue<String> calls = new LinkedBlockingQueue<>();

  @Override
  public void init(Session session) {
    sessions.add(session);
  }

  @Override
  public void create(LayerRequest layer) {
    calls.add("create " + layer.id());
    layers.put(layer.id(), new byte[0]);
  }

  @Override
  public void createReadWrite(LayerRequest layer) {
    create(layer);
  }

  @Override
  public void remove(String id) {
    calls.add("remove " + id);
    layers.remove(id);
  }

  @Override
  public String get(String id, @Nullable String mountLabel) {
    if (!layers.containsKey(id)) {
      throw new DriverException.Refused("no layer '" + id + "'");
    }
    uses.computeIfAbsent(id, _ -> new AtomicInteger()).incrementAndGet();
    return "/layers/" + id;
  }

  @Override
  public void put(String id) {
    uses.computeIfAbsent(id, _ -> new AtomicInteger()).decrementAndGet();
    calls.add("put " + id);
  }

  @Override
  public boolean exists(String id) {
    return layers.containsKey(id);
  }

  @Override
  public List<StatusLine> status() {
    return List.of(new StatusLine("Layers", Integer.toString(layers.size())));
  }

  @Override
  public Map<String, String> metadata(String id) {
    return Map.of("UpperDir", "/layers/" + id);
  }

  @Override
  public void cleanup() {
    calls.add("cleanup");
  }

  @Override
  public long applyDiff(String id, @Nullable String parent, InputStream archive)
      throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    archive.transferTo(bytes);
    layers.put(id, bytes.toByteArray());
    return bytes.size();
  }

  @Override
  public void diff(String id, @Nullable String parent, OutputStream archive) throws IOException {
    byte[] bytes = layers.get(id);
    if (bytes == null) {
      throw new DriverException.Refused("no layer '" + id + "'");
    }
    archive.write(bytes);
  }

  @Override
  public void changes(String id, @Nullable String parent, Consumer<Change> changes) {
    changes.accept(new Change("/etc", ChangeKind.MODIFIED));
    changes.accept(new Change("/etc/ünlesbar\u0001\"", ChangeKind.ADDED));
    changes.accept(new Change("/gone", ChangeKind.DELETED));
  }

  @Override
  public long diffSize(String id, @Nullable String parent) {
    return layers.getOrDefault(id, new byte[0]).length;
  }
}
