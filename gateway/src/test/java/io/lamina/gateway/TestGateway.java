package io.lamina.gateway;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.repository.RepositoryDirectory;
import io.lamina.gateway.settings.GatewaySettings;
import io.lamina.gateway.upload.RepositoryStores;
import io.lamina.messaging.DeadLetterOffice;
import io.lamina.settings.Settings;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A gateway on a free loopback port over an in-memory log, and a client for it. */
public final class TestGateway implements AutoCloseable {
  public final InMemoryLog log;
  public final InMemoryLog.Feed feed;
  public final GatewayProcess process;
  private final HttpClient client;

  /** What a test changes; the rest is as in production, or small. */
  public static final class Setup {
    private final Map<String, String> settings = new HashMap<>();
    private InMemoryLog log = new InMemoryLog();
    private DeadLetterOffice letters = new InMemoryLetters();
    private boolean heldBack;
    private Optional<RepositoryDirectory> directory = Optional.empty();
    private RepositoryStores stores = RepositoryStores.NONE;
    private Clock clock = Clock.systemUTC();
    private HttpClient.Version version = HttpClient.Version.HTTP_1_1;

    public Setup(Path folder) {
      settings.put("gateway.listen.port", "0");
      settings.put("gateway.uploads.folder", folder.resolve("spool").toString());
      settings.put("gateway.timeouts.shutdown", "500ms");
    }

    public Setup with(String key, String value) {
      settings.put(key, value);
      return this;
    }

    public Setup with(Map<String, String> more) {
      settings.putAll(more);
      return this;
    }

    public Setup with(Clock other) {
      clock = other;
      return this;
    }

    public Setup on(InMemoryLog shared) {
      log = shared;
      return this;
    }

    public Setup with(DeadLetterOffice deadLetters) {
      letters = deadLetters;
      return this;
    }

    public Setup heldBack() {
      heldBack = true;
      return this;
    }

    public Setup with(RepositoryDirectory repositories) {
      directory = Optional.of(repositories);
      return this;
    }

    public Setup with(RepositoryStores repositories) {
      stores = repositories;
      return this;
    }

    public Setup http2() {
      version = HttpClient.Version.HTTP_2;
      return this;
    }

    public TestGateway start() {
      return new TestGateway(this);
    }
  }

  private TestGateway(Setup setup) {
    log = setup.log;
    feed = log.feed(setup.heldBack);
    process =
        GatewayProcess.start(
            GatewaySettings.from(Settings.of("test", setup.settings)),
            new GatewayPorts(log, feed, setup.letters, setup.directory, setup.stores),
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT),
            setup.clock,
            new java.security.SecureRandom());
    client =
        HttpClient.newBuilder()
            .version(setup.version)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
  }

  public URI uri(String path) {
    return URI.create(process.address() + path);
  }

  public HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(20));
  }

  public HttpResponse<String> get(String path) {
    return send(request(path).GET());
  }

  public HttpResponse<String> post(String path, String json, String... headers) {
    HttpRequest.Builder request =
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return send(request);
  }

  public HttpResponse<String> delete(String path) {
    return send(request(path).DELETE());
  }

  public HttpResponse<String> send(HttpRequest.Builder request) {
    return send(request, HttpResponse.BodyHandlers.ofString());
  }

  public <T> HttpResponse<T> send(
      HttpRequest.Builder request, HttpResponse.BodyHandler<T> handler) {
    try {
      return client.send(request.build(), handler);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    client.close();
    process.close();
  }

  /** Repositories in a map. Thread-safe. */
  public static final class InMemoryDirectory implements RepositoryDirectory {
    private final TreeMap<RepositoryName, Known> known = new TreeMap<>();

    @Override
    public synchronized boolean knows(RepositoryName name) {
      return known.containsKey(name);
    }

    @Override
    public synchronized List<Known> list() {
      return List.copyOf(known.values());
    }

    @Override
    public synchronized Optional<Known> find(RepositoryName name) {
      return Optional.ofNullable(known.get(name));
    }

    @Override
    public synchronized Known create(RepositoryName name) {
      Known made = new Known(name, "memory", Optional.of(Instant.parse("2030-01-01T00:00:00Z")));
      if (known.putIfAbsent(name, made) != null) {
        throw new GatewayException.Refused(
            ProblemType.CONFLICT, "repository '" + name + "' exists already");
      }
      return made;
    }
  }
}
