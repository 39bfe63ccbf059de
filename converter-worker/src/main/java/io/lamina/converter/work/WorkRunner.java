package io.lamina.converter.work;

import io.lamina.converter.Lengths;
import io.lamina.converter.Limit;
import io.lamina.converter.Pause;
import io.lamina.converter.Tries;
import io.lamina.converter.Verdict;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.FlatMerged;
import io.lamina.messaging.event.Event.LayerConverted;
import io.lamina.messaging.event.Event.Work;
import io.lamina.messaging.event.Event.WorkFailed;
import io.lamina.messaging.event.Event.WorkProgress;
import io.lamina.messaging.event.WorkFigures;
import io.lamina.messaging.event.WorkKey;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does one delivery of a piece of work: within the limits of its kind, tried again where {@link
 * Verdict} says that it makes sense, and always with an answer. The same work done twice, here or
 * by another process, gives the same result. Thread-safe.
 *
 * <p>Metrics by {@code kind}: {@code converter.work.duration} (also by {@code outcome}), {@code
 * converter.work.retries}, {@code converter.work.bytes} (also by {@code direction}), {@code
 * converter.work.files}, {@code converter.work.objects} (also by {@code found}); and the limits
 * {@code layer}, {@code flat}, {@code thin}.
 */
public final class WorkRunner {
  private static final Logger LOG = LoggerFactory.getLogger(WorkRunner.class);

  private final Jobs jobs;
  private final WorkSettings settings;
  private final ProgressReports reports;
  private final Tries tries;
  private final MeterRegistry meters;
  private final Limit layers;
  private final Limit merges;
  private final Limit pushes;

  /**
   * @param progress takes reports for people; must not throw
   * @param random thread-safe; spreads retries
   */
  public WorkRunner(
      Jobs jobs,
      WorkSettings settings,
      Consumer<WorkProgress> progress,
      Clock clock,
      RandomGenerator random,
      Pause pause,
      MeterRegistry meters) {
    this.jobs = jobs;
    this.settings = settings;
    this.reports = new ProgressReports(progress, clock, settings.progressInterval());
    this.tries = new Tries(settings.retries(), settings.doubtfulTries(), random, pause);
    this.meters = meters;
    this.layers = new Limit("layer", settings.slots(), meters);
    this.merges = new Limit("flat", settings.merges(), meters);
    this.pushes = new Limit("thin", settings.slots(), meters);
  }

  /**
   * Blocks until this delivery has its answer.
   *
   * @param stopping becomes true when no new try is worth beginning
   * @throws InterruptedException if this thread is to stop: hand the work back
   */
  public Answer run(Work work, BooleanSupplier stopping) throws InterruptedException {
    long begin = System.nanoTime();
    ProgressReports.Job report = reports.start(work.repository(), work.work());
    Answer answer = tryUntilAnswered(work, report, stopping);
    report.end();
    note(work, answer, Duration.ofNanos(System.nanoTime() - begin));
    return answer;
  }

  private Answer tryUntilAnswered(Work work, ProgressReports.Job report, BooleanSupplier stopping)
      throws InterruptedException {
    Tries.Attempt<Event> attempt =
        () -> {
          try (var _ = limitOf(work).acquire()) {
            return jobs.run(work, report::at);
          }
        };
    return switch (tries.run(attempt, stopping, new WorkWatcher(work))) {
      case Tries.Outcome.Answered<Event>(Event result) -> new Answer.Done(result);
      case Tries.Outcome.GivenUp<Event>(Verdict verdict, int failed) ->
          ended(work, failed, verdict);
    };
  }

  private final class WorkWatcher implements Tries.Watcher {
    private final Work work;

    WorkWatcher(Work work) {
      this.work = work;
    }

    @Override
    public void broke(Throwable failure) {
      LOG.atError().addKeyValue("work", work.work()).setCause(failure).log("work broke");
    }

    @Override
    public void triesAgain(int failed, Duration pause, String reason) {
      meters.counter("converter.work.retries", "kind", label(work.work().kind())).increment();
      LOG.atWarn()
          .addKeyValue("work", work.work())
          .addKeyValue("repository", work.repository())
          .addKeyValue("tries", failed)
          .addKeyValue("pauseMillis", pause.toMillis())
          .addKeyValue("reason", reason)
          .log("work is tried again");
    }
  }

  private Limit limitOf(Work work) {
    return switch (work.work().kind()) {
      case LAYER -> layers;
      case FLAT -> merges;
      case THIN -> pushes;
    };
  }

  /** After the last try of this delivery. */
  private Answer ended(Work work, int tries, Verdict verdict) {
    return switch (verdict) {
      case Verdict.Hopeless(String reason) ->
          new Answer.Failed(new WorkFailed(work.repository(), work.work(), reason));
      case Verdict.Suspect _, Verdict.Defect _ ->
          new Answer.GivenUp(after(tries) + verdict.explanation());
      case Verdict.Passing passing ->
          passing
                  .retryAfter()
                  .filter(asked -> asked.compareTo(settings.retries().longest()) > 0)
                  .isPresent()
              ? new Answer.GivenUp(after(tries) + verdict.explanation())
              : new Answer.Again(verdict.explanation());
      case Verdict.Stopped _ -> throw new IllegalStateException("stopped work has no answer");
    };
  }

  private static String after(int tries) {
    return tries == 1 ? "" : "gave up after " + tries + " tries: ";
  }

  private void note(Work work, Answer answer, Duration took) {
    String kind = label(work.work().kind());
    String outcome =
        switch (answer) {
          case Answer.Done _ -> "done";
          case Answer.Failed _ -> "failed";
          case Answer.GivenUp _ -> "given-up";
          case Answer.Again _ -> "again";
        };
    meters.timer("converter.work.duration", "kind", kind, "outcome", outcome).record(took);
    String detail =
        switch (answer) {
          case Answer.Done(Event result) -> figures(kind, result);
          case Answer.Failed(WorkFailed result) -> result.reason();
          case Answer.GivenUp(String reason) -> reason;
          case Answer.Again(String reason) -> reason;
        };
    LOG.atInfo()
        .addKeyValue("work", work.work())
        .addKeyValue("repository", work.repository())
        .addKeyValue("outcome", outcome)
        .addKeyValue("took", Lengths.text(took))
        .addKeyValue("detail", detail)
        .log("work ended");
  }

  private String figures(String kind, Event result) {
    Optional<WorkFigures> figures =
        switch (result) {
          case LayerConverted layer -> Optional.of(layer.figures());
          case FlatMerged flat -> Optional.of(flat.figures());
          default -> Optional.empty();
        };
    figures.ifPresent(
        f -> {
          bytes(kind, "fetched", f.compressedBytes());
          bytes(kind, "unpacked", f.unpackedBytes());
          bytes(kind, "stored", f.newBytes());
          meters.counter("converter.work.files", "kind", kind).increment(f.files());
          objects(kind, "new", f.newObjects());
          objects(kind, "known", f.objects() - f.newObjects());
        });
    return figures.map(WorkFigures::toString).orElse("");
  }

  private void bytes(String kind, String direction, long count) {
    meters.counter("converter.work.bytes", "kind", kind, "direction", direction).increment(count);
  }

  private void objects(String kind, String found, long count) {
    meters.counter("converter.work.objects", "kind", kind, "found", found).increment(count);
  }

  private static String label(WorkKey.Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }
}
