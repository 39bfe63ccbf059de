package io.lamina.converter;

import io.lamina.converter.layer.PipelineSettings;
import io.lamina.converter.plan.Admission;
import io.lamina.converter.plan.PlannerSettings;
import io.lamina.converter.work.WorkSettings;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.image.policy.NamePattern;
import io.lamina.settings.Settings;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What an operator sets on a converter. Immutable.
 *
 * <p>Source: docs/operations-converting.md, "Settings".
 *
 * @param instance a name that this converter keeps over restarts, unique among them; after a kill
 *     it gets its partitions back at once
 * @param planner how requests are planned
 * @param admission which images are taken
 * @param maxPlansPerPartition requests of one partition that are under way at once
 * @param work how layers, merges and pushes are done
 * @param pipeline how contents become objects
 * @param limits what a layer may ask of the machine
 * @param deliveries how often the queue hands a piece of work out before it has failed; below the
 *     broker's own limit, which drops work without a word
 * @param lockRenewal how often the queue is told that work goes on: a third of the queue's lock
 *     duration or less
 * @param stopTimeout how long work may go on once the process is to stop
 */
public record ConverterSettings(
    Optional<String> instance,
    PlannerSettings planner,
    Admission admission,
    int maxPlansPerPartition,
    WorkSettings work,
    PipelineSettings pipeline,
    LayerLimits limits,
    int deliveries,
    Duration lockRenewal,
    Duration stopTimeout) {
  public static final ConverterSettings DEFAULT =
      new ConverterSettings(
          Optional.empty(),
          PlannerSettings.DEFAULT,
          Admission.STANDARD,
          64,
          WorkSettings.DEFAULT,
          PipelineSettings.byDefault(),
          LayerLimits.DEFAULT,
          8,
          Duration.ofSeconds(8),
          Duration.ofSeconds(20));

  public ConverterSettings {
    if (maxPlansPerPartition < 1
        || deliveries < 1
        || stopTimeout.isNegative()
        || !lockRenewal.isPositive()) {
      throw new IllegalArgumentException(
          "converter settings: "
              + maxPlansPerPartition
              + " plans per partition, "
              + deliveries
              + " deliveries, stop after "
              + stopTimeout);
    }
  }

  /** The same for an instance with this name. */
  public ConverterSettings named(String newInstance) {
    return new ConverterSettings(
        Optional.of(newInstance),
        planner,
        admission,
        maxPlansPerPartition,
        work,
        pipeline,
        limits,
        deliveries,
        lockRenewal,
        stopTimeout);
  }

  /** The same with other ways of making objects. */
  public ConverterSettings withPipeline(PipelineSettings newPipeline) {
    return new ConverterSettings(
        instance,
        planner,
        admission,
        maxPlansPerPartition,
        work,
        newPipeline,
        limits,
        deliveries,
        lockRenewal,
        stopTimeout);
  }

  /** The same with other rules for what is taken. */
  public ConverterSettings withAdmission(Admission other) {
    return new ConverterSettings(
        instance,
        planner,
        other,
        maxPlansPerPartition,
        work,
        pipeline,
        limits,
        deliveries,
        lockRenewal,
        stopTimeout);
  }

  /**
   * Reads the keys that start with {@code converter.}, and those of the image policy; what is not
   * set has its default. Whoever gave the settings refuses keys that nobody knows.
   *
   * @throws io.lamina.settings.SettingsException on a bad value
   */
  public static ConverterSettings from(Settings text) {
    return new ConverterSettings(
        text.text("converter.instance"),
        planner(text),
        admission(text),
        text.count("converter.plan.per-partition", DEFAULT.maxPlansPerPartition, 1, 1000),
        work(text),
        pipeline(text),
        limits(text),
        text.count("converter.work.deliveries", DEFAULT.deliveries, 1, 9),
        text.duration(
            "converter.work.lock-renewal",
            DEFAULT.lockRenewal,
            Duration.ofMillis(100),
            Duration.ofMinutes(1)),
        text.duration(
            "converter.stop-timeout", DEFAULT.stopTimeout, Duration.ZERO, Duration.ofMinutes(5)));
  }

  private static PlannerSettings planner(Settings text) {
    PlannerSettings otherwise = PlannerSettings.DEFAULT;
    return new PlannerSettings(
        text.count("converter.plan.concurrent", otherwise.concurrent(), 1, 1000),
        text.count("converter.plan.per-registry", otherwise.perRegistry(), 1, 1000),
        text.count("converter.plan.platforms", otherwise.platformsAtOnce(), 1, 64),
        text.duration(
            "converter.plan.deadline",
            otherwise.deadline(),
            Duration.ofSeconds(1),
            Duration.ofHours(1)),
        backoff(text, "converter.plan", otherwise.retries()),
        text.count("converter.plan.doubtful-tries", otherwise.doubtfulTries(), 1, 20),
        text.count("converter.plan.layers", otherwise.maxLayers(), 1, 10_000),
        text.duration(
            "converter.plan.cache-time", otherwise.cacheFor(), Duration.ZERO, Duration.ofDays(1)),
        text.bytes("converter.plan.cache-size", otherwise.cacheBytes(), 0, 1L << 30));
  }

  private static Admission admission(Settings text) {
    Admission otherwise = DEFAULT.admission;
    Function<String, List<NamePattern>> patterns = NamePattern::parse;
    ImagePolicy policy =
        new ImagePolicy(
            text.parsed("images.allow", otherwise.policy().allowed(), patterns),
            text.parsed("images.deny", otherwise.policy().denied(), patterns),
            text.parsed("thin.allow", otherwise.policy().thinTargets(), patterns));
    return new Admission(
        policy,
        text.count("converter.image.layers", otherwise.maxLayers(), 1, 10_000),
        text.bytes("converter.image.size", otherwise.maxBytes(), 1, 1L << 50),
        text.count("converter.image.entries", otherwise.maxEntries(), 1, 100_000_000));
  }

  private static WorkSettings work(Settings text) {
    WorkSettings otherwise = WorkSettings.DEFAULT;
    return new WorkSettings(
        text.count("converter.work.slots", otherwise.slots(), 1, WorkSettings.MAX_SLOTS),
        text.count("converter.work.merges", otherwise.merges(), 1, 100),
        backoff(text, "converter.work", otherwise.retries()),
        text.count("converter.work.doubtful-tries", otherwise.doubtfulTries(), 1, 20),
        text.duration(
            "converter.work.progress",
            otherwise.progressInterval(),
            Duration.ofMillis(50),
            Duration.ofMinutes(1)));
  }

  private static PipelineSettings pipeline(Settings text) {
    PipelineSettings otherwise = DEFAULT.pipeline;
    return new PipelineSettings(
        text.parsed("converter.compression", otherwise.compression(), Compression::parse),
        otherwise.hash(),
        otherwise.chunks(),
        text.count("converter.threads", otherwise.threads(), 1, 1024),
        text.bytes(
            "converter.buffers",
            otherwise.maxBufferBytes(),
            2L * otherwise.chunks().maxBytes(),
            1L << 40),
        text.count("converter.parallel-puts", otherwise.parallelPuts(), 1, 1024));
  }

  private static LayerLimits limits(Settings text) {
    LayerLimits otherwise = LayerLimits.DEFAULT;
    return new LayerLimits(
        text.count("converter.layer.entries", otherwise.maxEntries(), 1, 100_000_000),
        otherwise.maxPathBytes(),
        otherwise.maxDepth(),
        otherwise.maxLinkBytes(),
        otherwise.maxXattrs(),
        otherwise.maxXattrBytes(),
        otherwise.maxHeaderBytes(),
        otherwise.maxSparseSegments(),
        text.bytes("converter.layer.file-size", otherwise.maxFileBytes(), 1, 1L << 50),
        text.bytes("converter.layer.unpacked-size", otherwise.maxUnpackedBytes(), 1, 1L << 50),
        text.count("converter.layer.ratio", otherwise.maxRatio(), 1, 1100),
        otherwise.ratioFloorBytes());
  }

  private static Backoff backoff(Settings text, String group, Backoff otherwise) {
    Duration first =
        text.duration(
            group + ".pause", otherwise.first(), Duration.ofMillis(1), Duration.ofMinutes(10));
    Duration longest =
        text.duration(
            group + ".longest-pause",
            otherwise.longest().compareTo(first) < 0 ? first : otherwise.longest(),
            first,
            Duration.ofHours(1));
    return new Backoff(text.count(group + ".tries", otherwise.tries(), 1, 100), first, longest);
  }
}
