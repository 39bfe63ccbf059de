package io.lamina.node.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One gateway. Every call has a deadline; a stream of events ends when nothing was heard for {@link
 * #SILENCE}. Methods block and can be interrupted. Thread-safe. Source: docs/api.md.
 */
public final class GatewayConnection implements AutoCloseable {
  /** Four of the gateway's heartbeats. */
  private static final Duration SILENCE = Duration.ofSeconds(60);

  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final int MAX_ANSWER_BYTES = 1 << 20;
  private static final int MAX_SAID_CHARS = 500;
  private static final Set<Integer> PASSING = Set.of(408, 429, 500, 502, 503, 504, 507);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final URI base;
  private final Optional<String> token;
  private final ScheduledExecutorService watchdog =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("gateway-watchdog").factory());

  /** Made by the first call: preparing TLS takes as long as all that an engine waits for. */
  private @Nullable HttpClient http;

  private boolean isClosed;

  /**
   * @param base such as {@code https://gateway.example.org}
   * @param token empty for a gateway without tokens
   */
  public GatewayConnection(URI base, Optional<String> token) {
    this.base = URI.create(base.toString().replaceAll("/+$", ""));
    this.token = token;
  }

  public URI base() {
    return base;
  }

  /**
   * Whether something is there.
   *
   * @throws GatewayFailure.Refused for any answer but success and 404
   */
  public boolean exists(String path, Duration deadline)
      throws GatewayFailure, InterruptedException {
    HttpResponse<InputStream> response = send(request(path).GET().build(), deadline);
    if (response.statusCode() == 404) {
      close(response.body());
      return false;
    }
    read(response);
    return true;
  }

  /** Asks for something; {@code headers} are added. */
  public JsonNode post(String path, ObjectNode body, Map<String, String> headers, Duration deadline)
      throws GatewayFailure, InterruptedException {
    HttpRequest.Builder request =
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body.toString()));
    headers.forEach(request::header);
    return json(read(send(request.build(), deadline)));
  }

  /** Sends a file; its size is announced first. */
  public void put(String path, Path file, Duration deadline)
      throws GatewayFailure, InterruptedException {
    try {
      read(
          send(
              request(path)
                  .header("Content-Type", "application/octet-stream")
                  .PUT(HttpRequest.BodyPublishers.ofFile(file))
                  .build(),
              deadline));
    } catch (FileNotFoundException e) {
      throw new IllegalStateException("a file that is to be sent is gone: " + file, e);
    }
  }

  /**
   * Follows a stream of events, until {@code wantsMore} says no or the stream ends.
   *
   * @param lastId of the last event that was seen; empty for a new stream
   * @param connected called once the gateway has answered
   * @return whether the reader ended it
   */
  public boolean follow(
      String path, String lastId, Runnable connected, Predicate<ServerEvent> wantsMore)
      throws GatewayFailure, InterruptedException {
    HttpRequest.Builder builder = builder(path).header("Accept", "text/event-stream").GET();
    if (!lastId.isEmpty()) {
      builder.header("Last-Event-ID", lastId);
    }
    HttpResponse<InputStream> response = send(builder.build(), SILENCE);
    if (response.statusCode() != 200) {
      read(response);
      throw new GatewayFailure.Refused(
          response.statusCode(), "the gateway at " + base + " sends no events");
    }
    Heard heard = new Heard();
    InputStream body = response.body();
    ScheduledFuture<?> watch =
        watchdog.scheduleWithFixedDelay(
            () -> {
              if (heard.isSilent()) {
                close(body);
              }
            },
            1,
            1,
            TimeUnit.SECONDS);
    try (body) {
      connected.run();
      ServerEventReader events = new ServerEventReader(body, heard);
      for (Optional<ServerEvent> event = events.next(); event.isPresent(); event = events.next()) {
        if (!wantsMore.test(event.get())) {
          return true;
        }
      }
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      return false;
    } catch (IOException e) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      throw away("the stream of events broke off: " + e.getMessage(), e);
    } finally {
      watch.cancel(false);
    }
  }

  /** When a stream was last heard. Thread-safe. */
  private static final class Heard implements Runnable {
    private volatile long lastNanos = System.nanoTime();

    @Override
    public void run() {
      lastNanos = System.nanoTime();
    }

    boolean isSilent() {
      return System.nanoTime() - lastNanos > SILENCE.toNanos();
    }
  }

  private HttpRequest.Builder request(String path) {
    return builder(path).header("Accept", "application/json");
  }

  private HttpRequest.Builder builder(String path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path));
    token.ifPresent(value -> request.header("Authorization", "Bearer " + value));
    return request;
  }

  /** The deadline ends at the answer's head; the bodies that are read are small. */
  private HttpResponse<InputStream> send(HttpRequest request, Duration deadline)
      throws GatewayFailure, InterruptedException {
    CompletableFuture<HttpResponse<InputStream>> answer =
        http().sendAsync(request, HttpResponse.BodyHandlers.ofInputStream());
    try {
      return answer.get(Math.max(1, deadline.toMillis()), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      String why =
          switch (e.getCause()) {
            case HttpTimeoutException _ -> "it did not answer in time";
            case ConnectException _ -> "nothing listens there";
            case null, default -> String.valueOf(e.getCause());
          };
      throw away(why, e);
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw away("it did not answer within " + deadline.toSeconds() + " s", e);
    } catch (InterruptedException e) {
      answer.cancel(true);
      throw e;
    }
  }

  private synchronized HttpClient http() throws GatewayFailure.Away {
    if (isClosed) {
      throw away("this process is ending", null);
    }
    HttpClient made = http;
    if (made == null) {
      made =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .connectTimeout(CONNECT)
              .build();
      http = made;
    }
    return made;
  }

  private GatewayFailure.Away away(String why, @Nullable Throwable cause) {
    return new GatewayFailure.Away("the gateway at " + base + " cannot be reached: " + why, cause);
  }

  private byte[] read(HttpResponse<InputStream> response) throws GatewayFailure {
    byte[] bytes;
    try (InputStream body = response.body()) {
      bytes = body.readNBytes(MAX_ANSWER_BYTES);
    } catch (IOException e) {
      throw away("its answer broke off", e);
    }
    int status = response.statusCode();
    if (status / 100 == 2) {
      return bytes;
    }
    String said = said(bytes);
    String message =
        said.isEmpty()
            ? "the gateway at " + base + " answered with status " + status
            : "the gateway at " + base + " says: " + said;
    throw PASSING.contains(status)
        ? new GatewayFailure.Away(message, null)
        : new GatewayFailure.Refused(status, message);
  }

  /** The gateway's own words from its problem document, where it sent one. */
  private static String said(byte[] body) {
    try {
      JsonNode problem = JSON.readTree(body);
      String said = problem.path("detail").asText(problem.path("title").asText());
      return said.length() > MAX_SAID_CHARS ? said.substring(0, MAX_SAID_CHARS) + "…" : said;
    } catch (IOException e) {
      return ""; // not a problem document: the status alone must do
    }
  }

  private JsonNode json(byte[] bytes) throws GatewayFailure {
    try {
      JsonNode json = JSON.readTree(new String(bytes, StandardCharsets.UTF_8));
      if (json.isObject()) {
        return json;
      }
    } catch (JsonProcessingException e) {
      // one failure for all that is no object
    }
    throw new GatewayFailure.Refused(
        200, "what answers at " + base + " is no gateway: its answer is no JSON object");
  }

  private static void close(InputStream body) {
    try {
      body.close();
    } catch (IOException e) {
      // what is not read any more may break off
    }
  }

  @Override
  public synchronized void close() {
    isClosed = true;
    watchdog.shutdownNow();
    if (http != null) {
      http.shutdownNow();
    }
  }
}
