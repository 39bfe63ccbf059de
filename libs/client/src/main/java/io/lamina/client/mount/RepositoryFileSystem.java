package io.lamina.client.mount;

import io.lamina.client.failure.ClientException;
import io.lamina.client.fuse.Attributes;
import io.lamina.client.fuse.DirectoryBuffer;
import io.lamina.client.fuse.FuseError;
import io.lamina.client.fuse.FuseFileSystem;
import io.lamina.client.fuse.FuseServer;
import io.lamina.client.tree.Entry;
import io.lamina.client.tree.ObjectSource;
import io.lamina.client.tree.Revision;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.linux.Errno;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Shows the current revision of a repository to the kernel.
 *
 * <p>Source: docs/client.md, "What the file system shows" and "Revisions". Thread-safe.
 */
public final class RepositoryFileSystem implements FuseFileSystem {
  /** Names that are not there and that the kernel remembers; beyond, it asks each time. */
  private static final int MAX_ABSENT = 100_000;

  private static final int DIRECTORY_MODE = CatalogEntry.DIRECTORY;
  private static final int BLOCK_BYTES = 4096;

  /** What overlays ask of each directory. */
  private static final String OPAQUE = "trusted.overlay.opaque";

  private static final byte[] YES = {'y'};

  private final ObjectSource objects;
  private final Supplier<Revision> current;
  private final MagicAttributes magic;
  private final Supplier<FileSystemSize> size;
  private final long kernelCacheNanos;
  private final NodeTable nodes;
  private final Listings listings = new Listings();
  private final Set<Absent> absent = ConcurrentHashMap.newKeySet();

  /** Directories whose entries, or whose own attributes, the kernel may know from before. */
  private final Set<Long> relisted = ConcurrentHashMap.newKeySet();

  private final Set<Long> changed = ConcurrentHashMap.newKeySet();
  private final LongAdder reads = new LongAdder();
  private final LongAdder readBytes = new LongAdder();

  private record Absent(long directory, RepositoryPath path) {}

  public RepositoryFileSystem(
      ObjectSource objects,
      Supplier<Revision> current,
      MagicAttributes magic,
      Supplier<FileSystemSize> size,
      Duration kernelCache) {
    this.objects = objects;
    this.current = current;
    this.magic = magic;
    this.size = size;
    this.kernelCacheNanos = kernelCache.toNanos();
    Revision revision = current.get();
    this.nodes = new NodeTable(revision.root(), revision);
  }

  @Override
  public Attributes lookup(long directory, byte[] name) {
    if (name.length > RepositoryPath.MAX_NAME_BYTES) {
      throw new FuseError(Errno.ENAMETOOLONG);
    }
    Node parent = nodes.node(directory);
    Node.State state = refreshed(parent);
    RepositoryPath path;
    try {
      path = state.entry().path().resolve(name);
    } catch (CvmfsException.Rejected e) {
      return Attributes.absent(kernelCacheNanos); // no entry ever has such a name
    }
    Optional<Entry> found = state.revision().find(state.entry(), name);
    if (found.isPresent()) {
      return attributes(
          nodes.refer(parent, found.get(), state.revision()), found.get(), validNanos(state));
    }
    boolean isRemembered = absent.size() < MAX_ABSENT && absent.add(new Absent(directory, path));
    return Attributes.absent(
        isRemembered || absent.contains(new Absent(directory, path)) ? validNanos(state) : 0);
  }

  /**
   * An answer from a revision that has been followed by another meanwhile is not to be kept: the
   * notice about it may be on its way already.
   */
  private long validNanos(Node.State state) {
    return state.checked() == current.get() ? kernelCacheNanos : 0;
  }

  @Override
  public void forget(long node, long references) {
    nodes.forget(node, references);
  }

  @Override
  public Attributes attributes(long id) {
    Node node = nodes.node(id);
    Node.State state = refreshed(node);
    return attributes(
        node, state.entry(), node.isDirectory() ? validNanos(state) : kernelCacheNanos);
  }

  private static Attributes attributes(Node node, Entry entry, long validNanos) {
    CatalogEntry row = entry.entry();
    boolean isDevice =
        switch (row.mode() & CatalogEntry.TYPE_MASK) {
          case CatalogEntry.CHARACTER_DEVICE, CatalogEntry.BLOCK_DEVICE -> true;
          default -> false;
        };
    return new Attributes(
        node.id,
        validNanos,
        entry.inode(),
        entry.shownSizeBytes(),
        row.mode(),
        row.linkCount(),
        (int) row.uid(),
        (int) row.gid(),
        isDevice ? kernelDevice(row.deviceMajor(), row.deviceMinor()) : 0,
        row.mtimeSeconds(),
        Math.max(row.mtimeNanos(), 0));
  }

  /** The kernel's own form: 12 bits of major, 20 of minor. */
  private static int kernelDevice(int major, int minor) {
    return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xff) << 12;
  }

  /**
   * What the node is in the current revision. A directory that is no longer there stays what it was
   * for those who are in it.
   */
  private Node.State refreshed(Node node) {
    Node.State state = node.state();
    Revision now = current.get();
    if (state.checked() == now || !state.entry().entry().isDirectory()) {
      return state;
    }
    Node.State next =
        node.parent == null ? rootIn(now) : childIn(now, node, refreshed(node.parent));
    node.become(next);
    if (!next.entry().listing().equals(state.entry().listing())) {
      relisted.add(node.id);
      changed.add(node.id);
    } else if (!next.entry().entry().equals(state.entry().entry())) {
      changed.add(node.id);
    }
    return next;
  }

  private static Node.State rootIn(Revision now) {
    return new Node.State(now.root(), Optional.empty(), now, now);
  }

  private static Node.State childIn(Revision now, Node node, Node.State parent) {
    Node.State before = node.state();
    if (parent.revision() != now) {
      return new Node.State(before.entry(), before.holder(), before.revision(), now);
    }
    Optional<NestedCatalog> holder = parent.entry().listing();
    if (holder.equals(before.holder())) {
      return new Node.State(before.entry(), holder, now, now);
    }
    return now.find(parent.entry(), before.entry().path().name())
        .filter(entry -> entry.entry().isDirectory())
        .map(entry -> new Node.State(entry, holder, now, now))
        .orElseGet(() -> new Node.State(before.entry(), before.holder(), before.revision(), now));
  }

  @Override
  public byte[] readLink(long id) {
    Entry entry = nodes.node(id).state().entry();
    if (!entry.entry().isSymlink()) {
      throw new FuseError(Errno.EINVAL);
    }
    return entry.linkTarget();
  }

  @Override
  public long read(long id, MemorySegment target, long offset) {
    Node node = nodes.node(id);
    if (node.isDirectory()) {
      throw new FuseError(Errno.EISDIR);
    }
    long count = node.content(objects).read(target, offset);
    reads.increment();
    readBytes.add(count);
    return count;
  }

  @Override
  public void readDirectory(long id, long from, DirectoryBuffer buffer) {
    Node directory = nodes.node(id);
    if (!directory.isDirectory()) {
      throw new FuseError(Errno.ENOTDIR);
    }
    Listings.Listing listing = from == 0 ? listed(directory) : listedBefore(directory, from);
    Node.State state = listing.state();
    List<Entry> entries = listing.entries();
    int at = Listings.index(from);
    if (at == 0 && buffer.addDots(".", listing.number(1), inode(directory), DIRECTORY_MODE)) {
      at = 1;
    }
    Node above = directory.parent == null ? directory : directory.parent;
    if (at == 1 && buffer.addDots("..", listing.number(2), inode(above), DIRECTORY_MODE)) {
      at = 2;
    }
    while (at >= 2 && at - 2 < entries.size()) {
      Entry entry = entries.get(at - 2);
      boolean fits =
          buffer.add(
              entry.path().name(),
              listing.number(at + 1),
              entry.inode(),
              entry.entry().mode(),
              () ->
                  attributes(
                      nodes.refer(directory, entry, state.revision()), entry, validNanos(state)));
      if (!fits) {
        return;
      }
      at++;
    }
  }

  private Listings.Listing listed(Node directory) {
    Node.State state = refreshed(directory);
    return listings
        .current(directory.id, state)
        .orElseGet(() -> listings.begin(directory.id, state, state.revision().list(state.entry())));
  }

  private Listings.Listing listedBefore(Node directory, long from) {
    return listings.of(directory.id, from).orElseGet(() -> listed(directory));
  }

  private static long inode(Node node) {
    return node.state().entry().inode();
  }

  @Override
  public byte @Nullable [] extendedAttribute(long id, byte[] name) {
    Node.State state = refreshed(nodes.node(id));
    Entry entry = state.entry();
    String text = new String(name, StandardCharsets.ISO_8859_1);
    Optional<byte[]> value = magic.value(entry, text);
    if (value.isPresent()) {
      return value.get();
    }
    byte[] stored = entry.entry().xattrs().asMap().get(text);
    return stored == null && text.equals(OPAQUE) && state.revision().isMarkedOpaque(entry)
        ? YES.clone()
        : stored;
  }

  @Override
  public byte[] extendedAttributes(long id) {
    Entry entry = refreshed(nodes.node(id)).entry();
    Set<String> names = new TreeSet<>(entry.entry().xattrs().asMap().keySet());
    if (entry.path().isRoot()) {
      names.addAll(magic.names());
    }
    StringBuilder list = new StringBuilder();
    names.forEach(name -> list.append(name).append('\0'));
    return list.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  @Override
  public FileSystemSize size() {
    return size.get();
  }

  /** Room in whole blocks. */
  public static long blocks(long bytes) {
    return Math.ceilDiv(bytes, BLOCK_BYTES);
  }

  @Override
  public void destroyed() {
    listings.clear();
  }

  public MountStatistics statistics() {
    return new MountStatistics(nodes.size(), reads.sum(), readBytes.sum());
  }

  /**
   * Tells the kernel what is no longer as it was, now and, for answers that were under way
   * meanwhile, once more when the returned action runs a moment later. Not to be called by a thread
   * that answers the kernel, which may wait for answers before it takes notices.
   */
  public Runnable follow(FuseServer kernel) {
    for (Node node : nodes.all()) {
      try {
        refreshed(node);
      } catch (CvmfsException | ClientException e) {
        // Its catalog cannot be had: whoever asks is told so, and it is looked for again then.
        relisted.add(node.id);
      }
    }
    Set<Long> lists = drain(relisted);
    Set<Long> attributes = drain(changed);
    tell(kernel, lists, attributes);
    return () -> tell(kernel, lists, attributes);
  }

  private static Set<Long> drain(Set<Long> ids) {
    Set<Long> taken = Set.copyOf(ids);
    ids.removeAll(taken);
    return taken;
  }

  private void tell(FuseServer kernel, Set<Long> lists, Set<Long> attributes) {
    attributes.forEach(kernel::invalidate);
    lists.forEach(kernel::invalidate);
    for (Node node : nodes.all()) {
      for (Node.Name name : nodes.namesOf(node)) {
        if (lists.contains(name.directory())) {
          kernel.expire(name.directory(), name.path().name(), true);
        }
      }
    }
    for (Absent name : new ArrayList<>(absent)) {
      if (lists.contains(name.directory()) && absent.remove(name)) {
        kernel.expire(name.directory(), name.path().name(), false);
      }
    }
  }
}
