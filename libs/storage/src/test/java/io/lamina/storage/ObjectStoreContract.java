package io.lamina.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.storage.ObjectStore.PutOutcome;
import io.lamina.storage.ObjectStore.Stat;
import io.lamina.storage.ObjectStore.Version;
import io.lamina.storage.ObjectStore.Versioned;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link ObjectStore} does. */
@SuppressWarnings("NullAway.Init")
abstract class ObjectStoreContract {
  private static final int LARGE = 7 << 20;

  ObjectStore store;

  /** An empty store; called before each test. */
  abstract ObjectStore openEmpty() throws Exception;

  @BeforeEach
  final void openStore() throws Exception {
    store = openEmpty();
  }

  @AfterEach
  final void closeStore() {
    if (store != null) { // a skipped test has none
      store.close();
    }
  }

  static ObjectKey key(String value) {
    return new ObjectKey(value);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] random(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** A content that cannot be used as an array. */
  static Content streaming(byte[] bytes, long promised) {
    return new Content() {
      @Override
      public long sizeBytes() {
        return promised;
      }

      @Override
      public InputStream open() {
        return new ByteArrayInputStream(bytes);
      }
    };
  }

  List<Stat> listed(String prefix) {
    List<Stat> stats = new ArrayList<>();
    store.list(prefix, stats::add);
    return stats;
  }

  @Test
  void givesBackWhatWasStored() throws IOException {
    ObjectKey key = key("data/ab/cdef");

    assertThat(store.putIfAbsent(key, Content.of(bytes("content")))).isEqualTo(PutOutcome.STORED);

    assertThat(store.read(key, 100)).isEqualTo(bytes("content"));
    try (InputStream in = store.open(key)) {
      assertThat(in.readAllBytes()).isEqualTo(bytes("content"));
    }
    assertThat(store.head(key))
        .hasValueSatisfying(
            stat -> {
              assertThat(stat.key()).isEqualTo(key);
              assertThat(stat.sizeBytes()).isEqualTo(7);
              assertThat(stat.modifiedSeconds()).isPositive();
            });
  }

  @Test
  void storesARangeOfAnArray() {
    store.putIfAbsent(key("data/00/range"), Content.of(bytes("0123456789"), 3, 4));

    assertThat(store.read(key("data/00/range"), 100)).isEqualTo(bytes("3456"));
  }

  @Test
  void storesTheEmptyObject() {
    store.putIfAbsent(key("data/e3/empty"), Content.of(new byte[0]));

    assertThat(store.read(key("data/e3/empty"), 0)).isEmpty();
    assertThat(store.head(key("data/e3/empty")).orElseThrow().sizeBytes()).isZero();
  }

  @Test
  void storesALargeStream() throws IOException {
    byte[] large = random(LARGE, 1);

    store.putIfAbsent(key("data/ff/large"), streaming(large, LARGE));

    assertThat(store.read(key("data/ff/large"), LARGE)).isEqualTo(large);
  }

  @Test
  void keepsTheFirstOfTwoObjectsUnderOneKey() {
    ObjectKey key = key("data/aa/first");
    store.putIfAbsent(key, Content.of(bytes("first")));

    assertThat(store.putIfAbsent(key, Content.of(bytes("other"))))
        .isEqualTo(PutOutcome.ALREADY_PRESENT);

    assertThat(store.read(key, 100)).isEqualTo(bytes("first"));
  }

  @Test
  void removesAnObjectOnlyIfItIsOlderThanSaid() {
    ObjectKey key = key("data/aa/old");
    store.putIfAbsent(key, Content.of(bytes("content")));
    long written = store.head(key).orElseThrow().modifiedSeconds();

    assertThat(store.deleteIfOlder(key, written)).isFalse();
    assertThat(store.read(key, 100)).isEqualTo(bytes("content"));
    assertThat(store.deleteIfOlder(key, written + 1)).isTrue();
    assertThat(store.head(key)).isEmpty();
    assertThat(store.deleteIfOlder(key, written + 1)).isFalse();
    assertThat(store.putIfAbsent(key, Content.of(bytes("content")))).isEqualTo(PutOutcome.STORED);
  }

  @Test
  void refusesAContentOfAnotherLengthThanPromised() {
    ObjectKey key = key("data/bb/length");

    assertThatThrownBy(() -> store.putIfAbsent(key, streaming(bytes("short"), 6)))
        .isInstanceOf(StorageException.Corrupt.class)
        .hasMessageContaining("data/bb/length")
        .hasMessageContaining("6");
    assertThatThrownBy(() -> store.putIfAbsent(key, streaming(bytes("too long"), 6)))
        .isInstanceOf(StorageException.Corrupt.class);

    assertThat(store.head(key)).isEmpty();
  }

  @Test
  void leavesNothingOfAContentThatBreaksOff() {
    ObjectKey key = key("data/cc/broken");
    Content breaking =
        new Content() {
          @Override
          public long sizeBytes() {
            return LARGE;
          }

          @Override
          public InputStream open() {
            return new InputStream() {
              private int left = LARGE / 2;

              @Override
              public int read() throws IOException {
                if (left-- <= 0) {
                  throw new IOException("connection reset");
                }
                return 1;
              }
            };
          }
        };

    assertThatThrownBy(() -> store.putIfAbsent(key, breaking))
        .isInstanceOf(StorageException.Retryable.class)
        .hasMessageContaining("data/cc/broken");

    assertThat(store.head(key)).isEmpty();
    assertThat(listed("")).isEmpty();
    assertThat(store.putIfAbsent(key, Content.of(bytes("whole")))).isEqualTo(PutOutcome.STORED);
  }

  @Test
  void saysWhenThereIsNoSuchFile() {
    ObjectKey key = key("data/dd/absent");

    assertThat(store.head(key)).isEmpty();
    assertThat(store.readMutable(key, 10)).isEmpty();
    assertThat(store.delete(key)).isFalse();
    assertThatThrownBy(() -> store.open(key).close())
        .isInstanceOf(StorageException.NotFound.class)
        .hasMessageContaining("data/dd/absent");
    assertThatThrownBy(() -> store.read(key, 10)).isInstanceOf(StorageException.NotFound.class);
  }

  @Test
  void readsNoMoreThanAllowed() {
    ObjectKey key = key("data/ee/bounded");
    store.putIfAbsent(key, Content.of(bytes("12345")));

    assertThat(store.read(key, 5)).hasSize(5);
    assertThatThrownBy(() -> store.read(key, 4))
        .isInstanceOf(StorageException.Exhausted.class)
        .hasMessageContaining("4 bytes");
    assertThatThrownBy(() -> store.readMutable(key, 4))
        .isInstanceOf(StorageException.Exhausted.class);
  }

  @Test
  void listsByPlainPrefix() {
    for (String name :
        List.of("data/ab/1", "data/ab/12", "data/ac/1", "dat", ".cvmfspublished", "data2/x")) {
      store.putIfAbsent(key(name), Content.of(bytes(name)));
    }

    assertThat(listed("").stream().map(s -> s.key().value()))
        .containsExactlyInAnyOrder(
            "data/ab/1", "data/ab/12", "data/ac/1", "dat", ".cvmfspublished", "data2/x");
    assertThat(listed("data/a").stream().map(s -> s.key().value()))
        .containsExactlyInAnyOrder("data/ab/1", "data/ab/12", "data/ac/1");
    assertThat(listed("data/ab/1").stream().map(s -> s.key().value()))
        .containsExactlyInAnyOrder("data/ab/1", "data/ab/12");
    assertThat(listed("data/ab/12")).singleElement().extracting(Stat::sizeBytes).isEqualTo(10L);
    assertThat(listed("data/ab/").stream().map(s -> s.key().value()))
        .containsExactlyInAnyOrder("data/ab/1", "data/ab/12");
    assertThat(listed("nothing/")).isEmpty();
  }

  @Test
  void listsMoreThanOnePage() {
    IntStream.range(0, 1100)
        .parallel()
        .forEach(i -> store.putIfAbsent(key("many/%04d".formatted(i)), Content.of(bytes("x"))));

    assertThat(listed("many/")).hasSize(1100).doesNotHaveDuplicates();
  }

  @Test
  void deletesAFile() {
    ObjectKey key = key("data/a0/gone");
    store.putIfAbsent(key, Content.of(bytes("x")));

    assertThat(store.delete(key)).isTrue();
    assertThat(store.head(key)).isEmpty();
    assertThat(store.delete(key)).isFalse();
    assertThat(store.putIfAbsent(key, Content.of(bytes("y")))).isEqualTo(PutOutcome.STORED);
  }

  @Test
  void takesUnusualKeys() {
    for (String name : List.of("a b/ü+%20&=?#;", ".hidden/..x", "x".repeat(200) + "/y")) {
      store.putIfAbsent(key(name), Content.of(bytes(name)));

      assertThat(store.read(key(name), 1000)).isEqualTo(bytes(name));
      assertThat(listed("").stream().map(s -> s.key().value())).contains(name);
      assertThat(store.delete(key(name))).isTrue();
    }
  }

  @Test
  void flushesWhatWasStored() {
    store.flush();
    for (int i = 0; i < 20; i++) {
      store.putIfAbsent(key("data/0" + i % 4 + "/" + i), Content.of(random(1000, i)));
    }

    store.flush();

    assertThat(listed("data/")).hasSize(20);
  }

  @Test
  void createsAMutableFileOnlyIfItIsAbsent() {
    ObjectKey key = key(".cvmfspublished");

    Version version = store.swap(key, Optional.empty(), bytes("one"));

    assertThat(store.readMutable(key, 100))
        .hasValueSatisfying(
            found -> {
              assertThat(found.bytes()).isEqualTo(bytes("one"));
              assertThat(found.version()).isEqualTo(version);
            });
    assertThatThrownBy(() -> store.swap(key, Optional.empty(), bytes("two")))
        .isInstanceOf(StorageException.Conflict.class)
        .hasMessageContaining(".cvmfspublished");
    assertThat(store.read(key, 100)).isEqualTo(bytes("one"));
  }

  @Test
  void replacesAMutableFileOnlyAtTheExpectedVersion() {
    ObjectKey key = key("pub/latest");
    Version first = store.swap(key, Optional.empty(), bytes("one"));
    Version second = store.swap(key, Optional.of(first), bytes("two, longer"));

    assertThatThrownBy(() -> store.swap(key, Optional.of(first), bytes("late")))
        .isInstanceOf(StorageException.Conflict.class);
    assertThat(store.read(key, 100)).isEqualTo(bytes("two, longer"));
    Version third = store.swap(key, Optional.of(second), bytes("3"));
    assertThat(store.readMutable(key, 100).map(Versioned::version)).contains(third);
    assertThat(store.read(key, 100)).isEqualTo(bytes("3"));
  }

  @Test
  void refusesToReplaceAFileThatIsGone() {
    ObjectKey key = key("pub/gone");
    Version version = store.swap(key, Optional.empty(), bytes("one"));
    store.delete(key);

    assertThatThrownBy(() -> store.swap(key, Optional.of(version), bytes("two")))
        .isInstanceOf(StorageException.Conflict.class);
    assertThat(store.head(key)).isEmpty();
  }

  @Test
  void letsExactlyOneOfManySwapsWinEachRound() throws Exception {
    ObjectKey key = key("pub/contended");
    int writers = 8;
    int rounds = 10;
    CyclicBarrier barrier = new CyclicBarrier(writers);
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int round = 0; round < rounds; round++) {
        Optional<Version> before = store.readMutable(key, 100).map(Versioned::version);
        List<Future<Boolean>> results = new ArrayList<>();
        for (int writer = 0; writer < writers; writer++) {
          byte[] bytes = bytes("round " + round + " writer " + writer);
          Callable<Boolean> swap =
              () -> {
                barrier.await();
                try {
                  store.swap(key, before, bytes);
                  return true;
                } catch (StorageException.Conflict e) {
                  return false;
                }
              };
          results.add(executor.submit(swap));
        }
        int winners = 0;
        int winner = -1;
        for (int writer = 0; writer < writers; writer++) {
          if (results.get(writer).get()) {
            winners++;
            winner = writer;
          }
        }
        assertThat(winners).isEqualTo(1);
        assertThat(store.read(key, 100)).isEqualTo(bytes("round " + round + " writer " + winner));
      }
    }
  }

  @Test
  void keepsOneWholeObjectOfManyWritersAtOnce() throws Exception {
    ObjectKey key = key("data/77/contended");
    byte[] content = random(300_000, 5);
    int writers = 8;
    CyclicBarrier barrier = new CyclicBarrier(writers);
    List<Future<PutOutcome>> results = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < writers; i++) {
        Callable<PutOutcome> put =
            () -> {
              barrier.await();
              return store.putIfAbsent(key, streaming(content, content.length));
            };
        results.add(executor.submit(put));
      }
    }

    int stored = 0;
    for (Future<PutOutcome> result : results) {
      stored += result.get() == PutOutcome.STORED ? 1 : 0;
    }
    assertThat(stored).isEqualTo(1);
    assertThat(store.read(key, 300_000)).isEqualTo(content);
  }
}
