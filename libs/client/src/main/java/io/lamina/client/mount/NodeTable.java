package io.lamina.client.mount;

import io.lamina.client.fuse.FuseError;
import io.lamina.client.fuse.FuseFileSystem;
import io.lamina.client.tree.Entry;
import io.lamina.client.tree.Revision;
import io.lamina.linux.Errno;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The nodes to which the kernel holds references. Numbers are never used again. Thread-safe. */
final class NodeTable {
  private final Map<Long, Node> byId = new HashMap<>();
  private final Map<Object, Node> byKey = new HashMap<>();
  private long lastId = FuseFileSystem.ROOT;

  NodeTable(Entry root, Revision revision) {
    Node node = new Node(FuseFileSystem.ROOT, Node.keyOf(root), null, root, revision);
    node.references = 1;
    byId.put(node.id, node);
    byKey.put(node.key, node);
  }

  /**
   * @throws FuseError if the kernel has given it back
   */
  synchronized Node node(long id) {
    Node node = byId.get(id);
    if (node == null) {
      throw new FuseError(Errno.ESTALE);
    }
    return node;
  }

  /** The node of an entry, with one reference more. */
  synchronized Node refer(Node parent, Entry entry, Revision revision) {
    Object key = Node.keyOf(entry);
    Node node = byKey.get(key);
    if (node == null) {
      node = new Node(++lastId, key, parent, entry, revision);
      byId.put(node.id, node);
      byKey.put(key, node);
    }
    node.references++;
    node.addName(parent.id, entry.path());
    return node;
  }

  synchronized void forget(long id, long references) {
    Node node = byId.get(id);
    if (node != null && id != FuseFileSystem.ROOT) {
      node.references -= references;
      if (node.references <= 0) {
        byId.remove(id);
        byKey.remove(node.key, node);
      }
    }
  }

  synchronized @Nullable Node known(Object key) {
    return byKey.get(key);
  }

  synchronized List<Node> all() {
    return new ArrayList<>(byId.values());
  }

  synchronized List<Node.Name> namesOf(Node node) {
    return List.copyOf(node.names());
  }

  synchronized int size() {
    return byId.size();
  }
}
