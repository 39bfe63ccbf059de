package io.lamina.converter.bench;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPOutputStream;

/**
 * A gzipped layer of any size that exists only while it is read. Blocks of words and of noise are
 * compressed once; each file is a fresh header, a line of its own and some of the blocks, each a
 * gzip member. The same seed and size give the same bytes.
 */
final class SyntheticLayer {
  private static final int BLOCKS = 48;
  private static final int BLOCK_BYTES = 256 << 10;
  private static final int TAR_BLOCK = 512;

  /** One block in sixteen does not compress, like the archives and pictures in images. */
  private static final int NOISE_BLOCK = 9;

  private static final int LARGE_EVERY = 100;
  private static final int LARGE_BLOCKS = 200;

  private final long seed;
  private final long minBytes;
  private final byte[][] packed = new byte[BLOCKS][];
  private final byte[][] plain = new byte[BLOCKS][];

  SyntheticLayer(long seed, long minBytes) {
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
      packed[b] = gzip(plain[b], 6);
    }
  }

  private static byte[] gzip(byte[] content, int level) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(content.length / 2 + 64);
    try (GZIPOutputStream gzip =
        new GZIPOutputStream(out) {
          {
            def.setLevel(level);
          }
        }) {
      gzip.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /** Runs through the layer once for its digests. */
  LayerDescriptor descriptor() throws IOException {
    MessageDigest blob = sha256();
    Stream stream = new Stream(sha256());
    byte[] buffer = new byte[1 << 18];
    long size = 0;
    for (int n = stream.read(buffer); n >= 0; n = stream.read(buffer)) {
      blob.update(buffer, 0, n);
      size += n;
    }
    return new LayerDescriptor(
        new Descriptor(
            "application/vnd.oci.image.layer.v1.tar+gzip", Digest.ofBytes(blob.digest()), size),
        Digest.ofBytes(stream.tar.digest()));
  }

  InputStream open() {
    return new Stream(null);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Members one after the other. */
  private final class Stream extends InputStream {
    private final Random random = new Random(seed + 1);
    private final MessageDigest tar;
    private byte[] member = new byte[0];
    private int position;
    private long written;
    private long files;
    private int blocksLeft;
    private int padding;
    private boolean ended;

    @SuppressWarnings("NullAway") // without a digest nobody asks for it
    Stream(@org.jspecify.annotations.Nullable MessageDigest tar) {
      this.tar = tar;
    }

    @Override
    public int read() {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      while (position == member.length) {
        if (ended) {
          return -1;
        }
        member = next();
        position = 0;
      }
      int n = Math.min(length, member.length - position);
      System.arraycopy(member, position, target, offset, n);
      position += n;
      return n;
    }

    private byte[] next() {
      if (blocksLeft > 0) {
        blocksLeft--;
        int b = blocksLeft % 2 == 0 && largeFile ? 0 : currentBlock;
        count(plain[b]);
        return packed[b];
      }
      if (padding > 0) {
        byte[] zeros = new byte[padding];
        padding = 0;
        return stored(zeros);
      }
      if (written >= minBytes) {
        ended = true;
        return stored(new byte[2 * TAR_BLOCK]);
      }
      return stored(header());
    }

    private boolean largeFile;
    private int currentBlock;

    private byte[] header() {
      byte[] line = ("file " + files + " of seed " + seed + "\n").getBytes(StandardCharsets.UTF_8);
      largeFile = files % LARGE_EVERY == LARGE_EVERY - 1;
      currentBlock = random.nextInt(BLOCKS);
      blocksLeft = largeFile ? LARGE_BLOCKS : 1;
      long size = line.length;
      for (int i = blocksLeft - 1; i >= 0; i--) {
        size += plain[i % 2 == 0 && largeFile ? 0 : currentBlock].length;
      }
      byte[] block = new byte[TAR_BLOCK + line.length];
      put(block, 0, "d" + files / 200 % 200 + "/f" + files);
      put(block, 100, "0000644\0" + "0000000\0" + "0000000\0");
      put(block, 124, String.format("%011o", size));
      put(block, 136, "14524770400");
      put(block, 148, "        0");
      put(block, 257, "ustar\00000");
      int sum = 0;
      for (int i = 0; i < TAR_BLOCK; i++) {
        sum += block[i] & 0xff;
      }
      put(block, 148, String.format("%06o\0", sum));
      System.arraycopy(line, 0, block, TAR_BLOCK, line.length);
      padding = (int) (-size & (TAR_BLOCK - 1));
      files++;
      return block;
    }

    private static void put(byte[] block, int offset, String text) {
      byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
      System.arraycopy(bytes, 0, block, offset, bytes.length);
    }

    private byte[] stored(byte[] content) {
      count(content);
      return gzip(content, 0);
    }

    private void count(byte[] content) {
      written += content.length;
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
