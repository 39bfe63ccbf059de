package io.lamina.standalone.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

class ResourcesTest {
  @Test
  void countsTheWorkOfOtherThreadsAndTheMemoryThatIsHeld() throws InterruptedException {
    Resources resources = Resources.begin();
    byte[] held = new byte[32 << 20];
    Arrays.fill(held, (byte) 1);
    CRC32 crc = new CRC32();
    Thread worker =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (int i = 0; i < 50; i++) {
                    crc.update(held);
                  }
                });
    worker.join();

    Resources.Used used = resources.end();

    assertThat(crc.getValue()).isNotZero();
    assertThat(used.nanos()).isPositive();
    assertThat(used.cpuNanos()).isPositive();
    assertThat(used.peakHeapBytes()).isGreaterThan(32 << 20);
    assertThat(used.liveHeapBytes()).isPositive();
    used.peakResidentBytes().ifPresent(bytes -> assertThat(bytes).isGreaterThan(32 << 20));
  }

  @Test
  void beginsAnewEachTime() {
    Resources first = Resources.begin();
    byte[] dropped = new byte[48 << 20];
    Arrays.fill(dropped, (byte) 1);
    long before = first.end().peakHeapBytes();
    assertThat(dropped[5]).isEqualTo((byte) 1);
    dropped = new byte[0];

    long after = Resources.begin().end().peakHeapBytes();

    assertThat(before).isGreaterThan(48 << 20);
    assertThat(after).isLessThan(before - (24 << 20) + dropped.length);
  }
}
