package io.lamina.image.layer;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.LayerDescriptor;
import java.io.InputStream;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * A layer's blob as a stream of entries. Fetching, hashing and decompressing run ahead on a thread
 * of their own; memory does not depend on the layer's size. Nothing is verified before {@link
 * #finish} has returned.
 *
 * <p>Source: docs/conversion.md, "Reading a layer". One thread uses it; {@link
 * #compressedBytesRead} may be called from any.
 */
public final class LayerReader implements AutoCloseable {
  /**
   * What a verified layer was.
   *
   * @param compressedBytes the blob's length
   * @param unpackedBytes the archive's length
   * @param headers in the archive, extended and ignored ones included
   * @param trailingGarbage whether bytes other than zeros follow the end mark; they count for the
   *     diff id and are ignored otherwise
   * @param unpackCpuNanos of the thread that fetched and decompressed
   */
  public record Totals(
      long compressedBytes,
      long unpackedBytes,
      int headers,
      boolean trailingGarbage,
      long unpackCpuNanos) {}

  private final LayerDescriptor layer;
  private final BlobPump pump;
  private final TarInput tar;
  private final TarReader entries;
  private @Nullable Totals totals;

  private LayerReader(LayerDescriptor layer, BlobPump pump, LayerLimits limits) {
    this.layer = layer;
    this.pump = pump;
    this.tar = TarInput.hashed(pump::next);
    this.entries = new TarReader(tar, limits, false);
  }

  /**
   * @param blob the blob's raw bytes from the first on; closed with the reader
   */
  public static LayerReader open(LayerDescriptor layer, InputStream blob, LayerLimits limits) {
    return new LayerReader(layer, new BlobPump(layer.blob(), blob, limits), limits);
  }

  /**
   * The next entry in the archive's order; empty behind the last one.
   *
   * @throws ImageException.Rejected if the layer is malformed, hostile or over a limit, and its
   *     blob is what the registry promised
   * @throws ImageException.Corrupt if the blob is not what was promised
   * @throws ImageException.Retryable if it could not be read
   * @throws CancellationException if this thread is interrupted; its flag stays set
   */
  public Optional<LayerEntry> next() {
    try {
      return entries.next();
    } catch (ImageException.Rejected e) {
      throw verdict(e);
    }
  }

  /**
   * To be asked about every failure while entries are read: damage in transfer looks like a
   * malformed layer.
   */
  private ImageException verdict(ImageException.Rejected rejected) {
    try {
      pump.verifyBlobOnly();
      return rejected;
    } catch (ImageException.Rejected alsoMalformed) {
      return rejected;
    } catch (ImageException transfer) {
      transfer.addSuppressed(rejected);
      return transfer;
    }
  }

  /**
   * Reads what is left and compares size and both digests.
   *
   * @throws ImageException.Corrupt if the blob is not what was promised
   * @throws ImageException.Rejected if the blob is right, but not the diff id
   */
  public Totals finish() {
    Totals known = totals;
    if (known == null) {
      known = verify();
      totals = known;
    }
    return known;
  }

  private Totals verify() {
    boolean garbage;
    try {
      Optional<LayerEntry> entry = entries.next();
      while (entry.isPresent()) {
        entry = entries.next();
      }
      garbage = tar.drain();
    } catch (ImageException.Rejected e) {
      throw verdict(e);
    }
    Digest actual = tar.digest();
    if (!actual.equals(layer.diffId())) {
      throw new ImageException.Rejected(
          "layer "
              + layer.blob().digest()
              + " unpacks to "
              + actual
              + ", but the image's config says "
              + layer.diffId());
    }
    return new Totals(
        pump.compressedBytesRead(), tar.offset(), entries.headers(), garbage, pump.cpuNanos());
  }

  /** Whether gzip is unpacked by ISA-L here; else by the JDK. */
  public static boolean usesIsal() {
    return IsalInflate.isAvailable();
  }

  /** Bytes of the blob that were fetched so far. */
  public long compressedBytesRead() {
    return pump.compressedBytesRead();
  }

  /** Stops fetching; the blob's stream is closed. */
  @Override
  public void close() {
    pump.close();
  }
}
