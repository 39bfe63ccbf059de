package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.Locale;

/**
 * Shows a request's progress: one line that is drawn over on a terminal, a line for each change of
 * state elsewhere. One thread.
 */
final class ProgressBar {
  private static final int WIDTH = 28;
  private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

  private final PrintWriter out;
  private final boolean isTerminal;
  private String shown = "";
  private boolean isLineOpen;

  ProgressBar(PrintWriter out) {
    this.out = out;
    this.isTerminal = System.console() != null && System.console().isTerminal();
  }

  /** Draws a request as the gateway's API describes it. */
  void show(JsonNode request) {
    String state = request.path("state").asText();
    String line = isTerminal ? bar(request) : state;
    if (line.equals(shown)) {
      return;
    }
    shown = line;
    if (isTerminal) {
      out.print("\r\033[K" + line);
      isLineOpen = true;
    } else {
      out.println(subject(request) + ": " + state);
    }
    out.flush();
  }

  /** Ends the line that is drawn over. */
  void finish() {
    if (isLineOpen) {
      out.println();
      isLineOpen = false;
    }
  }

  private static String bar(JsonNode request) {
    JsonNode progress = request.path("progress");
    long done = progress.path("bytesDone").asLong();
    long total = Math.max(1, progress.path("bytesTotal").asLong());
    int filled = (int) Math.min(WIDTH, WIDTH * done / total);
    return "%-10s [%s%s] %s of %s, %d of %d layers  %s"
        .formatted(
            request.path("state").asText(),
            "#".repeat(filled),
            ".".repeat(WIDTH - filled),
            bytes(done),
            bytes(progress.path("bytesTotal").asLong()),
            progress.path("layersDone").asLong(),
            progress.path("layersTotal").asLong(),
            subject(request));
  }

  static String subject(JsonNode request) {
    if (request.has("collects")) {
      return "collect " + request.path("collects").asText();
    }
    if (request.has("removes")) {
      return "remove " + request.path("removes").asText();
    }
    return request.path("image").asText(request.path("layer").asText());
  }

  /** A size for people, in binary units. */
  static String bytes(long size) {
    double value = size;
    int unit = 0;
    while (value >= 1024 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    return unit == 0 ? size + " B" : String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
  }
}
