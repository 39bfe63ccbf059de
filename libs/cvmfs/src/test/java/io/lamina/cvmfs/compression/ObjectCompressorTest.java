package io.lamina.cvmfs.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.Compression.Engine;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ObjectCompressorTest {
  private static final byte[] HELLO = "hello\n".getBytes(StandardCharsets.US_ASCII);

  static Stream<Compression> everyAvailableCompression() {
    return Arrays.stream(Engine.values())
        .filter(Engine::isAvailable)
        .flatMap(
            engine -> IntStream.of(1, 3, 6, 9).mapToObj(level -> new Compression(engine, level)));
  }

  @ParameterizedTest
  @MethodSource("everyAvailableCompression")
  void givesBackTheContentOfEveryLength(Compression compression) {
    Random random = new Random(compression.hashCode() % 1000);
    int[] lengths = {1, 2, 100, 65_536, 1 << 20, (1 << 20) + 1};

    try (ObjectCompressor compressor = compression.newCompressor()) {
      for (int length : lengths) {
        byte[] content = halfNoise(random, length + 10);
        CompressedObject object = compressor.compress(content, 5, length, HashAlgorithm.SHA1);

        assertThat(Decompression.inflateExactly(object.bytes(), length))
            .isEqualTo(Arrays.copyOfRange(content, 5, 5 + length));
        assertThat(object.hash())
            .isEqualTo(CompressedObject.ofStored(object.bytes(), HashAlgorithm.SHA1).hash());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("everyAvailableCompression")
  void givesOneCanonicalObjectForEmptyContent(Compression compression) {
    try (ObjectCompressor compressor = compression.newCompressor()) {
      CompressedObject object = compressor.compress(new byte[0], HashAlgorithm.SHA1);

      assertThat(object.bytes()).isEqualTo(HexFormat.of().parseHex("789c030000000001"));
      assertThat(object.hash()).hasToString("e8ec3d88b62ebf526e4e5a4ff6162a3aa48a6b78");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SHA1, e8ec3d88b62ebf526e4e5a4ff6162a3aa48a6b78",
    "RIPEMD160, fcdb20b894f31f1306d56294c049ca7293dde0fc-rmd160",
    "SHAKE128, 28d94b83b7229b331fc601362b8e272e02665122-shake128"
  })
  void namesTheEmptyObjectInEveryAlgorithm(HashAlgorithm algorithm, String name) {
    assertThat(CompressedObject.empty(algorithm).hash()).hasToString(name);
  }

  @ParameterizedTest
  @CsvSource({
    "SHA1, 5798f7f4ca7585d850eea64610a1f73d8f8de7a3",
    "RIPEMD160, 92e6eb3559a98184aefdab5f76286027aa83bfb0-rmd160",
    "SHAKE128, 9771532cda37f736dff5b6609ddae2f44c6407f2-shake128"
  })
  void compressesHelloAsZlibDoesAtLevelSix(HashAlgorithm algorithm, String name) {
    try (ObjectCompressor compressor = new Compression(Engine.JDK, 6).newCompressor()) {
      CompressedObject object = compressor.compress(HELLO, algorithm);

      assertThat(object.bytes()).isEqualTo(HexFormat.of().parseHex("789ccb48cdc9c9e70200084b021f"));
      assertThat(object.hash()).hasToString(name);
      assertThat(ReferenceZlib.compress(HELLO, algorithm).bytes()).isEqualTo(object.bytes());
    }
  }

  @Test
  void placesObjectsWhereClientsLookForThem() {
    CompressedObject hello = ReferenceZlib.compress(HELLO, HashAlgorithm.SHA1);
    CompressedObject chunk = ReferenceZlib.compress(HELLO, HashAlgorithm.SHAKE128);

    assertThat(ObjectKind.FILE.pathOf(hello.hash()))
        .isEqualTo("data/57/98f7f4ca7585d850eea64610a1f73d8f8de7a3");
    assertThat(ObjectKind.CHUNK.pathOf(chunk.hash()))
        .isEqualTo("data/97/71532cda37f736dff5b6609ddae2f44c6407f2-shake128P");
  }

  @Test
  void theReferenceCompressorPassesItsSelfTest() {
    ReferenceZlib.requireReferenceZlib();

    byte[] probe = ProbeText.bytes();
    assertThat(CompressedObject.ofStored(probe, HashAlgorithm.SHA1).hash())
        .hasToString("5e6a1a1ec6558d50d116a37296e4396a7b7a3baf");
    assertThat(ReferenceZlib.compress(probe, HashAlgorithm.SHA1).hash())
        .hasToString("f83e00dd1ebbcfbe9f685df68f0f55e5557537d3");
  }

  @ParameterizedTest
  @EnumSource(Engine.class)
  void refusesLevelsThatTheEngineLacks(Engine engine) {
    assertThatThrownBy(() -> new Compression(engine, engine.maxLevel() + 1))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("1.." + engine.maxLevel());
    assertThatThrownBy(() -> new Compression(engine, 0))
        .isInstanceOf(CvmfsException.Rejected.class);
  }

  @ParameterizedTest
  @MethodSource("everyAvailableCompression")
  void identitySaysWhatMakesTheBytes(Compression compression) {
    String identity = compression.identity();

    assertThat(identity).isEqualTo(compression.identity());
    assertThat(identity).matches("(jdk|libdeflate)-" + compression.level() + "-[0-9a-f]{8}");
  }

  @ParameterizedTest
  @MethodSource("everyAvailableCompression")
  void threadsThatShareACompressorGetTheBytesOfOne(Compression compression) throws Exception {
    List<byte[]> contents = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      contents.add(halfNoise(new Random(i), 1000 + i * 80_000));
    }

    try (ObjectCompressor shared = compression.newCompressor();
        ObjectCompressor own = compression.newCompressor();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<CompressedObject>> running =
          contents.stream()
              .map(content -> threads.submit(() -> shared.compress(content, HashAlgorithm.SHA1)))
              .toList();

      for (int i = 0; i < contents.size(); i++) {
        assertThat(running.get(i).get().bytes())
            .isEqualTo(own.compress(contents.get(i), HashAlgorithm.SHA1).bytes());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Engine.class)
  void refusesWorkOnceClosed(Engine engine) {
    if (!engine.isAvailable()) {
      assertThatThrownBy(() -> new Compression(engine, 1).newCompressor())
          .hasMessageContaining("install");
      return;
    }
    ObjectCompressor compressor = new Compression(engine, 1).newCompressor();
    compressor.compress(HELLO, HashAlgorithm.SHA1);

    compressor.close();

    assertThatThrownBy(() -> compressor.compress(HELLO, HashAlgorithm.SHA1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  private static byte[] halfNoise(Random random, int length) {
    byte[] content = new byte[length];
    for (int i = 0; i < length; i++) {
      boolean noise = (i >> 8) % 2 == 0;
      content[i] = (byte) (noise ? random.nextInt() : i % 13);
    }
    return content;
  }
}
