package io.lamina.converter.work;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.event.Event.WorkProgress;
import io.lamina.messaging.event.WorkKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Thins out what jobs tell of their progress: the first word, then at most one in each interval,
 * and the last. Reports are for people; a sink that loses one does no harm. Thread-safe.
 */
final class ProgressReports {
  private final Consumer<WorkProgress> sink;
  private final Clock clock;
  private final Duration interval;

  /**
   * @param sink must not block for long and not throw
   */
  ProgressReports(Consumer<WorkProgress> sink, Clock clock, Duration interval) {
    this.sink = sink;
    this.clock = clock;
    this.interval = interval;
  }

  Job start(RepositoryName repository, WorkKey work) {
    return new Job(repository, work);
  }

  /** The reports of one piece of work. Thread-safe. */
  final class Job {
    private final RepositoryName repository;
    private final WorkKey work;
    // Guarded by this.
    private @Nullable Instant lastSent;
    private long doneBytes;
    private long totalBytes;
    private boolean unsent;

    private Job(RepositoryName repository, WorkKey work) {
      this.repository = repository;
      this.work = work;
    }

    /** Of {@code total} bytes, {@code done} are done; a job that is tried again starts anew. */
    synchronized void at(long done, long total) {
      doneBytes = Math.clamp(done, 0, Math.max(0, total));
      totalBytes = Math.max(0, total);
      unsent = true;
      Instant now = clock.instant();
      if (lastSent == null || !now.isBefore(lastSent.plus(interval))) {
        send(now);
      }
    }

    /** Sends what was held back. */
    synchronized void end() {
      if (unsent) {
        send(clock.instant());
      }
    }

    private void send(Instant now) {
      lastSent = now;
      unsent = false;
      sink.accept(new WorkProgress(repository, work, doneBytes, totalBytes, now));
    }
  }
}
