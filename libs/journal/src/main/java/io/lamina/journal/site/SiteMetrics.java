package io.lamina.journal.site;

import io.lamina.messaging.Received;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What the following of one site tells; one label, the site's name here. Thread-safe.
 *
 * <p>Source: docs/sites.md, "How far behind".
 */
final class SiteMetrics {
  private final Counter transactions;
  private final Counter objects;
  private final Counter bytes;
  private final Counter unselected;
  private final Counter lost;
  private final AtomicLong recordsBehind = new AtomicLong();
  private final AtomicLong revisionsBehind = new AtomicLong();
  private final AtomicLong reachable = new AtomicLong(1);
  private volatile Instant lastWritten = Instant.EPOCH;

  SiteMetrics(MeterRegistry registry, String site, Clock clock) {
    Tags tags = Tags.of("site", site);
    transactions = registry.counter("site.transactions.followed", tags);
    objects = registry.counter("site.objects.copied", tags);
    bytes =
        Counter.builder("site.objects.copied.size").baseUnit("bytes").tags(tags).register(registry);
    unselected = registry.counter("site.images.unselected", tags);
    lost = registry.counter("site.transactions.incomplete", tags);
    Gauge.builder("site.lag.records", recordsBehind::get).tags(tags).register(registry);
    Gauge.builder("site.lag.revisions", revisionsBehind::get).tags(tags).register(registry);
    Gauge.builder("site.source.reachable", reachable::get).tags(tags).register(registry);
    Gauge.builder("site.lag.time", () -> lag(clock).toMillis() / 1000.0)
        .baseUnit("seconds")
        .tags(tags)
        .register(registry);
  }

  /** How old what is worked on is; nothing if all that came is done. */
  private Duration lag(Clock clock) {
    Instant written = lastWritten;
    return recordsBehind.get() == 0 || written.equals(Instant.EPOCH)
        ? Duration.ZERO
        : Duration.between(written, clock.instant());
  }

  void begin(Received record) {
    lastWritten = record.writtenAt();
  }

  void followed(Received record, Following.Outcome outcome) {
    lastWritten = record.writtenAt();
    transactions.increment();
    unselected.increment(outcome.unselected().size());
    if (!outcome.lost().isEmpty()) {
      lost.increment();
    }
  }

  void copied(long objectCount, long byteCount) {
    objects.increment(objectCount);
    bytes.increment(byteCount);
  }

  /** What there is to do, of all partitions. */
  void behind(long records, long revisions) {
    recordsBehind.set(records);
    revisionsBehind.set(revisions);
  }

  void reachable(boolean isReachable) {
    reachable.set(isReachable ? 1 : 0);
  }
}
