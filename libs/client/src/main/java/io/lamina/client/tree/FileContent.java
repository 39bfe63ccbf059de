package io.lamina.client.tree;

import io.lamina.client.cache.CachedObject;
import io.lamina.client.cache.ObjectKey;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Chunk;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The content of an open file. Nothing is fetched before it is read; of a chunked file only the
 * chunks that are read. What was read last stays in the cache until this is closed. Thread-safe.
 */
public final class FileContent implements AutoCloseable {
  private final ObjectSource objects;
  private final CatalogEntry entry;
  private final List<Chunk> chunks;
  private @Nullable CachedObject kept; // guarded by this
  private int keptIndex = -1;
  private boolean isClosed;

  /**
   * @throws CvmfsException.Rejected if it is no regular file, or external
   */
  public FileContent(ObjectSource objects, Entry file) {
    this.objects = objects;
    this.entry = file.entry();
    if (!entry.isRegular()) {
      throw new CvmfsException.Rejected("not a regular file: " + file.path());
    }
    if (file.isExternal()) {
      throw new CvmfsException.Rejected(
          "the content of " + file.path() + " lies on another server, which is not supported");
    }
    ContentHash hash = entry.hash();
    if (!entry.chunks().isEmpty()) {
      this.chunks = entry.chunks();
    } else if (hash != null) {
      this.chunks = List.of(new Chunk(0, entry.sizeBytes(), hash));
    } else {
      throw new CvmfsException.Corrupt("regular file pointing to zero-hash: " + file.path());
    }
  }

  public long sizeBytes() {
    return entry.sizeBytes();
  }

  /** Whether it lies in one object. */
  public boolean isWhole() {
    return entry.chunks().isEmpty();
  }

  /**
   * Fills the start of {@code target} with what lies at the offset, fetching it if need be.
   *
   * @param target off-heap
   * @return how many bytes; fewer than the target has only at the end of the file
   */
  public long read(MemorySegment target, long offset) {
    long wanted = Math.min(target.byteSize(), sizeBytes() - offset);
    long filled = 0;
    while (filled < wanted) {
      int index = indexOf(offset + filled);
      Chunk chunk = chunks.get(index);
      long within = offset + filled - chunk.offsetBytes();
      long part = Math.min(wanted - filled, chunk.sizeBytes() - within);
      try (CachedObject object = use(index)) {
        long count = object.read(target.asSlice(filled, part), within);
        if (count != part) {
          throw new CvmfsException.Corrupt(
              "the cached object " + chunk.hash() + " has become shorter");
        }
      }
      filled += part;
    }
    return filled;
  }

  /** The chunk that holds this byte; chunks have no gaps. */
  private int indexOf(long offset) {
    int low = 0;
    int high = chunks.size() - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (chunks.get(middle).offsetBytes() <= offset) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /** The file's one object, fetched if need be; the caller closes it. */
  public CachedObject whole() {
    if (!isWhole()) {
      throw new IllegalStateException("the file has chunks");
    }
    return open(0);
  }

  private CachedObject open(int index) {
    Chunk chunk = chunks.get(index);
    ObjectKind kind = isWhole() ? ObjectKind.FILE : ObjectKind.CHUNK;
    return objects.open(new ObjectKey(chunk.hash(), kind, entry.compression()), chunk.sizeBytes());
  }

  /** Also keeps it: reading on in the same chunk then finds its file open. */
  private CachedObject use(int index) {
    CachedObject object = open(index);
    synchronized (this) {
      if (!isClosed && keptIndex != index) {
        if (kept != null) {
          kept.close();
        }
        kept = open(index);
        keptIndex = index;
      }
    }
    return object;
  }

  @Override
  public synchronized void close() {
    isClosed = true;
    if (kept != null) {
      kept.close();
      kept = null;
    }
  }
}
