package io.lamina.node.graphdriver;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the calls of the protocol do. Every method may block, throws {@link DriverException} with a
 * message for the engine's user, and may be called from many threads at once, for one layer too.
 *
 * <p>Source: docs/protocol/graphdriver.md, "Calls".
 */
public interface GraphDriver {
  /** One line of the driver's status. */
  record StatusLine(String name, String value) {}

  /** How an entry differs; the order is the protocol's. */
  enum ChangeKind {
    MODIFIED,
    ADDED,
    DELETED
  }

  /**
   * @param path absolute inside the layer's view; bytes that are no UTF-8 are replaced
   */
  record Change(String path, ChangeKind kind) {}

  /** A new engine, or one that was started again. Layers stay. */
  void init(Session session);

  void create(LayerRequest layer);

  void createReadWrite(LayerRequest layer);

  /** Also succeeds for a layer that is not there. */
  void remove(String id);

  /**
   * Mounts, or counts one more use.
   *
   * @return the folder with the layer's view, the same as long as the engine lives
   */
  String get(String id, @Nullable String mountLabel);

  /** Ends one use; also succeeds for a layer that is not in use or not there. */
  void put(String id);

  boolean exists(String id);

  List<StatusLine> status();

  Map<String, String> metadata(String id);

  /** The engine stops; what is in use stays mounted. */
  void cleanup();

  /**
   * Fills a new layer.
   *
   * @param archive read to its end; fails if it broke off, and the layer with it
   * @return bytes of all files
   */
  long applyDiff(String id, @Nullable String parent, InputStream archive) throws IOException;

  /**
   * @param parent null for the whole view
   */
  void diff(String id, @Nullable String parent, OutputStream archive) throws IOException;

  void changes(String id, @Nullable String parent, Consumer<Change> changes);

  long diffSize(String id, @Nullable String parent);
}
