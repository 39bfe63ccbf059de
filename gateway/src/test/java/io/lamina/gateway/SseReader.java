package io.lamina.gateway;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;

/** Reads server-sent events one by one. */
final class SseReader implements AutoCloseable {
  private final HttpResponse<InputStream> response;
  private final BufferedReader lines;

  /** One event; a comment has the name {@code :}. */
  record Sse(String id, String name, String data) {}

  SseReader(TestGateway gateway, String path, String... headers) {
    java.net.http.HttpRequest.Builder request = gateway.request(path).GET();
    if (headers.length > 0) {
      request.headers(headers);
    }
    response = gateway.send(request, HttpResponse.BodyHandlers.ofInputStream());
    lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
  }

  int status() {
    return response.statusCode();
  }

  String contentType() {
    return response.headers().firstValue("Content-Type").orElse("");
  }

  /** The next event or comment; at the end of the stream one with the name {@code end}. */
  Sse next() {
    String id = "";
    String name = "message";
    String data = "";
    try {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.isEmpty()) {
          return new Sse(id, name, data);
        } else if (line.startsWith(":")) {
          name = ":";
        } else if (line.startsWith("id: ")) {
          id = line.substring(4);
        } else if (line.startsWith("event: ")) {
          name = line.substring(7);
        } else if (line.startsWith("data: ")) {
          data = line.substring(6);
        }
      }
    } catch (IOException e) {
      return new Sse("", "broken", String.valueOf(e.getMessage()));
    }
    return new Sse("", "end", "");
  }

  /** The next that is no comment. */
  Sse nextEvent() {
    Sse event = next();
    while (event.name().equals(":")) {
      event = next();
    }
    return event;
  }

  @Override
  public void close() {
    try {
      lines.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
