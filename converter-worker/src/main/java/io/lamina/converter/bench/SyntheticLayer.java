package io.lamina.converter.bench;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.manifest.MediaTypes;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;

/**
 * A gzipped layer of any size that exists only while it is read: a tar of small and large files in
 * one gzip member, as registries hold them. Blocks of words and of noise are compressed once; each
 * file is a line of its own and some of the blocks, in an order of its own, so that no two files
 * and hardly any two chunks are alike. The same seed and size give the same bytes.
 *
 * <p>Immutable but for the remembered digests; thread-safe, each stream is for one thread. Takes
 * about 6 MB.
 */
public final class SyntheticLayer {
  private static final int BLOCKS = 48;
  private static final int BLOCK_BYTES = 256 << 10;
  private static final int TAR_BLOCK = 512;

  /** One block in sixteen does not compress, like the archives and pictures in images. */
  private static final int NOISE_BLOCK = 9;

  private static final int LARGE_EVERY = 100;
  private static final int LARGE_BLOCKS = 200;
  private static final int FILES_PER_DIRECTORY = 200;
  private static final byte[] GZIP_HEADER = {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, (byte) 0xff};

  private final long seed;
  private final long minBytes;

  /** Raw deflate blocks that end on a byte and look at nothing before them. */
  private final byte[][] packed = new byte[BLOCKS][];

  private final byte[][] plain = new byte[BLOCKS][];
  // Guarded by this.
  private @Nullable Passed passed;

  private record Passed(LayerDescriptor descriptor, long tarBytes) {}

  /**
   * @param minBytes of the archive; the file that reaches them is the last one
   */
  public SyntheticLayer(long seed, long minBytes) {
    this.seed = seed;
    this.minBytes = minBytes;
    Random random = new Random(seed);
    byte[][] words = new byte[4096][];
    for (int i = 0; i < words.length; i++) {
      words[i] = new byte[3 + random.nextInt(12)];
      for (int j = 0; j < words[i].length; j++) {
        // Letters of uneven frequency, as in text and code.
        words[i][j] = (byte) (random.nextDouble() * random.nextDouble() * 120);
      }
    }
    for (int b = 0; b < BLOCKS; b++) {
      boolean noise = b % 16 == NOISE_BLOCK;
      // Sizes from 2 KiB up, so that small files are many, as in images.
      plain[b] = new byte[Math.max(2048, BLOCK_BYTES >> (b % 8))];
      int at = 0;
      while (at < plain[b].length) {
        double skewed = random.nextDouble() * random.nextDouble();
        byte[] word = words[(int) (skewed * words.length)];
        if (noise) {
          word = new byte[4096];
          random.nextBytes(word);
        }
        int n = Math.min(word.length, plain[b].length - at);
        System.arraycopy(word, 0, plain[b], at, n);
        at += n;
      }
      packed[b] = deflated(plain[b]);
    }
  }

  private static byte[] deflated(byte[] content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(content.length / 2 + 64);
    byte[] buffer = new byte[1 << 16];
    try (Deflater deflater = new Deflater(6, true)) {
      deflater.setInput(content);
      int n;
      do {
        n = deflater.deflate(buffer, 0, buffer.length, Deflater.SYNC_FLUSH);
        out.write(buffer, 0, n);
      } while (n == buffer.length);
    }
    return out.toByteArray();
  }

  /** What a manifest and a config say of it; the first call runs through the whole layer. */
  public LayerDescriptor descriptor() {
    return passed().descriptor();
  }

  /** The archive's length; the first call runs through the whole layer. */
  public long unpackedBytes() {
    return passed().tarBytes();
  }

  private synchronized Passed passed() {
    Passed known = passed;
    if (known == null) {
      MessageDigest blob = Digest.newSha256();
      MessageDigest tar = Digest.newSha256();
      Stream stream = new Stream(tar);
      byte[] buffer = new byte[1 << 18];
      long size = 0;
      for (int n = stream.read(buffer, 0, buffer.length);
          n >= 0;
          n = stream.read(buffer, 0, buffer.length)) {
        blob.update(buffer, 0, n);
        size += n;
      }
      known =
          new Passed(
              new LayerDescriptor(
                  new Descriptor(MediaTypes.OCI_LAYER_GZIP, Digest.ofBytes(blob.digest()), size),
                  Digest.ofBytes(tar.digest())),
              stream.written);
      passed = known;
    }
    return known;
  }

  /** The blob's bytes from the first on. */
  public InputStream open() {
    return new Stream(null);
  }

  /** The pieces of the blob, one after the other. */
  private final class Stream extends InputStream {
    private final Random random = new Random(seed + 1);
    private final @Nullable MessageDigest tar;
    private final CRC32 crc = new CRC32();
    private byte[] piece = GZIP_HEADER;
    private int position;
    private long written;
    private long files;
    private long directories;
    private int[] blocks = {};
    private int nextBlock;
    private int padding;
    private boolean ended;

    Stream(@Nullable MessageDigest tar) {
      this.tar = tar;
    }

    @Override
    public int read() {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      Objects.checkFromIndexSize(offset, length, target.length);
      while (position == piece.length) {
        if (ended) {
          return -1;
        }
        piece = next();
        position = 0;
      }
      int n = Math.min(length, piece.length - position);
      System.arraycopy(piece, position, target, offset, n);
      position += n;
      return n;
    }

    private byte[] next() {
      if (nextBlock < blocks.length) {
        int block = blocks[nextBlock++];
        count(plain[block]);
        return packed[block];
      }
      if (padding > 0) {
        byte[] zeros = new byte[padding];
        padding = 0;
        return stored(zeros, false);
      }
      if (written >= minBytes) {
        ended = true;
        return end();
      }
      if (files == directories * FILES_PER_DIRECTORY) {
        directories++;
        return stored(header("d" + directories + "/", '5', "0000755", 0, TAR_BLOCK), false);
      }
      return stored(file(), false);
    }

    /** A file's header and first line; its blocks follow. */
    private byte[] file() {
      byte[] line = ("file " + files + " of seed " + seed + "\n").getBytes(StandardCharsets.UTF_8);
      blocks = new int[files % LARGE_EVERY == LARGE_EVERY - 1 ? LARGE_BLOCKS : 1];
      nextBlock = 0;
      long size = line.length;
      for (int i = 0; i < blocks.length; i++) {
        blocks[i] = random.nextInt(BLOCKS);
        size += plain[blocks[i]].length;
      }
      byte[] block =
          header("d" + directories + "/f" + files, '0', "0000644", size, TAR_BLOCK + line.length);
      System.arraycopy(line, 0, block, TAR_BLOCK, line.length);
      padding = (int) (-size & (TAR_BLOCK - 1));
      files++;
      return block;
    }

    private byte[] header(String name, char type, String mode, long size, int length) {
      byte[] block = new byte[length];
      put(block, 0, name);
      put(block, 100, mode + "\0" + "0000000\0" + "0000000\0");
      put(block, 124, String.format("%011o", size));
      put(block, 136, "14524770400");
      put(block, 148, "        " + type);
      put(block, 257, "ustar\00000");
      int sum = 0;
      for (int i = 0; i < TAR_BLOCK; i++) {
        sum += block[i] & 0xff;
      }
      put(block, 148, String.format("%06o\0", sum));
      return block;
    }

    private static void put(byte[] block, int offset, String text) {
      byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
      System.arraycopy(bytes, 0, block, offset, bytes.length);
    }

    /** A deflate block that holds its content as it is. */
    private byte[] stored(byte[] content, boolean last) {
      count(content);
      return ByteBuffer.allocate(5 + content.length)
          .order(ByteOrder.LITTLE_ENDIAN)
          .put((byte) (last ? 1 : 0))
          .putShort((short) content.length)
          .putShort((short) ~content.length)
          .put(content)
          .array();
    }

    private byte[] end() {
      byte[] block = stored(new byte[2 * TAR_BLOCK], true);
      return ByteBuffer.allocate(block.length + 8)
          .order(ByteOrder.LITTLE_ENDIAN)
          .put(block)
          .putInt((int) crc.getValue())
          .putInt((int) written)
          .array();
    }

    private void count(byte[] content) {
      written += content.length;
      crc.update(content);
      if (tar != null) {
        tar.update(content);
      }
    }
  }

  @Override
  public String toString() {
    long bytes = Arrays.stream(plain).mapToLong(b -> b.length).sum();
    long small = Arrays.stream(packed).mapToLong(b -> b.length).sum();
    return String.format(
        "synthetic layer, seed %d, compressed to %.2f", seed, (double) small / bytes);
  }
}
