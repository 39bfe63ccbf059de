package io.lamina.cvmfs.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.Compression.Engine;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
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
import org.junit.jupiter.params.provider.ValueSource;

class ObjectCompressorTest {
  private static final byte[] HELLO = "hello\n".getBytes(StandardCharsets.US_ASCII);

  static Stream<Compression> everyAvailableCompression() {
    return Arrays.stream(Engine.values())
        .filter(Engine::isAvailable)
        .flatMap(
            engine ->
                IntStream.of(1, 2, 3, 6, 9)
                    .filter(level -> level <= engine.maxLevel())
                    .mapToObj(level -> new Compression(engine, level)));
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
    assertThat(identity).matches("(isal|jdk|libdeflate)-" + compression.level() + "-[0-9a-f]{8}");
  }

  @ParameterizedTest
  @CsvSource({"isal-1, ISAL, 1", "isal, ISAL, 2", "libdeflate-12, LIBDEFLATE, 12", "jdk-6, JDK, 6"})
  void readsWhatAnOperatorWrites(String text, Engine engine, int level) {
    assertThat(Compression.parse(text)).isEqualTo(new Compression(engine, level));
    assertThat(Compression.parse(Compression.parse(text).toString()))
        .isEqualTo(new Compression(engine, level));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "gzip", "isal-3", "jdk-0", "jdk-", "libdeflate-x", "jdk-6-1"})
  void refusesOtherWords(String text) {
    assertThatThrownBy(() -> Compression.parse(text)).isInstanceOf(CvmfsException.Rejected.class);
  }

  @ParameterizedTest
  @CsvSource({"ISAL, libisal.so.2", "LIBDEFLATE, libdeflate.so.0"})
  void usesTheLibraryWhereItIsInstalled(Engine engine, String library) {
    boolean installed = true;
    try {
      SymbolLookup.libraryLookup(library, Arena.global());
    } catch (IllegalArgumentException e) {
      installed = false;
    }

    assertThat(engine.isAvailable()).isEqualTo(installed);
  }

  @Test
  void choosesTheFastestThatIsThere() {
    Engine first =
        Arrays.stream(Engine.values()).filter(Engine::isAvailable).findFirst().orElseThrow();

    assertThat(Compression.parse("fastest"))
        .isEqualTo(Compression.byDefault())
        .isEqualTo(new Compression(first, first.defaultLevel()));
  }

  /** The length that the library writes for content that does not shrink has its own bound. */
  @Test
  void isalKeepsNoiseWithinItsBound() {
    assumeTrue(Engine.ISAL.isAvailable(), "libisal.so.2 is not installed");
    byte[] noise = new byte[5 << 20];
    new Random(3).nextBytes(noise);

    for (int level = 1; level <= 2; level++) {
      try (ObjectCompressor compressor = new Compression(Engine.ISAL, level).newCompressor()) {
        for (int length : new int[] {1, 1000, 65_535, 65_536, 1_000_003, noise.length}) {
          CompressedObject object = compressor.compress(noise, 0, length, HashAlgorithm.SHA1);

          assertThat(Decompression.inflateExactly(object.bytes(), length))
              .isEqualTo(Arrays.copyOf(noise, length));
        }
      }
    }
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
