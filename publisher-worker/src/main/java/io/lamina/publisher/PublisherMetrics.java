package io.lamina.publisher;

import io.lamina.repository.Committed;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.TimeUnit;

/** Figures of all repositories of this process together. Thread-safe. */
final class PublisherMetrics {
  private final Timer time;
  private final Timer flush;
  private final Counter published;
  private final Counter unchanged;
  private final Counter changes;
  private final Counter conflicts;

  PublisherMetrics(MeterRegistry registry) {
    this.time = registry.timer("publish.transaction.duration");
    this.flush = registry.timer("publish.flush.duration");
    this.published = registry.counter("publish.transactions", "outcome", "published");
    this.unchanged = registry.counter("publish.transactions", "outcome", "unchanged");
    this.changes = registry.counter("publish.changes");
    this.conflicts = registry.counter("publish.conflicts");
  }

  void transaction(Committed committed) {
    time.record(committed.timings().total(), TimeUnit.NANOSECONDS);
    conflicts.increment(committed.timings().attempts() - 1.0);
    if (committed.isPublished()) {
      flush.record(committed.timings().flush(), TimeUnit.NANOSECONDS);
      published.increment();
      changes.increment(committed.effective().size());
    } else {
      unchanged.increment();
    }
  }
}
