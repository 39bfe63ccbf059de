package io.lamina.node.status;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.lamina.status.Page;
import io.lamina.status.Page.Answer;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What a node tells over HTTP. Stateless.
 *
 * <p>Source: docs/plugin-node.md, "Status".
 */
public final class NodePages {
  private NodePages() {}

  /**
   * By path.
   *
   * @param status is asked for each request, on a thread that may block
   */
  public static Map<String, Page> of(Supplier<NodeStatus> status, NodeMetrics metrics) {
    return Map.of(
        "/status", () -> Answer.json(200, NodeStatusJson.of(status.get()).toString()),
        "/health/ready", () -> ready(status.get()),
        "/metrics", () -> Answer.metrics(metrics.scrape(status.get())));
  }

  private static Answer ready(NodeStatus now) {
    return Answer.json(
        now.isReady() ? 200 : 503,
        JsonNodeFactory.instance
            .objectNode()
            .put("status", now.isReady() ? "up" : "down")
            .put("problem", now.problem().orElse(null))
            .toString());
  }
}
