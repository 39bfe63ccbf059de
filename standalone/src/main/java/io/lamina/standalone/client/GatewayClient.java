package io.lamina.standalone.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Calls a gateway's HTTP API. A call, and an event stream too, fails when the gateway is not heard
 * for long. Thread-safe. Source: docs/api.md.
 */
public final class GatewayClient implements AutoCloseable {
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration CALL = Duration.ofSeconds(60);

  /** A gateway sends a comment line every 15 s unless it was told otherwise. */
  private static final Duration SILENCE = Duration.ofMinutes(2);

  private static final int MAX_BODY_BYTES = 16 << 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final URI base;
  private final Optional<String> token;
  private final Duration silence;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT).build();

  public GatewayClient(URI base, Optional<String> token) {
    this(base, token, SILENCE);
  }

  /**
   * @param silence how long an event stream may be without a line before its gateway is taken for
   *     gone
   */
  GatewayClient(URI base, Optional<String> token, Duration silence) {
    this.base = URI.create(base.toString().replaceAll("/+$", ""));
    this.token = token;
    this.silence = silence;
  }

  /**
   * @param path absolute path with its query
   * @throws GatewayException if the gateway is out of reach or says anything but success
   */
  public JsonNode fetch(String path) {
    return json(send(request(path).GET().build()));
  }

  /** As {@link #fetch}, sending a body; {@code headers} are added. */
  public JsonNode post(String path, ObjectNode body, Map<String, String> headers) {
    HttpRequest.Builder request =
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body.toString()));
    headers.forEach(request::header);
    return json(send(request.build()));
  }

  /** As {@link #fetch}, for something to be done that needs no body. */
  public JsonNode post(String path) {
    return json(send(request(path).POST(HttpRequest.BodyPublishers.noBody()).build()));
  }

  public JsonNode delete(String path) {
    return json(send(request(path).DELETE().build()));
  }

  /** Whether the gateway answers and can take work. */
  public boolean isReady() {
    try {
      send(request("/health/ready").GET().build());
      return true;
    } catch (GatewayException e) {
      return false;
    }
  }

  /**
   * Follows a stream of server-sent events until {@code wantsMore} says no or the stream ends.
   *
   * @return whether the reader ended it
   */
  public boolean follow(String path, Predicate<JsonNode> wantsMore) {
    HttpRequest request =
        builder(path).timeout(CALL).header("Accept", "text/event-stream").GET().build();
    try {
      HttpResponse<InputStream> response =
          http.send(request, HttpResponse.BodyHandlers.ofInputStream());
      try (InputStream body = new WatchedStream(response.body(), silence)) {
        if (response.statusCode() != 200) {
          throw failure(response, body.readNBytes(MAX_BODY_BYTES));
        }
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          if (line.startsWith("data:") && !wantsMore.test(JSON.readTree(line.substring(5)))) {
            return true;
          }
        }
        return false;
      }
    } catch (IOException e) {
      throw unreachable(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new GatewayException(0, "interrupted while following " + path);
    }
  }

  private HttpRequest.Builder request(String path) {
    return builder(path).timeout(CALL).header("Accept", "application/json");
  }

  private HttpRequest.Builder builder(String path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path));
    token.ifPresent(value -> request.header("Authorization", "Bearer " + value));
    return request;
  }

  private byte[] send(HttpRequest request) {
    try {
      HttpResponse<InputStream> response =
          http.send(request, HttpResponse.BodyHandlers.ofInputStream());
      try (InputStream body = new WatchedStream(response.body(), CALL)) {
        byte[] bytes = body.readNBytes(MAX_BODY_BYTES);
        if (response.statusCode() / 100 != 2) {
          throw failure(response, bytes);
        }
        return bytes;
      }
    } catch (IOException e) {
      throw unreachable(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new GatewayException(0, "interrupted while waiting for " + base);
    }
  }

  private GatewayException unreachable(IOException cause) {
    String why =
        switch (cause) {
          case HttpTimeoutException _ -> "it did not answer in time";
          case ConnectException _ -> "nothing listens there";
          default -> String.valueOf(cause.getMessage());
        };
    return new GatewayException(
        0,
        "cannot reach the gateway at "
            + base
            + ": "
            + why
            + ". Start one with 'lamina up', or name yours with --gateway URL or LAMINA_GATEWAY");
  }

  /** The gateway's own words from its problem document, where it sent one. */
  private GatewayException failure(HttpResponse<?> response, byte[] body) {
    int status = response.statusCode();
    String said = "";
    try {
      JsonNode problem = JSON.readTree(body);
      said = problem.path("detail").asText(problem.path("title").asText());
    } catch (IOException e) {
      // not a problem document: the status alone must do
    }
    return new GatewayException(
        status,
        said.isEmpty() ? "the gateway at " + base + " answered with status " + status : said,
        retryAfter(response));
  }

  private static Optional<Duration> retryAfter(HttpResponse<?> response) {
    return response
        .headers()
        .firstValue("Retry-After")
        .filter(seconds -> seconds.matches("[0-9]{1,6}"))
        .map(seconds -> Duration.ofSeconds(Long.parseLong(seconds)));
  }

  private static JsonNode json(byte[] bytes) {
    try {
      return bytes.length == 0 ? JSON.createObjectNode() : JSON.readTree(bytes);
    } catch (JsonProcessingException e) {
      throw new GatewayException(
          502, "the gateway's answer is not JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new GatewayException(502, "the gateway's answer cannot be read: " + e.getMessage());
    }
  }

  @Override
  public void close() {
    http.shutdownNow(); // nobody waits for an answer any more, and close() would
  }
}
