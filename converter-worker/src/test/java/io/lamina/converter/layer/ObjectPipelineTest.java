package io.lamina.converter.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ObjectPipelineTest {
  private static final ChunkSizes CHUNKS = new ChunkSizes(1 << 18, 1 << 19, 1 << 20);

  private static PipelineSettings settings(int threads) {
    return new PipelineSettings(
        new Compression(Compression.Engine.JDK, 1),
        HashAlgorithm.SHA1,
        CHUNKS,
        threads,
        4 << 20,
        3);
  }

  /** Text of about a third of its size when compressed. */
  private static byte[] text(long seed, int bytes) {
    Random random = new Random(seed);
    byte[] text = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      text[i] = (byte) ('a' + random.nextInt(8));
    }
    return text;
  }

  private static byte[] noise(long seed, int bytes) {
    byte[] noise = new byte[bytes];
    new Random(seed).nextBytes(noise);
    return noise;
  }

  static byte[] restored(MemorySink sink, FileContent content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    switch (content) {
      case FileContent.Whole whole -> restore(sink, ObjectKind.FILE, whole, out);
      case FileContent.Pieces pieces ->
          pieces
              .pieces()
              .forEach(
                  piece -> {
                    assertThat(piece.offsetBytes()).isEqualTo(out.size());
                    restore(sink, ObjectKind.CHUNK, piece.object(), out);
                    assertThat(piece.offsetBytes() + piece.sizeBytes()).isEqualTo(out.size());
                  });
    }
    return out.toByteArray();
  }

  private static void restore(
      MemorySink sink, ObjectKind kind, FileContent.Whole object, ByteArrayOutputStream out) {
    byte[] stored = sink.object(kind, object.hash());
    if (object.compression() == CompressionAlgorithm.NONE) {
      out.writeBytes(stored);
      return;
    }
    Inflater inflater = new Inflater();
    inflater.setInput(stored);
    byte[] buffer = new byte[1 << 16];
    try {
      while (!inflater.finished()) {
        out.write(buffer, 0, inflater.inflate(buffer));
      }
    } catch (DataFormatException e) {
      throw new AssertionError(e);
    } finally {
      inflater.end();
    }
  }

  @Test
  void storesContentsOfAllSizesSoThatTheyComeBack() throws Exception {
    int[] sizes = {
      0, 1, 100, 1 << 14, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 700_000, 1 << 20, 5_000_000
    };
    List<byte[]> contents = new ArrayList<>();
    for (int size : sizes) {
      contents.add(text(size, size));
      contents.add(noise(size, size));
    }
    for (int threads = 1; threads <= 4; threads++) {
      MemorySink sink = new MemorySink();
      List<FileContent> stored = new ArrayList<>();
      try (ObjectPipeline pipeline = new ObjectPipeline(settings(threads));
          ObjectPipeline.Session session = pipeline.open(sink)) {
        for (byte[] content : contents) {
          stored.add(session.store(new ByteArrayInputStream(content), content.length));
        }
        ObjectPipeline.Figures figures = session.complete();

        assertThat(figures.newObjects()).isEqualTo(sink.count());
        assertThat(figures.newBytes()).isEqualTo(sink.bytes());
      }
      for (int i = 0; i < contents.size(); i++) {
        assertThat(restored(sink, stored.get(i))).isEqualTo(contents.get(i));
      }
      assertThat(stored.getLast()).isInstanceOf(FileContent.Pieces.class);
      assertThat(stored.getLast().compression()).isEqualTo(CompressionAlgorithm.NONE);
      assertThat(stored.get(stored.size() - 2).compression()).isEqualTo(CompressionAlgorithm.ZLIB);
    }
  }

  @Test
  void keepsFilesOfOnePieceWhole() throws Exception {
    MemorySink sink = new MemorySink();
    byte[] content = new byte[(1 << 18) + 10];

    try (ObjectPipeline pipeline = new ObjectPipeline(settings(2));
        ObjectPipeline.Session session = pipeline.open(sink)) {
      FileContent stored = session.store(new ByteArrayInputStream(content), content.length);
      session.complete();

      assertThat(stored).isInstanceOf(FileContent.Whole.class);
      assertThat(restored(sink, stored)).isEqualTo(content);
    }
  }

  @Test
  void countsEqualContentsOnce() throws Exception {
    MemorySink sink = new MemorySink();
    try (ObjectPipeline pipeline = new ObjectPipeline(settings(2));
        ObjectPipeline.Session session = pipeline.open(sink)) {
      for (int i = 0; i < 10; i++) {
        session.store(new ByteArrayInputStream(text(1, 1000)), 1000);
        session.store(new ByteArrayInputStream(new byte[0]), 0);
      }

      ObjectPipeline.Figures figures = session.complete();

      assertThat(figures.newObjects()).isEqualTo(2);
      assertThat(sink.count()).isEqualTo(2);
    }
  }

  @Test
  void passesOnTheFirstFailureOfTheSink() {
    MemorySink sink =
        new MemorySink() {
          @Override
          public boolean put(
              ObjectKind kind, ContentHash hash, byte[] bytes, int offset, int length) {
            throw new IllegalStateException("the disk is full");
          }
        };
    try (ObjectPipeline pipeline = new ObjectPipeline(settings(2))) {
      for (int round = 0; round < 5; round++) {
        try (ObjectPipeline.Session session = pipeline.open(sink)) {
          assertThatThrownBy(
                  () -> {
                    for (int i = 0; i < 100; i++) {
                      session.store(new ByteArrayInputStream(text(i, 300_000)), 300_000);
                    }
                    session.complete();
                  })
              .isInstanceOf(IllegalStateException.class)
              .hasMessage("the disk is full");
        }
      }
    }
  }

  @Test
  void givesAllBuffersBackWhenSessionsAreDropped() throws Exception {
    MemorySink sink = new MemorySink();
    try (ObjectPipeline pipeline = new ObjectPipeline(settings(2))) {
      // Four times the budget of buffers: the last ones would wait for ever if any were lost.
      for (int round = 0; round < 40; round++) {
        ObjectPipeline.Session session = pipeline.open(sink);
        session.store(new ByteArrayInputStream(text(round, 1000)), 1000);
        session.store(new ByteArrayInputStream(text(round, 400_000)), 400_000);
        assertThatThrownBy(() -> session.store(new ByteArrayInputStream(new byte[5]), 900_000))
            .hasMessageContaining("too early");
        session.close();
      }
      try (ObjectPipeline.Session session = pipeline.open(sink)) {
        session.store(new ByteArrayInputStream(text(1, 3_000_000)), 3_000_000);
        session.complete();
      }
    }
  }

  @Test
  void dropsWhatIsLeftWhenClosedEarly() throws Exception {
    MemorySink sink = new MemorySink();
    try (ObjectPipeline pipeline = new ObjectPipeline(settings(1))) {
      ObjectPipeline.Session session = pipeline.open(sink);
      session.store(new ByteArrayInputStream(text(1, 1000)), 1000);
      session.close();

      assertThat(sink.count()).isZero();
      assertThatThrownBy(() -> session.store(new ByteArrayInputStream(new byte[1]), 1))
          .isInstanceOf(CancellationException.class);
    }
  }

  /** Every byte value is as frequent as in noise, but sequences come again. */
  private static byte[] randomWords() {
    Random random = new Random(9);
    byte[] vocabulary = noise(9, 4096 * 8);
    byte[] content = new byte[1 << 18];
    for (int at = 0; at + 8 <= content.length; at += 8) {
      int word = (int) (random.nextDouble() * random.nextDouble() * 4096);
      System.arraycopy(vocabulary, 8 * word, content, at, 8);
    }
    return content;
  }

  @Test
  void tellsNoiseFromContentThatShrinks() {
    byte[] runs = noise(7, 1 << 16);
    for (int i = 0; i < runs.length; i += 2) {
      runs[i + 1] = runs[i];
    }

    assertThat(Entropy.isNoise(noise(1, 1 << 14), 0, 1 << 14)).isTrue();
    assertThat(Entropy.isNoise(noise(1, 1 << 13), 0, 1 << 13)).isFalse();
    assertThat(Entropy.isNoise(text(1, 1 << 16), 0, 1 << 16)).isFalse();
    assertThat(Entropy.isNoise(runs, 0, runs.length)).isFalse();
    assertThat(Entropy.isNoise(randomWords(), 0, 1 << 18)).isFalse();
    assertThat(Entropy.isNoise(new byte[1 << 20], 0, 1 << 20)).isFalse();
  }
}
