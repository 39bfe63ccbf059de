package io.lamina.node.commit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.node.gateway.GatewayConnection;
import io.lamina.node.gateway.GatewayFailure;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A request to publish one layer, and the ear at the gateway for its end. Thread-safe. Source:
 * docs/api.md, "Publish a layer" and "Live events".
 */
final class CommitRequest implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CommitRequest.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9_-]{1,100}");
  private static final int MAX_DETAIL_CHARS = 500;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** How far it is. */
  sealed interface State {
    record UnderWay() implements State {}

    record Done(long revision) implements State {}

    record Failed(String reason) implements State {}
  }

  private final GatewayConnection gateway;
  private final String id;
  private final Runnable changed;
  private final Thread follower;
  private volatile State state;

  private CommitRequest(GatewayConnection gateway, String id, State state, Runnable changed) {
    this.gateway = gateway;
    this.id = id;
    this.state = state;
    this.changed = changed;
    this.follower = Thread.ofPlatform().daemon().name("request-" + id).unstarted(this::run);
  }

  /**
   * Asks; asking again under the same key is the same request.
   *
   * @param changed called when the state has changed, on another thread
   */
  static CommitRequest submit(
      GatewayConnection gateway,
      RepositoryName repository,
      Descriptor archive,
      Digest diffId,
      String key,
      Duration deadline,
      Runnable changed)
      throws GatewayFailure, InterruptedException {
    ObjectNode body =
        JSON.createObjectNode()
            .put("repository", repository.value())
            .put("digest", archive.digest().toString())
            .put("sizeBytes", archive.sizeBytes())
            .put("diffId", diffId.toString())
            .put("mediaType", archive.mediaType());
    JsonNode answer =
        gateway.post("/api/v1/diff-commits", body, Map.of("Idempotency-Key", key), deadline);
    String id = answer.path("id").asText();
    if (!ID.matcher(id).matches()) {
      throw new GatewayFailure.Refused(
          200, "what answers at " + gateway.base() + " is no gateway: its request has no id");
    }
    return new CommitRequest(gateway, id, state(answer), changed);
  }

  private static State state(JsonNode request) {
    String detail = request.path("detail").asText("no reason was told");
    String reason =
        detail.length() > MAX_DETAIL_CHARS ? detail.substring(0, MAX_DETAIL_CHARS) + "…" : detail;
    return switch (request.path("state").asText()) {
      case "done" -> new State.Done(request.path("revision").asLong());
      case "failed" -> new State.Failed(reason);
      case "cancelled" -> new State.Failed("it was cancelled: " + reason);
      default -> new State.UnderWay();
    };
  }

  String id() {
    return id;
  }

  State state() {
    return state;
  }

  /** Begins to listen; to be called once. */
  void follow() {
    follower.start();
  }

  private void run() {
    Duration pause = FIRST_PAUSE;
    try {
      while (state instanceof State.UnderWay) {
        try {
          gateway.follow(
              "/api/v1/diff-commits/" + id + "/events",
              "",
              () -> {},
              event -> {
                if (event.kind().equals("request") && event.data().path("id").asText().equals(id)) {
                  state = state(event.data());
                }
                return state instanceof State.UnderWay;
              });
        } catch (GatewayFailure e) {
          LOG.atDebug().addKeyValue("request", id).setCause(e).log("request cannot be followed");
        }
        if (state instanceof State.UnderWay) {
          Thread.sleep(pause);
          pause =
              pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0
                  ? LONGEST_PAUSE
                  : pause.multipliedBy(2);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) { // the thread's top
      LOG.atError().addKeyValue("request", id).setCause(e).log("request cannot be followed");
    }
    changed.run();
  }

  /** Ends listening; the request goes on. */
  @Override
  public void close() {
    follower.interrupt();
  }
}
