package io.lamina.journal.site;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.journal.JournalException;
import io.lamina.messaging.GroupProgress;
import io.lamina.messaging.MessagingException;
import io.lamina.messaging.TableReader;
import io.lamina.messaging.Topic;
import io.lamina.messaging.event.Event.FollowedPosition;
import io.lamina.messaging.event.SiteOrigin;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far this site is behind another: records of the journal's copy that wait here, and what the
 * other site shows that has not come yet, so that a cut line is seen as well. Looks by itself from
 * time to time. Thread-safe.
 *
 * <p>Source: docs/sites.md, "How far behind".
 */
public final class SiteLag implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SiteLag.class);
  private static final Duration INTERVAL = Duration.ofSeconds(15);
  private static final Duration CATCH_UP = Duration.ofMinutes(1);

  /**
   * One repository.
   *
   * @param followed the other site's revision that this site has published last; empty before the
   *     first
   * @param shown the revision that the other site shows; empty if it is out of reach or its key is
   *     not known
   */
  public record OfRepository(
      RepositoryName source, RepositoryName target, OptionalLong followed, OptionalLong shown) {
    /** Revisions that are missing here; empty if that is not known. */
    public OptionalLong behind() {
      return shown.isEmpty()
          ? OptionalLong.empty()
          : OptionalLong.of(Math.max(0, shown.getAsLong() - followed.orElse(0)));
    }
  }

  /**
   * All of a site.
   *
   * @param site the other one
   * @param records of the journal's copy that wait; empty if the brokers do not say, or if there is
   *     no copy yet
   * @param isReachable whether the other site's repositories can be read
   */
  public record Snapshot(
      String site, OptionalLong records, boolean isReachable, List<OfRepository> repositories) {
    public Snapshot {
      repositories = List.copyOf(repositories);
    }
  }

  private final SiteSettings settings;
  private final SiteProcess.Surroundings around;
  private final SiteMetrics metrics;
  private final Map<String, SiteOrigin> followed = new ConcurrentHashMap<>();
  private final TableReader notes;
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("site-lag").factory());
  private volatile Snapshot latest = new Snapshot("", OptionalLong.empty(), true, List.of());

  SiteLag(SiteSettings settings, SiteProcess.Surroundings around, SiteMetrics metrics) {
    this.settings = settings;
    this.around = around;
    this.metrics = metrics;
    this.notes =
        new TableReader(
            around.kafka(),
            "site-positions-" + settings.name(),
            Topic.PENDING,
            record ->
                record
                    .event()
                    .filter(FollowedPosition.class::isInstance)
                    .map(FollowedPosition.class::cast)
                    .ifPresent(note -> followed.put(note.origin().key(), note.origin())),
            around.meters());
  }

  /** Looks once, for who follows nothing itself. Blocks. */
  public static Snapshot once(SiteSettings settings, SiteProcess.Surroundings around) {
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    try (SiteLag lag =
        new SiteLag(settings, around, new SiteMetrics(meters, settings.name(), around.clock()))) {
      lag.notes.start();
      lag.notes.caughtUp().get(CATCH_UP.toSeconds(), TimeUnit.SECONDS);
      return lag.look();
    } catch (ExecutionException | TimeoutException e) {
      throw new MessagingException.Retryable("cannot read how far the publishers are", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MessagingException.Retryable("interrupted", e);
    }
  }

  void start() {
    notes.start();
    clock.scheduleWithFixedDelay(this::lookAgain, 1, INTERVAL.toSeconds(), TimeUnit.SECONDS);
  }

  Snapshot latest() {
    return latest;
  }

  private void lookAgain() {
    try {
      Snapshot before = latest;
      boolean was = before.isReachable();
      Snapshot now = look();
      if (!now.equals(before)) {
        for (OfRepository one : now.repositories()) {
          LOG.atInfo()
              .addKeyValue("site", settings.name())
              .addKeyValue("source", one.source())
              .addKeyValue(
                  "revisionsBehind", one.behind().isPresent() ? one.behind().getAsLong() : "?")
              .addKeyValue(
                  "recordsBehind", now.records().isPresent() ? now.records().getAsLong() : "?")
              .log("behind the other site");
        }
      }
      if (now.isReachable() != was) {
        (was ? LOG.atWarn() : LOG.atInfo())
            .addKeyValue("site", settings.name())
            .log(was ? "the other site is out of reach" : "the other site can be read again");
      }
    } catch (RuntimeException e) { // the thread's top
      LOG.atWarn().addKeyValue("site", settings.name()).setCause(e).log("cannot see the lag");
    }
  }

  private Snapshot look() {
    List<OfRepository> all = new ArrayList<>();
    boolean isReachable = true;
    long revisions = 0;
    for (var pair : new TreeMap<>(settings.repositories()).entrySet()) {
      OptionalLong shown = OptionalLong.empty();
      try (SiteProcess.Source source = around.sources().open(pair.getKey())) {
        shown = new SourceRepository(source.objects(), source.head(), source.keys()).revisionNow();
      } catch (JournalException e) {
        isReachable = false;
      }
      SiteOrigin at = followed.get(settings.name() + "/" + pair.getKey());
      OptionalLong done =
          at == null || at.round() != settings.round()
              ? OptionalLong.empty()
              : OptionalLong.of(at.revision());
      OfRepository one = new OfRepository(pair.getKey(), pair.getValue(), done, shown);
      revisions += one.behind().orElse(0);
      all.add(one);
    }
    Snapshot now = new Snapshot(settings.name(), records(), isReachable, all);
    latest = now;
    metrics.behind(now.records().orElse(0), revisions);
    metrics.reachable(isReachable);
    return now;
  }

  private OptionalLong records() {
    try {
      List<GroupProgress> partitions =
          GroupProgress.read(around.kafka(), settings.group(), settings.topic());
      return partitions.isEmpty()
          ? OptionalLong.empty()
          : OptionalLong.of(partitions.stream().mapToLong(GroupProgress::behind).sum());
    } catch (MessagingException.Retryable e) {
      return OptionalLong.empty();
    }
  }

  @Override
  public void close() {
    clock.shutdownNow();
    notes.close();
  }
}
