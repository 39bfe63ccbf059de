package io.lamina.standalone.command;

import io.lamina.journal.replay.Replay;
import java.time.Duration;

/** Shows how far a replay is, on standard error and not too often. Thread-safe. */
final class ReplayProgress {
  private static final Duration EVERY = Duration.ofSeconds(2);

  private final Output output;
  private long shownNanos = System.nanoTime();
  private long startNanos = -1;
  private long startRevision;

  ReplayProgress(Output output) {
    this.output = output;
  }

  synchronized void show(Replay.Progress progress) {
    long now = System.nanoTime();
    if (startNanos < 0) {
      startNanos = now;
      startRevision = progress.revision();
    }
    if (now - shownNanos < EVERY.toNanos()) {
      return;
    }
    shownNanos = now;
    output.note(text(progress, (now - startNanos) / 1e9));
  }

  private String text(Replay.Progress progress, double seconds) {
    double perSecond = seconds <= 0 ? 0 : (progress.revision() - startRevision) / seconds;
    return "revision %d of %d (%.0f a second), %d objects (%s) copied, %d there already%s"
        .formatted(
            progress.revision(),
            progress.lastRevision(),
            perSecond,
            progress.objectsCopied(),
            ProgressBar.bytes(progress.bytesCopied()),
            progress.objectsPresent(),
            progress.objectsMissing() == 0 ? "" : ", " + progress.objectsMissing() + " missing");
  }
}
