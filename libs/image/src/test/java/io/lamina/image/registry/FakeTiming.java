package io.lamina.image.registry;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;

/** Time that only moves when told; waits are written down instead of waited for. */
final class FakeTiming {
  final List<Duration> waits = new CopyOnWriteArrayList<>();
  private volatile Instant now = Instant.parse("2026-01-02T03:04:05Z");

  Timing timing() {
    return new Timing(
        new Clock() {
          @Override
          public ZoneId getZone() {
            return ZoneOffset.UTC;
          }

          @Override
          public Clock withZone(ZoneId zone) {
            return this;
          }

          @Override
          public Instant instant() {
            return now;
          }
        },
        new Random(1),
        waits::add);
  }

  void advance(Duration duration) {
    now = now.plus(duration);
  }
}
