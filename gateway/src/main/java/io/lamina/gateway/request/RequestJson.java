package io.lamina.gateway.request;

import io.lamina.messaging.event.Event.RequestStatus;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.Locale;
import java.util.Optional;

/** The JSON forms of requests, as in openapi.yaml. Stateless. */
public final class RequestJson {
  private RequestJson() {}

  /**
   * Schema {@code Request}.
   *
   * @param withWork whether each piece of work is listed
   */
  public static JsonObject write(RequestView request, boolean withWork) {
    RequestStatus status = request.status();
    String self = path(status.kind()) + "/" + status.request();
    JsonObject json =
        new JsonObject()
            .put("id", status.request().value())
            .put("kind", kind(status.kind()))
            .put("repository", status.repository().value())
            .put(subjectField(status.kind()), status.subject())
            .put("state", state(status.state()));
    status.detail().ifPresent(d -> json.put("detail", d));
    status.revision().ifPresent(r -> json.put("revision", r));
    json.put("acceptedAt", status.acceptedAt().toString())
        .put("updatedAt", status.updatedAt().toString())
        .put("progress", progress(request.progress()));
    if (withWork) {
      JsonArray work = new JsonArray();
      for (RequestView.Work piece : request.work()) {
        work.add(
            new JsonObject()
                .put("kind", piece.key().kind().name().toLowerCase(Locale.ROOT))
                .put("id", piece.key().id())
                .put("bytesDone", piece.doneBytes())
                .put("bytesTotal", piece.totalBytes()));
      }
      json.put("work", work);
    }
    return json.put("links", new JsonObject().put("self", self).put("events", self + "/events"));
  }

  /** Data of a {@code progress} event. */
  public static JsonObject writeProgress(RequestView request) {
    return new JsonObject()
        .put("id", request.status().request().value())
        .put("repository", request.status().repository().value())
        .put("progress", progress(request.progress()));
  }

  public static JsonObject write(RequestPage page) {
    JsonArray items = new JsonArray();
    page.items().forEach(r -> items.add(write(r, false)));
    JsonObject json = new JsonObject().put("items", items);
    page.next().ifPresent(p -> json.put("next", p.cursor()));
    return json;
  }

  private static JsonObject progress(RequestView.Progress progress) {
    return new JsonObject()
        .put("layersDone", progress.layersDone())
        .put("layersTotal", progress.layersTotal())
        .put("bytesDone", progress.doneBytes())
        .put("bytesTotal", progress.totalBytes());
  }

  /** Where requests of this kind are. */
  public static String path(RequestStatus.Kind kind) {
    return switch (kind) {
      case CONVERSION -> "/api/v1/conversions";
      case DIFF_COMMIT -> "/api/v1/diff-commits";
      case REMOVAL -> "/api/v1/removals";
      case COLLECTION -> "/api/v1/collections";
    };
  }

  private static String subjectField(RequestStatus.Kind kind) {
    return switch (kind) {
      case CONVERSION -> "image";
      case DIFF_COMMIT -> "layer";
      case REMOVAL -> "removes";
      case COLLECTION -> "collects";
    };
  }

  private static String kind(RequestStatus.Kind kind) {
    return switch (kind) {
      case CONVERSION -> "conversion";
      case DIFF_COMMIT -> "diff-commit";
      case REMOVAL -> "removal";
      case COLLECTION -> "collection";
    };
  }

  private static String state(RequestStatus.State state) {
    return state.name().toLowerCase(Locale.ROOT);
  }

  /** Reads a state's name. */
  public static Optional<RequestStatus.State> state(String name) {
    for (RequestStatus.State state : RequestStatus.State.values()) {
      if (state(state).equals(name)) {
        return Optional.of(state);
      }
    }
    return Optional.empty();
  }
}
