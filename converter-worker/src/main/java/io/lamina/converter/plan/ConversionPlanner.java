package io.lamina.converter.plan;

import io.lamina.converter.ConverterException;
import io.lamina.converter.Limit;
import io.lamina.converter.Pause;
import io.lamina.converter.TaskScope;
import io.lamina.converter.Tries;
import io.lamina.converter.Verdict;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Descriptor;
import io.lamina.image.ImageReference;
import io.lamina.image.ImageSources;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.messaging.event.Event.ConversionRequested;
import io.lamina.messaging.event.Event.ImagePlanned;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.WorkKey;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns a request into a plan: resolves the image for each platform, stores manifests and configs
 * as file objects of the repository, and names the work. Every request gets an answer; planning one
 * again gives the same plan while the image stays as it is. Thread-safe.
 *
 * <p>Metrics: {@code converter.plan.duration} by {@code outcome}, {@code converter.plan.retries},
 * {@code converter.plan.manifests} by {@code from}, and the limits {@code plans} and {@code
 * plans-per-registry}.
 */
public final class ConversionPlanner {
  private static final Logger LOG = LoggerFactory.getLogger(ConversionPlanner.class);
  private static final int MAX_NAMED_REPOSITORIES = 20;

  private final ImageResolver resolver;
  private final PlanFiles files;
  private final PlannerSettings settings;
  private final Admission admission;
  private final Clock clock;
  private final Tries tries;
  private final MeterRegistry meters;
  private final Limit plans;
  private final RegistryLimits perRegistry;

  /**
   * @param random thread-safe; spreads retries
   */
  public ConversionPlanner(
      ImageSources sources,
      PlanFiles files,
      PlannerSettings settings,
      Admission admission,
      Clock clock,
      RandomGenerator random,
      Pause pause,
      MeterRegistry meters) {
    this.resolver = new ImageResolver(sources, settings, clock, meters);
    this.files = files;
    this.settings = settings;
    this.admission = admission;
    this.clock = clock;
    this.tries = new Tries(settings.retries(), settings.doubtfulTries(), random, pause);
    this.meters = meters;
    this.plans = new Limit("plans", settings.concurrent(), meters);
    this.perRegistry = new RegistryLimits(settings.perRegistry());
  }

  /**
   * Blocks until there is an answer: at most the tries, deadlines and pauses of the settings.
   *
   * @throws InterruptedException if this thread is to stop; nothing but unreferenced objects
   *     remains
   */
  public Plan plan(ConversionRequested request) throws InterruptedException {
    long begin = System.nanoTime();
    Plan plan = tryUntilAnswered(request);
    Duration took = Duration.ofNanos(System.nanoTime() - begin);
    meters.timer("converter.plan.duration", "outcome", outcome(plan)).record(took);
    LOG.atInfo()
        .addKeyValue("request", request.request())
        .addKeyValue("repository", request.repository())
        .addKeyValue("image", request.image())
        .addKeyValue("outcome", outcome(plan))
        .addKeyValue("detail", plan.status().detail().orElse(""))
        .addKeyValue("millis", took.toMillis())
        .log("image planned");
    return plan;
  }

  private Plan tryUntilAnswered(ConversionRequested request) throws InterruptedException {
    return switch (tries.run(
        () -> tryOnce(request), Tries.NEVER_STOPPING, new RequestWatcher(request))) {
      case Tries.Outcome.Answered<Plan>(Plan plan) -> plan;
      case Tries.Outcome.GivenUp<Plan>(Verdict verdict, int failed) ->
          refusal(request, verdict, failed);
    };
  }

  private final class RequestWatcher implements Tries.Watcher {
    private final ConversionRequested request;

    RequestWatcher(ConversionRequested request) {
      this.request = request;
    }

    @Override
    public void broke(Throwable failure) {
      LOG.atError()
          .addKeyValue("request", request.request())
          .setCause(failure)
          .log("planning broke");
    }

    @Override
    public void triesAgain(int failed, Duration pause, String reason) {
      meters.counter("converter.plan.retries").increment();
      LOG.atWarn()
          .addKeyValue("request", request.request())
          .addKeyValue("image", request.image())
          .addKeyValue("tries", failed)
          .addKeyValue("pauseMillis", pause.toMillis())
          .addKeyValue("reason", reason)
          .log("planning is tried again");
    }
  }

  private Plan tryOnce(ConversionRequested request) throws InterruptedException {
    PlanFiles.Writer writer =
        files.writer(request.repository()).orElseThrow(() -> unknown(request.repository()));
    ImageReference reference = ImageReference.parse(request.image());
    admission.check(reference, request.thinTarget());
    // The registry's permit first: who waits for a slow registry must not hold one of all.
    try (var _ = perRegistry.acquire(reference);
        var _ = plans.acquire()) {
      return TaskScope.within(
          settings.deadline(),
          "resolving " + request.image(),
          () -> resolveAndStore(request, reference, writer));
    }
  }

  private Plan resolveAndStore(
      ConversionRequested request, ImageReference reference, PlanFiles.Writer writer)
      throws InterruptedException {
    List<Platform> platforms = request.platforms().stream().distinct().toList();
    if (platforms.isEmpty()) {
      throw new ConverterException.Rejected(
          "no platform was asked for; name at least one, such as linux/amd64");
    }
    List<ResolvedImage> images = resolver.resolve(reference, platforms);
    images.forEach(admission::check);
    checkLayers(images, request.image());
    List<PlannedPlatform> planned = images.stream().map(image -> planned(image, writer)).toList();
    writer.flush();
    Instant now = clock.instant();
    return new Plan.Ready(
        new ImagePlanned(
            request.request(),
            request.repository(),
            request.image(),
            reference.publicName(),
            planned,
            request.thinTarget(),
            request.acceptedAt(),
            now,
            request.precedence()),
        status(request, RequestStatus.State.PLANNED, workOf(planned), Optional.empty(), now));
  }

  private void checkLayers(List<ResolvedImage> images, String name) {
    int layers = images.stream().mapToInt(image -> image.layers().size()).sum();
    if (layers > settings.maxLayers()) {
      throw new ConverterException.Rejected(
          name
              + " has "
              + layers
              + " layers on the platforms asked for, more than "
              + settings.maxLayers()
              + "; ask for fewer platforms at once or flatten the image");
    }
  }

  private static PlannedPlatform planned(ResolvedImage image, PlanFiles.Writer writer) {
    return new PlannedPlatform(
        image.platform(),
        image.manifest().digest(),
        writer.store(image.manifestBytes()),
        image.config().digest(),
        writer.store(image.configBytes()),
        image.layers(),
        image.foreignLayers().stream().map(Descriptor::digest).toList());
  }

  private static List<WorkKey> workOf(List<PlannedPlatform> platforms) {
    SequencedSet<WorkKey> work = new LinkedHashSet<>();
    for (PlannedPlatform platform : platforms) {
      platform
          .layers()
          .forEach(layer -> work.add(new WorkKey(WorkKey.Kind.LAYER, layer.blob().digest().hex())));
      work.add(new WorkKey(WorkKey.Kind.FLAT, platform.imageId().hex()));
    }
    return List.copyOf(work);
  }

  private Plan refusal(ConversionRequested request, Verdict verdict, int tries) {
    String reason =
        (tries == 1 ? "" : "gave up after " + tries + " tries: ") + verdict.explanation();
    RequestStatus status =
        status(
            request, RequestStatus.State.FAILED, List.of(), Optional.of(reason), clock.instant());
    return verdict instanceof Verdict.Hopeless
        ? new Plan.Refused(status)
        : new Plan.GivenUp(status, reason);
  }

  private static RequestStatus status(
      ConversionRequested request,
      RequestStatus.State state,
      List<WorkKey> work,
      Optional<String> detail,
      Instant now) {
    return request.status(state, work, detail, Optional.empty(), now);
  }

  private ConverterException.Rejected unknown(RepositoryName repository) {
    List<RepositoryName> known = files.known();
    String names =
        known.stream()
            .limit(MAX_NAMED_REPOSITORIES)
            .map(RepositoryName::value)
            .collect(Collectors.joining(", "));
    return new ConverterException.Rejected(
        "repository '"
            + repository
            + "' is not known here; "
            + (known.isEmpty()
                ? "there is none, make one with 'lamina repo create " + repository + "'"
                : "known: " + names + (known.size() > MAX_NAMED_REPOSITORIES ? ", …" : "")));
  }

  private static String outcome(Plan plan) {
    return switch (plan) {
      case Plan.Ready _ -> "planned";
      case Plan.Refused _ -> "refused";
      case Plan.GivenUp _ -> "given-up";
    };
  }
}
