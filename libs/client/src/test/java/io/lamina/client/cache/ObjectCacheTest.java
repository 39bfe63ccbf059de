package io.lamina.client.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.client.failure.ClientException;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ObjectCacheTest {
  private static final long MIB = 1 << 20;
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-11-22T12:00:00Z"), ZoneOffset.UTC);

  @TempDir Path folder;

  @Test
  void fetchesAnObjectOnceAndKeepsItOverARestart() throws Exception {
    AtomicInteger fetches = new AtomicInteger();
    try (ObjectCache cache = open(MIB)) {
      assertThat(read(cache, 1, 5000, fetches)).isEqualTo(content(1, 5000));
      assertThat(read(cache, 1, 5000, fetches)).isEqualTo(content(1, 5000));
    }

    try (ObjectCache cache = open(MIB)) {
      assertThat(read(cache, 1, 5000, fetches)).isEqualTo(content(1, 5000));
      assertThat(cache.statistics().objects()).isEqualTo(1);
      assertThat(cache.statistics().usedBytes()).isEqualTo(8192);
    }
    assertThat(fetches).hasValue(1);
  }

  @Test
  void manyReadersAtOnceFetchAnObjectOnce() throws Exception {
    AtomicInteger fetches = new AtomicInteger();
    CountDownLatch isFetching = new CountDownLatch(1);
    CountDownLatch goesOn = new CountDownLatch(1);
    try (ObjectCache cache = open(MIB);
        ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<byte[]>> results = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        results.add(
            readers.submit(
                () -> {
                  try (CachedObject object =
                      cache.acquire(
                          key(7),
                          3000,
                          target -> {
                            fetches.incrementAndGet();
                            isFetching.countDown();
                            await(goesOn);
                            target.write(content(7, 3000));
                          })) {
                    return object.stream().readAllBytes();
                  }
                }));
      }
      isFetching.await();
      goesOn.countDown();

      for (Future<byte[]> result : results) {
        assertThat(result.get()).isEqualTo(content(7, 3000));
      }
      assertThat(fetches).hasValue(1);
      assertThat(cache.statistics().objectsInUse()).isZero();
    }
  }

  @Test
  void aFailedFetchLeavesNothingAndTheNextOneSucceeds() throws Exception {
    try (ObjectCache cache = open(MIB)) {
      assertThatThrownBy(
              () ->
                  cache.acquire(
                      key(1),
                      10,
                      target -> {
                        target.write(new byte[5]);
                        throw new CvmfsException.Corrupt("half of it is wrong");
                      }))
          .isInstanceOf(CvmfsException.Corrupt.class);

      assertThat(cache.statistics().usedBytes()).isZero();
      assertThat(files("tmp")).isEmpty();
      assertThat(read(cache, 1, 10, new AtomicInteger())).isEqualTo(content(1, 10));
    }
  }

  @Test
  void evictsWhatWasNotUsedForLongest() throws Exception {
    AtomicInteger fetches = new AtomicInteger();
    try (ObjectCache cache = open(MIB)) {
      for (int i = 0; i < 10; i++) {
        read(cache, i, 100_000, fetches);
      }
      read(cache, 0, 100_000, fetches);
      assertThat(fetches).hasValue(10);

      read(cache, 10, 100_000, fetches);

      assertThat(cache.find(key(1))).isEmpty();
      assertThat(read(cache, 0, 100_000, fetches)).isEqualTo(content(0, 100_000));
      assertThat(fetches).hasValue(11);
      assertThat(cache.statistics().usedBytes()).isLessThanOrEqualTo(MIB);
      assertThat(cache.statistics().evictions()).isPositive();
    }
    assertThat(diskBytes()).isLessThanOrEqualTo(MIB);
  }

  @Test
  void theOrderOfUsesOutlivesTheProcess() throws Exception {
    try (ObjectCache cache = open(MIB)) {
      for (int i = 0; i < 9; i++) {
        read(cache, i, 100_000, new AtomicInteger());
      }
    }
    for (Path file : files("objects")) {
      Instant used =
          file.getFileName().toString().startsWith(key(3).fileName())
              ? CLOCK.instant()
              : CLOCK.instant().minusSeconds(1000);
      Files.setLastModifiedTime(file, FileTime.from(used));
    }

    try (ObjectCache cache = open(MIB)) {
      read(cache, 20, 200_000, new AtomicInteger());
      read(cache, 21, 200_000, new AtomicInteger());
      cache.awaitScan();

      assertThat(cache.statistics().evictions()).isPositive();
      cache.find(key(3)).orElseThrow().close();
    }
  }

  @Test
  void neverEvictsWhatIsInUse() throws Exception {
    try (ObjectCache cache = open(MIB);
        CachedObject used = cache.acquire(key(1), 600_000, source(1, 600_000))) {
      assertThatThrownBy(() -> cache.acquire(key(2), 600_000, source(2, 600_000)))
          .isInstanceOf(ClientException.Exhausted.class)
          .hasMessageContaining("no room in the cache")
          .hasMessageContaining("give the cache more room");

      assertThat(used.stream().readAllBytes()).isEqualTo(content(1, 600_000));
      assertThat(cache.statistics().usedBytes()).isLessThanOrEqualTo(MIB);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"changed", "shorter", "longer", "empty"})
  void fetchesAgainWhatIsDamagedOnDisk(String damage) throws Exception {
    AtomicInteger fetches = new AtomicInteger();
    try (ObjectCache cache = open(MIB)) {
      read(cache, 1, 5000, fetches);
    }
    Path file = files("objects").getFirst();
    byte[] content = Files.readAllBytes(file);
    Files.write(
        file,
        switch (damage) {
          case "changed" -> {
            content[4321] ^= 1;
            yield content;
          }
          case "shorter" -> Arrays.copyOf(content, 4999);
          case "longer" -> Arrays.copyOf(content, 5001);
          default -> new byte[0];
        });

    try (ObjectCache cache = open(MIB)) {
      assertThat(read(cache, 1, 5000, fetches)).isEqualTo(content(1, 5000));
      assertThat(cache.statistics().objects()).isEqualTo(1);
    }
    assertThat(fetches).hasValue(2);
  }

  @Test
  void whatAProcessLeftHalfDoneIsRemoved() throws Exception {
    open(MIB).close();
    Files.write(folder.resolve("tmp").resolve("17"), new byte[1000]);
    Path shard = Files.createDirectories(folder.resolve("objects").resolve("ab"));
    Files.write(shard.resolve("not an object"), new byte[10]);

    try (ObjectCache cache = open(MIB)) {
      assertThat(files("tmp")).isEmpty();
      assertThat(read(cache, 1, 10, new AtomicInteger())).isEqualTo(content(1, 10));
      assertThat(cache.statistics().objects()).isEqualTo(1);
    }
  }

  @Test
  void anObjectThatSomebodyRemovedIsFetchedAgain() throws Exception {
    AtomicInteger fetches = new AtomicInteger();
    try (ObjectCache cache = open(MIB)) {
      read(cache, 1, 5000, fetches);
      Files.delete(files("objects").getFirst());

      assertThat(read(cache, 1, 5000, fetches)).isEqualTo(content(1, 5000));
      assertThat(cache.statistics().usedBytes()).isEqualTo(8192);
    }
    assertThat(fetches).hasValue(2);
  }

  @Test
  void refusesAnObjectOfAnotherLengthThanTheCatalogSays() throws Exception {
    try (ObjectCache cache = open(MIB)) {
      read(cache, 1, 5000, new AtomicInteger());

      assertThatThrownBy(() -> cache.acquire(key(1), 4000, source(1, 5000)))
          .isInstanceOf(CvmfsException.Corrupt.class)
          .hasMessageContaining("has 5000 bytes of content, its catalog says 4000");
      assertThat(cache.statistics().objectsInUse()).isZero();
    }
  }

  @Test
  void aStoredFormNeverStandsForTheContent() throws Exception {
    ObjectKey content = key(1);
    ObjectKey stored = new ObjectKey(content.hash(), content.kind(), CompressionAlgorithm.NONE);
    try (ObjectCache cache = open(MIB)) {
      cache.acquire(stored, 10, source(5, 10)).close();

      assertThat(cache.find(content)).isEmpty();
      assertThat(read(cache, 1, 10, new AtomicInteger())).isEqualTo(content(1, 10));
    }
    try (ObjectCache cache = open(MIB);
        CachedObject kept = cache.find(stored).orElseThrow()) {
      assertThat(kept.stream().readAllBytes()).isEqualTo(content(5, 10));
    }
  }

  @Test
  void onlyOneClientUsesAFolder() {
    try (ObjectCache first = open(MIB)) {
      assertThat(first.statistics().objects()).isZero();
      assertThatThrownBy(() -> open(MIB))
          .isInstanceOf(ClientException.Rejected.class)
          .hasMessageContaining("is in use by another client");
    }
    open(MIB).close();
  }

  @Test
  void refusesACacheWithoutRoom() {
    assertThatThrownBy(() -> open(1000))
        .isInstanceOf(ClientException.Rejected.class)
        .hasMessageContaining("too small");
  }

  @Test
  void holdsItsBoundWhileManyReadersReadMoreThanFits() throws Exception {
    long seed = Long.getLong("lamina.test.seed", 42);
    AtomicInteger fetches = new AtomicInteger();
    try (ObjectCache cache = open(4 * MIB);
        ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> results = new ArrayList<>();
      for (int reader = 0; reader < 8; reader++) {
        Random random = new Random(seed + reader);
        results.add(
            readers.submit(
                () -> {
                  for (int i = 0; i < 60; i++) {
                    int number = random.nextInt(40);
                    int size = 50_000 + number * 5000;
                    assertThat(read(cache, number, size, fetches)).isEqualTo(content(number, size));
                    assertThat(cache.statistics().usedBytes()).isLessThan(5 * MIB);
                  }
                  return null;
                }));
      }
      for (Future<?> result : results) {
        result.get();
      }
      assertThat(cache.statistics().evictions()).as("seed %d", seed).isPositive();
      assertThat(cache.statistics().objectsInUse()).isZero();
      assertThat(diskBytes()).isLessThanOrEqualTo(4 * MIB);
    }
  }

  private ObjectCache open(long limitBytes) {
    return ObjectCache.open(folder, limitBytes, CLOCK);
  }

  private static byte[] read(ObjectCache cache, int number, int size, AtomicInteger fetches)
      throws IOException {
    try (CachedObject object =
        cache.acquire(
            key(number),
            size,
            target -> {
              fetches.incrementAndGet();
              target.write(content(number, size));
            })) {
      return object.stream().readAllBytes();
    }
  }

  private static ObjectCache.Source source(int number, int size) {
    return target -> target.write(content(number, size));
  }

  private static ObjectKey key(int number) {
    byte[] digest = ByteBuffer.allocate(20).putInt(number * 0x1234567).array();
    return ObjectKey.compressed(ContentHash.of(HashAlgorithm.SHA1, digest), ObjectKind.FILE);
  }

  private static byte[] content(int number, int size) {
    byte[] content = new byte[size];
    new Random(number).nextBytes(content);
    return content;
  }

  private List<Path> files(String below) throws IOException {
    try (Stream<Path> walk = Files.walk(folder.resolve(below))) {
      return walk.filter(Files::isRegularFile).toList();
    }
  }

  private long diskBytes() throws IOException {
    long bytes = 0;
    for (Path file : files("objects")) {
      bytes += Files.size(file);
    }
    return bytes;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
