package io.lamina.image.layer;

import io.lamina.image.Digest;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/** The unpacked archive, hashed as its blocks arrive where its digest matters. Single-threaded. */
final class TarInput {
  /** Where the archive's blocks come from. */
  interface Blocks {
    /**
     * The next block's length, or -1 at the end.
     *
     * @param receiver is handed the block
     * @param recycled a block that may be filled again
     */
    int next(BlobPump.Receiver receiver, byte @Nullable [] recycled);
  }

  private final Blocks blocks;
  private final @Nullable MessageDigest sha256;
  private byte @Nullable [] block;
  private int position;
  private int limit;
  private long consumed;
  private boolean atEnd;

  private TarInput(Blocks blocks, @Nullable MessageDigest sha256) {
    this.blocks = blocks;
    this.sha256 = sha256;
  }

  static TarInput hashed(Blocks blocks) {
    return new TarInput(blocks, Digest.newSha256());
  }

  /** One whose {@link #digest} nobody asks for. */
  static TarInput plain(Blocks blocks) {
    return new TarInput(blocks, null);
  }

  /** Bytes taken so far: the offset in the archive of the next one. */
  long offset() {
    return consumed;
  }

  /** Up to {@code length} bytes, at least one; -1 at the end. */
  int read(byte[] target, int offset, int length) {
    byte[] current = available();
    if (current == null) {
      return -1;
    }
    int n = Math.min(length, limit - position);
    System.arraycopy(current, position, target, offset, n);
    position += n;
    consumed += n;
    return n;
  }

  /** Fills {@code target} as far as the archive goes; returns how far. */
  int readFully(byte[] target, int offset, int length) {
    int done = 0;
    while (done < length) {
      int n = read(target, offset + done, length - done);
      if (n < 0) {
        break;
      }
      done += n;
    }
    return done;
  }

  /** Passes over {@code count} bytes, or those that are left; returns how many. */
  long skip(long count) {
    long left = count;
    while (left > 0 && available() != null) {
      int n = (int) Math.min(left, limit - position);
      position += n;
      consumed += n;
      left -= n;
    }
    return count - left;
  }

  /** Reads to the end; whether a byte on the way was not zero. */
  boolean drain() {
    boolean garbage = false;
    byte[] current = available();
    while (current != null) {
      for (int i = position; i < limit && !garbage; i++) {
        garbage = current[i] != 0;
      }
      consumed += limit - position;
      position = limit;
      current = available();
    }
    return garbage;
  }

  /** Of the whole archive; only after {@link #drain}. */
  Digest digest() {
    if (sha256 == null) {
      throw new IllegalStateException("an archive that is not hashed has no digest");
    }
    return Digest.ofBytes(sha256.digest());
  }

  private byte @Nullable [] available() {
    if (position < limit) {
      return block;
    }
    if (atEnd) {
      return null;
    }
    byte[] recycled = block;
    block = null;
    int n = blocks.next((data, length) -> block = data, recycled);
    position = 0;
    limit = Math.max(n, 0);
    if (n < 0) {
      atEnd = true;
      return null;
    }
    byte[] fresh = block;
    if (fresh != null && sha256 != null) {
      sha256.update(fresh, 0, limit);
    }
    return fresh;
  }
}
