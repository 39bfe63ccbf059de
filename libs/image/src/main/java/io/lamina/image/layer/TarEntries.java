package io.lamina.image.layer;

import io.lamina.image.ImageException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The entries of an archive that is not compressed and whose digest somebody else checks, such as
 * an engine's. Names are read as engines do: {@code a/../b} is {@code b}.
 *
 * <p>Source: docs/conversion.md, "Tar dialects". Single-threaded.
 */
public final class TarEntries {
  private static final int BLOCK_BYTES = 1 << 18;

  private final InputStream in;
  private final LayerLimits limits;
  private final TarInput tar;
  private final TarReader entries;
  private long total;

  private TarEntries(InputStream in, LayerLimits limits) {
    this.in = in;
    this.limits = limits;
    this.tar = TarInput.plain(this::block);
    this.entries = new TarReader(tar, limits, true);
  }

  /**
   * @param tar its end is a complete archive, also without the blocks that mark it; not closed
   */
  public static TarEntries of(InputStream tar, LayerLimits limits) {
    return new TarEntries(tar, limits);
  }

  private int block(BlobPump.Receiver receiver, byte @Nullable [] recycled) {
    byte[] block = recycled == null ? new byte[BLOCK_BYTES] : recycled;
    int length;
    try {
      length = in.read(block, 0, block.length);
    } catch (IOException e) {
      throw new ImageException.Retryable(
          "the archive broke off after " + total + " bytes: " + e.getMessage(), e, null);
    }
    total += Math.max(length, 0);
    if (total > limits.maxUnpackedBytes()) {
      throw new ImageException.Rejected(
          "the archive has more than "
              + limits.maxUnpackedBytes()
              + " bytes (limit of unpacked bytes)");
    }
    receiver.accept(block, Math.max(length, 0));
    return length;
  }

  /**
   * The next entry in the archive's order; empty behind the last one.
   *
   * @throws ImageException.Rejected if the archive is malformed, hostile or over a limit
   * @throws ImageException.Retryable if it broke off
   */
  public Optional<LayerEntry> next() {
    return entries.next();
  }

  /** Reads what follows the last entry, whatever it is. */
  public void finish() {
    tar.drain();
  }

  /** Of the archive, so far. */
  public long bytesRead() {
    return tar.offset();
  }
}
