package io.lamina.cvmfs.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SeenSetTest {
  private static final long SEED = Long.getLong("lamina.test.seed", 20261122L);

  @Test
  void remembersWhatASetWould() {
    SeenSet seen = new SeenSet(1_000_000);
    Set<Integer> expected = new HashSet<>();
    Random random = new Random(SEED);
    for (int i = 0; i < 200_000; i++) {
      int key = random.nextInt(100_000);
      assertThat(seen.add(spread(key), spread(~key)))
          .as("key %d, seed %d", key, SEED)
          .isEqualTo(expected.add(key));
    }
    for (int key = 0; key < 100_000; key++) {
      assertThat(seen.contains(spread(key), spread(~key))).isEqualTo(expected.contains(key));
    }
  }

  @Test
  void tellsZeroFromAnEmptySlot() {
    SeenSet seen = new SeenSet(10);

    assertThat(seen.contains(0, 0)).isFalse();
    assertThat(seen.add(0, 0)).isTrue();
    assertThat(seen.add(0, 0)).isFalse();
    assertThat(seen.contains(0, 0)).isTrue();
  }

  @Test
  void forgetsNewKeysAtItsBoundButKeepsTheOldOnes() {
    SeenSet seen = new SeenSet(2);
    assertThat(seen.add(1, 1)).isTrue();
    assertThat(seen.add(2, 2)).isTrue();

    assertThat(seen.add(3, 3)).isTrue();
    assertThat(seen.add(3, 3)).isTrue();
    assertThat(seen.add(1, 1)).isFalse();
  }

  private static long spread(int key) {
    return key * 0x9e3779b97f4a7c15L;
  }
}
