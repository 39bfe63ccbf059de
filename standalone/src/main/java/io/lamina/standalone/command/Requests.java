package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.GatewayException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;

/** A gateway's requests of all kinds, as one. Not thread-safe. */
final class Requests {
  private static final List<String> PATHS =
      List.of(
          "/api/v1/conversions", "/api/v1/diff-commits", "/api/v1/removals", "/api/v1/collections");
  private static final int PAGE = 200;
  private static final int NOT_FOUND = 404;

  private final GatewayClient gateway;

  Requests(GatewayClient gateway) {
    this.gateway = gateway;
  }

  /**
   * Does something with the request, of whatever kind it is.
   *
   * @param step given the request's path
   * @throws GatewayException as the step, or 404 if no kind has a request with this id
   */
  static <T> T withPath(String id, Function<String, T> step) {
    GatewayException none = null;
    for (String path : PATHS) {
      try {
        return step.apply(path + "/" + StatusCommand.encode(id));
      } catch (GatewayException e) {
        if (e.status() != NOT_FOUND) {
          throw e;
        }
        none = e;
      }
    }
    throw new CommandException(
        ExitCode.NOT_FOUND,
        "there is no request '"
            + id
            + "' that this token may see; 'lamina status' lists them ("
            + (none == null ? "" : none.getMessage())
            + ")");
  }

  /**
   * Up to {@code limit} requests, newest first.
   *
   * @param filter query parameters, each with its {@code &}
   */
  List<JsonNode> newest(String filter, int limit) {
    List<Pages> kinds = PATHS.stream().map(path -> new Pages(path, filter, limit)).toList();
    List<JsonNode> newest = new ArrayList<>();
    while (newest.size() < limit) {
      Pages next =
          kinds.stream()
              .filter(Pages::hasNext)
              .max(Comparator.comparing(pages -> acceptedAt(pages.peek())))
              .orElse(null);
      if (next == null) {
        return newest;
      }
      newest.add(next.take());
    }
    return newest;
  }

  private static Instant acceptedAt(JsonNode request) {
    return Instant.parse(request.path("acceptedAt").asText());
  }

  /** The pages of one kind, as one list. */
  private final class Pages {
    private final String path;
    private final String filter;
    private final int pageSize;
    private final Deque<JsonNode> read = new ArrayDeque<>();
    private String cursor = "";
    private boolean ended;

    Pages(String path, String filter, int limit) {
      this.path = path;
      this.filter = filter;
      this.pageSize = Math.clamp(limit, 1, PAGE);
    }

    boolean hasNext() {
      while (read.isEmpty() && !ended) {
        JsonNode page =
            gateway.fetch(
                path
                    + "?limit="
                    + pageSize
                    + filter
                    + (cursor.isEmpty() ? "" : "&cursor=" + StatusCommand.encode(cursor)));
        page.path("items").forEach(read::add);
        cursor = page.path("next").asText();
        ended = cursor.isEmpty();
      }
      return !read.isEmpty();
    }

    JsonNode peek() {
      return read.getFirst();
    }

    JsonNode take() {
      if (!hasNext()) {
        throw new NoSuchElementException(path);
      }
      return read.removeFirst();
    }
  }
}
