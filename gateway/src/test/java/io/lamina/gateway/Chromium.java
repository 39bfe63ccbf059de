package io.lamina.gateway;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** One page of a headless browser, driven over its debugging protocol. */
final class Chromium implements AutoCloseable {
  private static final List<String> NAMES =
      List.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome");

  private final Process process;
  private final HttpClient client = HttpClient.newHttpClient();
  private final WebSocket socket;
  private final AtomicInteger ids = new AtomicInteger();
  private final Map<Integer, CompletableFuture<JsonObject>> answers = new ConcurrentHashMap<>();
  private final List<String> complaints = new CopyOnWriteArrayList<>();

  static Optional<Path> installed() {
    return NAMES.stream().map(Path::of).filter(Files::isExecutable).findFirst();
  }

  Chromium(Path binary, Path profile) throws Exception {
    process =
        new ProcessBuilder(
                binary.toString(),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--window-size=1200,900",
                "--user-data-dir=" + profile,
                "--remote-debugging-port=0",
                "about:blank")
            .redirectErrorStream(true)
            .start();
    URI browser = debuggingAddress();
    String list =
        client
            .send(
                HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + browser.getPort() + "/json/list"))
                    .build(),
                HttpResponse.BodyHandlers.ofString())
            .body();
    String page =
        new JsonArray(list)
            .stream()
                .map(JsonObject.class::cast)
                .filter(t -> "page".equals(t.getString("type")))
                .findFirst()
                .orElseThrow()
                .getString("webSocketDebuggerUrl");
    socket =
        client
            .newWebSocketBuilder()
            .buildAsync(URI.create(page), new Reader())
            .get(20, TimeUnit.SECONDS);
    call("Runtime.enable", new JsonObject());
    call("Log.enable", new JsonObject());
    call("Page.enable", new JsonObject());
  }

  private URI debuggingAddress() throws IOException {
    BufferedReader output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    List<String> said = new ArrayList<>();
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      said.add(line);
      if (line.startsWith("DevTools listening on ")) {
        Thread.ofVirtual().start(() -> output.lines().forEach(rest -> {}));
        return URI.create(line.substring("DevTools listening on ".length()));
      }
    }
    throw new IOException("the browser did not start: " + said);
  }

  private final class Reader implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        take(new JsonObject(text.toString()));
        text.setLength(0);
      }
      from.request(1);
      return CompletableFuture.completedStage(null);
    }

    private void take(JsonObject message) {
      Integer id = message.getInteger("id");
      CompletableFuture<JsonObject> waiting = id == null ? null : answers.remove(id);
      if (waiting != null) {
        waiting.complete(message);
      } else if (List.of("Runtime.exceptionThrown", "Log.entryAdded")
          .contains(message.getString("method", ""))) {
        complaints.add(message.getJsonObject("params").encode());
      }
    }
  }

  private JsonObject call(String method, JsonObject params) throws Exception {
    int id = ids.incrementAndGet();
    CompletableFuture<JsonObject> answer = new CompletableFuture<>();
    answers.put(id, answer);
    socket
        .sendText(
            new JsonObject().put("id", id).put("method", method).put("params", params).encode(),
            true)
        .get(20, TimeUnit.SECONDS);
    return answer.get(30, TimeUnit.SECONDS).getJsonObject("result");
  }

  void open(String address) throws Exception {
    call("Page.navigate", new JsonObject().put("url", address));
  }

  void preferDark() throws Exception {
    call(
        "Emulation.setEmulatedMedia",
        new JsonObject()
            .put(
                "features",
                new JsonArray()
                    .add(
                        new JsonObject()
                            .put("name", "prefers-color-scheme")
                            .put("value", "dark"))));
  }

  /** The value of a JavaScript expression, as text. */
  String evaluate(String expression) {
    try {
      JsonObject result =
          call(
              "Runtime.evaluate",
              new JsonObject()
                  .put("expression", "String(" + expression + ")")
                  .put("awaitPromise", true));
      return result.getJsonObject("result").getString("value", "");
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  byte[] screenshot() throws Exception {
    return Base64.getDecoder()
        .decode(
            call("Page.captureScreenshot", new JsonObject().put("format", "png"))
                .getString("data"));
  }

  /** Errors that the page or the browser's policies reported. */
  List<String> complaints() {
    return complaints;
  }

  @Override
  public void close() {
    socket.abort();
    client.shutdownNow();
    process.destroy();
    if (process.onExit().completeOnTimeout(process, 10, TimeUnit.SECONDS).join().isAlive()) {
      process.destroyForcibly();
    }
  }
}
