package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The commands {@code status} and {@code cancel} on a gateway with requests of both kinds. */
@SuppressWarnings("NullAway.Init")
class RequestsTest {
  private static final String MISSING = "{\"detail\": \"there is none\"}";

  private final List<String> asked = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger refusals = new AtomicInteger();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    String uri = exchange.getRequestURI().toString();
    asked.add(exchange.getRequestMethod() + " " + uri);
    if (exchange.getRequestMethod().equals("POST") && refusals.getAndDecrement() > 0) {
      exchange.getResponseHeaders().add("Retry-After", "1");
      exchange.sendResponseHeaders(429, -1);
      exchange.close();
      return;
    }
    String body =
        switch (exchange.getRequestURI().getPath()) {
          case "/api/v1/conversions" ->
              exchange.getRequestMethod().equals("POST")
                  ? request("c4", "image", 9)
                  : uri.contains("cursor=more")
                      ? "{\"items\": [" + request("c3", "image", 1) + "]}"
                      : "{\"items\": ["
                          + request("c1", "image", 9)
                          + ","
                          + request("c2", "image", 5)
                          + "], \"next\": \"more\"}";
          case "/api/v1/diff-commits" -> "{\"items\": [" + request("d1", "layer", 7) + "]}";
          case "/api/v1/removals" ->
              exchange.getRequestMethod().equals("POST")
                  ? request("r2", "removes", 8)
                  : "{\"items\": [" + request("r1", "removes", 3) + "]}";
          case "/api/v1/collections" ->
              exchange.getRequestMethod().equals("POST")
                  ? request("g1", "collects", 8)
                  : "{\"items\": []}";
          case "/api/v1/conversions/c1" -> request("c1", "image", 9);
          case "/api/v1/diff-commits/d1" -> request("d1", "layer", 7);
          default -> MISSING;
        };
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(body.equals(MISSING) ? 404 : 200, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static String request(String id, String subject, int second) {
    return ("{\"id\": \"%s\", \"%s\": \"s\", \"state\": \"done\", \"repository\": \"a.org\","
            + " \"acceptedAt\": \"2026-01-01T00:00:0%dZ\"}")
        .formatted(id, subject, second);
  }

  private String run(int expected, String... arguments) {
    StringWriter out = new StringWriter();
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--gateway");
    all.add("http://127.0.0.1:" + server.getAddress().getPort());
    PrintWriter writer = new PrintWriter(out);
    assertThat(LaminaCommand.run(writer, writer, all.toArray(String[]::new)))
        .as(out.toString())
        .isEqualTo(expected);
    writer.flush();
    return out.toString();
  }

  private static List<String> ids(String output) {
    return output.lines().map(line -> line.split(" ")[0]).toList();
  }

  @Test
  void listsConversionsAndCommitsNewestFirst() {
    assertThat(ids(run(0, "status"))).containsExactly("c1", "d1", "c2", "r1", "c3");
    assertThat(ids(run(0, "status", "--limit", "2", "--repo", "a.org")))
        .containsExactly("c1", "d1");
    assertThat(asked)
        .endsWith(
            "GET /api/v1/diff-commits?limit=2&repository=a.org",
            "GET /api/v1/removals?limit=2&repository=a.org",
            "GET /api/v1/collections?limit=2&repository=a.org");
  }

  @Test
  void findsARequestOfEitherKind() {
    assertThat(run(0, "status", "c1")).startsWith("c1");
    assertThat(run(0, "status", "d1")).startsWith("d1");
    assertThat(run(3, "status", "x")).contains("no request 'x'", "there is none");
  }

  @Test
  void cancelsARequestOfEitherKind() {
    run(0, "cancel", "d1");

    assertThat(asked)
        .containsExactly("DELETE /api/v1/conversions/d1", "DELETE /api/v1/diff-commits/d1");
  }

  @Test
  void waitsWithABulkRequestWhileTheGatewayHasTooMuchToDo() {
    refusals.set(1);
    assertThat(run(0, "convert", "debian:12", "debian:13", "--bulk", "--repo", "a.org"))
        .contains("debian:12 waits 1 s", "c4");
    assertThat(asked)
        .containsExactly(Collections.nCopies(3, "POST /api/v1/conversions").toArray(String[]::new));
    refusals.set(1);
    assertThat(run(6, "convert", "debian:12", "--repo", "a.org")).contains("status 429");
  }

  @Test
  void asksForTheRemovalOfEachImageOrOfAll() {
    assertThat(run(0, "remove", "a:1", "b:*", "--repo", "a.org"))
        .startsWith("r2  done       remove s -> a.org");
    assertThat(asked).containsExactly("POST /api/v1/removals", "POST /api/v1/removals");
    run(0, "remove", "--all", "--repo", "a.org");
    assertThat(run(2, "remove", "--repo", "a.org")).contains("--all");
    assertThat(run(2, "remove", "a:1", "--all", "--repo", "a.org")).contains("not both");
  }

  @Test
  void asksForTheRemovalOfWhatARuleDoesNotKeep() {
    assertThat(run(0, "prune", "a.org", "--keep-last", "3", "--newer-than", "30d"))
        .startsWith("r2");
    assertThat(asked).containsExactly("POST /api/v1/removals");
    assertThat(run(2, "prune", "a.org")).contains("--keep-last");
    assertThat(run(2, "prune", "a.org", "--newer-than", "soon")).contains("'soon'");
  }

  @Test
  void asksForACollection() {
    assertThat(run(0, "gc", "a.org", "--dry-run")).startsWith("g1  done       collect s -> a.org");
    assertThat(asked).containsExactly("POST /api/v1/collections");
  }

  @Test
  void settlesDeadLettersByNameOrAllAndNotBoth() {
    assertThat(run(2, "dead-letters", "retry")).contains("--all");
    assertThat(run(2, "dead-letters", "drop", "--all", "a-0-1")).contains("not both");
    assertThat(run(3, "dead-letters", "retry", "a-0-1")).contains("there is none");
    assertThat(asked).containsExactly("POST /api/v1/dead-letters/a-0-1/retry");
  }
}
