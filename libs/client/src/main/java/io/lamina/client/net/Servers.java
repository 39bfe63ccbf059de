package io.lamina.client.net;

import io.lamina.client.failure.ClientException;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.reader.HttpRepositoryFiles;
import io.lamina.cvmfs.reader.HttpTransfer;
import io.lamina.cvmfs.reader.LocalRepositoryFiles;
import io.lamina.cvmfs.reader.RepositoryFiles;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The servers of one repository, through all proxies, as one source that is there while any of them
 * is. What failed is left alone for a while; when all did, so that one would only wait for
 * time-outs, requests fail at once until the next attempt is due. Thread-safe.
 *
 * <p>Source: docs/client.md, "Servers and proxies".
 */
public final class Servers implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Servers.class);
  private static final int MAX_SERVERS = 50;
  private static final int DOUBLINGS = 10;

  private final RepositoryName repository;
  private final NetworkSettings settings;
  private final List<Endpoint> endpoints;
  private final Waiting waiting;
  private final RandomGenerator random;
  private final LongSupplier nanos;
  private final LongAdder failures = new LongAdder();

  /** Until then nothing is tried: every endpoint has just failed. */
  private final AtomicLong offlineUntilNanos = new AtomicLong();

  private volatile boolean isOffline;

  /** Waits between rounds; tests do not. */
  @FunctionalInterface
  public interface Waiting {
    void wait(Duration duration) throws InterruptedException;
  }

  private Servers(
      RepositoryName repository,
      NetworkSettings settings,
      List<Endpoint> endpoints,
      Waiting waiting,
      RandomGenerator random,
      LongSupplier nanos) {
    this.repository = repository;
    this.settings = settings;
    this.endpoints = endpoints;
    this.waiting = waiting;
    this.random = random;
    this.nanos = nanos;
  }

  /**
   * @param addresses in order of preference: {@code http}, {@code https} or {@code file}, with
   *     {@code @fqrn@} and {@code @org@} standing for the repository's name and its first part
   * @throws ClientException.Rejected if there are none, too many, or one cannot be used
   */
  public static Servers of(
      RepositoryName repository,
      List<String> addresses,
      NetworkSettings settings,
      Waiting waiting,
      RandomGenerator random) {
    if (addresses.isEmpty() || addresses.size() > MAX_SERVERS) {
      throw new ClientException.Rejected(
          "1 to " + MAX_SERVERS + " servers for " + repository + ", not " + addresses.size());
    }
    List<Endpoint> endpoints = new ArrayList<>();
    try {
      int rank = 0;
      for (List<Proxies.Route> group : settings.proxies().groups()) {
        for (String address : addresses) {
          URI server = address(repository, address);
          if (isLocal(server)) {
            if (rank < addresses.size()) { // proxies do not stand before a folder
              endpoints.add(Endpoint.local(server, rank));
            }
          } else {
            for (Proxies.Route route : group) {
              endpoints.add(Endpoint.remote(server, route, rank, settings));
            }
          }
          rank++;
        }
      }
    } catch (RuntimeException e) {
      endpoints.forEach(Endpoint::close);
      throw e;
    }
    return new Servers(
        repository, settings, List.copyOf(endpoints), waiting, random, System::nanoTime);
  }

  private static URI address(RepositoryName repository, String template) {
    String organisation = repository.value().split("\\.", 2)[0];
    String text =
        template.strip().replace("@fqrn@", repository.value()).replace("@org@", organisation);
    try {
      return URI.create(text.startsWith("/") ? Path.of(text).toUri().toString() : text);
    } catch (IllegalArgumentException e) {
      throw new ClientException.Rejected("not the address of a server: '" + template + "'", e);
    }
  }

  private static boolean isLocal(URI address) {
    return "file".equals(String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT));
  }

  /** Something that reads from one endpoint and throws {@link CvmfsException} where it fails. */
  @FunctionalInterface
  public interface Attempt<T> {
    T with(RepositoryFiles files);
  }

  /**
   * Runs the attempt with one endpoint after the other until it succeeds. Damaged answers are asked
   * for once more past all caches on the way, then of the next server; so are missing files.
   *
   * @throws CvmfsException of the last kind that matters: unreachable before damaged before missing
   */
  public <T> T attempt(Attempt<T> attempt) {
    failFastIfOffline();
    @Nullable CvmfsException worst = null;
    for (int round = 0; ; round++) {
      for (Endpoint endpoint : inOrder()) {
        try {
          T result = attemptAt(endpoint, attempt);
          endpoint.succeeded();
          if (isOffline) {
            isOffline = false;
            LOG.atInfo()
                .addKeyValue("repository", repository)
                .addKeyValue("server", endpoint)
                .log("a server answers again");
          }
          return result;
        } catch (CvmfsException e) {
          failures.increment();
          note(endpoint, e);
          worst = worse(worst, e);
        }
      }
      CvmfsException failure = worst == null ? noEndpoint() : worst;
      if (!(failure instanceof CvmfsException.Retryable)) {
        throw failure;
      }
      if (round >= settings.retries()) {
        goOffline(failure);
        throw failure;
      }
      pause(round);
      worst = null;
    }
  }

  private CvmfsException noEndpoint() {
    return new CvmfsException.Retryable("no server for " + repository, null);
  }

  private <T> T attemptAt(Endpoint endpoint, Attempt<T> attempt) {
    try {
      return attempt.with(endpoint.files());
    } catch (CvmfsException.Corrupt e) {
      RepositoryFiles fresh = endpoint.freshFiles();
      if (fresh == null) {
        throw e;
      }
      LOG.atWarn()
          .addKeyValue("repository", repository)
          .addKeyValue("server", endpoint)
          .addKeyValue("reason", e.getMessage())
          .log("a damaged answer; asking again past all caches");
      return attempt.with(fresh);
    }
  }

  /** As {@link #attempt}, past all caches on the way, for what changes under its name. */
  public <T> T attemptFresh(Attempt<T> attempt) {
    return attempt(
        files -> attempt.with(files instanceof HttpRepositoryFiles http ? http.fresh() : files));
  }

  private void note(Endpoint endpoint, CvmfsException failure) {
    switch (failure) {
      case CvmfsException.NotFound _ -> {
        // This server lacks the file; it is no worse for others.
      }
      case CvmfsException.Retryable _, CvmfsException.Corrupt _, CvmfsException.Rejected _ -> {
        int row = endpoint.failed(nanos.getAsLong(), backoffNanos(endpoint.failuresInARow()));
        if (row == 1) {
          LOG.atWarn()
              .addKeyValue("repository", repository)
              .addKeyValue("server", endpoint)
              .addKeyValue("reason", failure.getMessage())
              .log("a server failed; others are tried first for a while");
        }
      }
    }
  }

  private static CvmfsException worse(@Nullable CvmfsException known, CvmfsException next) {
    return known == null || weight(next) > weight(known) ? next : known;
  }

  /** What passes comes first: it makes the request worth another try. */
  private static int weight(CvmfsException failure) {
    return switch (failure) {
      case CvmfsException.NotFound _ -> 0;
      case CvmfsException.Rejected _ -> 1;
      case CvmfsException.Corrupt _ -> 2;
      case CvmfsException.Retryable _ -> 3;
    };
  }

  private void failFastIfOffline() {
    if (isOffline) {
      long left = offlineUntilNanos.get() - nanos.getAsLong();
      if (left > 0) {
        throw new CvmfsException.Retryable(
            "no server of "
                + repository
                + " answers; the next attempt is due in "
                + TimeUnit.NANOSECONDS.toMillis(left)
                + " ms",
            null);
      }
    }
  }

  private void goOffline(CvmfsException failure) {
    int row = endpoints.stream().mapToInt(Endpoint::failuresInARow).min().orElse(1);
    offlineUntilNanos.set(nanos.getAsLong() + backoffNanos(row));
    if (!isOffline) {
      isOffline = true;
      LOG.atWarn()
          .addKeyValue("repository", repository)
          .addKeyValue("reason", failure.getMessage())
          .log("no server answers; only what is cached can be read");
    }
  }

  private long backoffNanos(int failuresInARow) {
    long first = Math.max(settings.firstBackoff().toNanos(), 1);
    long doubled = first << Math.min(failuresInARow, DOUBLINGS);
    long bound =
        Math.min(doubled < first ? Long.MAX_VALUE : doubled, settings.maxBackoff().toNanos());
    return bound / 2 + random.nextLong(bound / 2 + 1);
  }

  private void pause(int round) {
    try {
      waiting.wait(Duration.ofNanos(backoffNanos(round)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CvmfsException.Retryable(
          "interrupted while waiting for the servers of " + repository, e);
    }
  }

  /**
   * Those that did not just fail before those that did; then by preference, those of a rank in
   * random order.
   */
  private List<Endpoint> inOrder() {
    long now = nanos.getAsLong();
    List<Ranked> order = new ArrayList<>();
    endpoints.forEach(each -> order.add(new Ranked(each, each.isResting(now))));
    Collections.shuffle(order, new Random(random.nextLong()));
    order.sort(
        Comparator.comparing(Ranked::isResting).thenComparing(each -> each.endpoint().rank()));
    return order.stream().map(Ranked::endpoint).toList();
  }

  /** The state is looked at once: it may change while the list is sorted. */
  private record Ranked(Endpoint endpoint, boolean isResting) {}

  /** Whether the last request found no server that answers. */
  public boolean isOffline() {
    return isOffline;
  }

  /** Requests that failed at one endpoint. */
  public long failures() {
    return failures.sum();
  }

  /** Those that would be asked now, best first, for people. */
  public List<String> inUse() {
    return inOrder().stream().map(Endpoint::toString).toList();
  }

  @Override
  public void close() {
    endpoints.forEach(Endpoint::close);
  }

  /** A server through a proxy. Thread-safe. */
  private static final class Endpoint {
    private final String name;
    private final RepositoryFiles files;
    private final @Nullable RepositoryFiles fresh;
    private final int rank;
    private int failuresInARow;
    private long restsUntilNanos;

    private Endpoint(
        String name, RepositoryFiles files, @Nullable RepositoryFiles fresh, int rank) {
      this.name = name;
      this.files = files;
      this.fresh = fresh;
      this.rank = rank;
    }

    static Endpoint local(URI address, int rank) {
      return new Endpoint(
          address.toString(), new LocalRepositoryFiles(Path.of(address)), null, rank);
    }

    static Endpoint remote(URI address, Proxies.Route route, int rank, NetworkSettings settings) {
      HttpTransfer transfer =
          route
              .proxy()
              .map(
                  proxy ->
                      HttpTransfer.through(proxy, settings.timeout(), settings.minBytesPerSecond()))
              .orElseGet(
                  () ->
                      HttpTransfer.direct(settings.directTimeout(), settings.minBytesPerSecond()));
      HttpRepositoryFiles files = new HttpRepositoryFiles(address, transfer);
      return new Endpoint(address + " via " + route, files, files.fresh(), rank);
    }

    RepositoryFiles files() {
      return files;
    }

    @Nullable RepositoryFiles freshFiles() {
      return fresh;
    }

    int rank() {
      return rank;
    }

    synchronized int failuresInARow() {
      return failuresInARow;
    }

    synchronized boolean isResting(long nowNanos) {
      return failuresInARow > 0 && nowNanos - restsUntilNanos < 0;
    }

    synchronized void succeeded() {
      failuresInARow = 0;
    }

    synchronized int failed(long nowNanos, long restNanos) {
      restsUntilNanos = nowNanos + restNanos;
      return ++failuresInARow;
    }

    void close() {
      files.close();
    }

    @Override
    public String toString() {
      return name;
    }
  }
}
