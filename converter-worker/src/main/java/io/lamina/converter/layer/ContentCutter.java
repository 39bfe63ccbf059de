package io.lamina.converter.layer;

/**
 * Finds where a chunk ends: a rolling checksum of the last 32 bytes meets a narrow interval, or the
 * chunk has its maximal length. Equal content is cut alike wherever it stands in a file.
 *
 * <p>Source: docs/conversion.md, "Chunks". Single-threaded; one instance for one chunk after the
 * other.
 */
final class ContentCutter {
  /** The checksum depends on this many bytes. */
  static final int WINDOW_BYTES = 32;

  private static final int MAGIC = Integer.MAX_VALUE;
  private static final int LANES = 4;
  private static final int BLOCK_BYTES = 1 << 14;

  private final int minBytes;
  private final int maxBytes;
  private final int threshold;
  private int checksum;
  private int position;

  ContentCutter(ChunkSizes sizes) {
    this.minBytes = sizes.minBytes();
    this.maxBytes = sizes.maxBytes();
    this.threshold = (int) (0xffff_ffffL / sizes.averageBytes());
    startChunk();
  }

  /** Forgets the chunk before. */
  void startChunk() {
    checksum = 0;
    position = minBytes - WINDOW_BYTES;
  }

  /**
   * Looks on in a chunk, from where the last call stopped.
   *
   * @param chunk the chunk from its first byte on, and perhaps more
   * @param filled how many bytes are there; not less than at the last call
   * @return the chunk's length, or -1 if it has not ended within {@code filled} bytes; a chunk of
   *     maximal length ends there
   */
  int find(byte[] chunk, int filled) {
    int warm = Math.min(filled, minBytes);
    while (position < warm) {
      checksum = checksum << 1 ^ (chunk[position++] & 0xff);
    }
    int end = Math.min(filled, maxBytes);
    while (position < end) {
      int stop = Math.min(end, position + BLOCK_BYTES);
      if (stop - position == BLOCK_BYTES && !marked(chunk)) {
        continue;
      }
      int cut = scan(chunk, stop);
      if (cut >= 0) {
        return cut;
      }
    }
    return filled >= maxBytes ? maxBytes : -1;
  }

  private int scan(byte[] chunk, int stop) {
    int x = checksum;
    for (int i = position; i < stop; i++) {
      x = x << 1 ^ (chunk[i] & 0xff);
      if (Math.abs(x - MAGIC) < threshold) {
        return i;
      }
    }
    checksum = x;
    position = stop;
    return -1;
  }

  /**
   * Whether there is a mark within the next block; if not, the block is passed. Four quarters are
   * computed side by side, because one checksum alone waits for itself at each byte.
   */
  private boolean marked(byte[] chunk) {
    int quarter = BLOCK_BYTES / LANES;
    int p0 = position;
    int p1 = p0 + quarter;
    int p2 = p1 + quarter;
    int p3 = p2 + quarter;
    int x0 = checksum;
    int x1 = warmed(chunk, p1);
    int x2 = warmed(chunk, p2);
    int x3 = warmed(chunk, p3);
    int bound = threshold;
    for (int i = 0; i < quarter; i++) {
      x0 = x0 << 1 ^ (chunk[p0 + i] & 0xff);
      x1 = x1 << 1 ^ (chunk[p1 + i] & 0xff);
      x2 = x2 << 1 ^ (chunk[p2 + i] & 0xff);
      x3 = x3 << 1 ^ (chunk[p3 + i] & 0xff);
      int near =
          Math.min(
              Math.min(Math.abs(x0 - MAGIC), Math.abs(x1 - MAGIC)),
              Math.min(Math.abs(x2 - MAGIC), Math.abs(x3 - MAGIC)));
      if (near < bound) {
        return true;
      }
    }
    checksum = x3;
    position = p0 + BLOCK_BYTES;
    return false;
  }

  private static int warmed(byte[] chunk, int at) {
    int x = 0;
    for (int i = at - WINDOW_BYTES; i < at; i++) {
      x = x << 1 ^ (chunk[i] & 0xff);
    }
    return x;
  }
}
