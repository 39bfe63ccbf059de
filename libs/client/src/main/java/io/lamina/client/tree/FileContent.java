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

/**
 * The content of a regular file. Nothing is fetched before it is read; of a chunked file only the
 * chunks that are read, and the next one while they are read in order. Holds nothing that is to be
 * given back. Thread-safe.
 */
public final class FileContent {
  private static final int STEPS_TO_FETCH_AHEAD = 2;

  private final ObjectSource objects;
  private final CatalogEntry entry;
  private final List<Chunk> chunks;
  private volatile int lastIndex = -1;
  private volatile int stepsInOrder;

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
      fetchAhead(index);
      try (CachedObject object = open(index)) {
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

  /**
   * Who went from one chunk to the next twice will go on: the one after it comes at the same time.
   * Readers that come between each other only spoil the guess.
   */
  private void fetchAhead(int index) {
    int last = lastIndex;
    if (index == last) {
      return;
    }
    int steps = index == last + 1 ? stepsInOrder + 1 : 0;
    stepsInOrder = steps;
    lastIndex = index;
    if (steps >= STEPS_TO_FETCH_AHEAD && index + 1 < chunks.size()) {
      Chunk next = chunks.get(index + 1);
      objects.fetchAhead(key(next), next.sizeBytes());
    }
  }

  private CachedObject open(int index) {
    Chunk chunk = chunks.get(index);
    return objects.open(key(chunk), chunk.sizeBytes());
  }

  private ObjectKey key(Chunk chunk) {
    ObjectKind kind = entry.chunks().isEmpty() ? ObjectKind.FILE : ObjectKind.CHUNK;
    return new ObjectKey(chunk.hash(), kind, entry.compression());
  }
}
