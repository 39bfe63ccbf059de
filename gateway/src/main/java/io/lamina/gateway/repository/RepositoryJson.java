package io.lamina.gateway.repository;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** The JSON forms of repositories, as in openapi.yaml. Stateless. */
public final class RepositoryJson {
  private RepositoryJson() {}

  /** Schema {@code Repository}. */
  public static JsonObject write(RepositoryView view) {
    JsonObject json = new JsonObject().put("name", view.name().value());
    view.known()
        .ifPresent(
            k -> {
              json.put("storage", k.storage());
              k.whitelistExpires().ifPresent(t -> json.put("whitelistExpires", t.toString()));
            });
    JsonArray revisions = new JsonArray();
    if (!view.revisions().isEmpty()) {
      Revision latest = view.revisions().getFirst();
      json.put("revision", latest.number()).put("root", latest.root().toString());
      view.revisions().forEach(r -> revisions.add(write(r)));
    }
    JsonObject links = new JsonObject().put("self", "/api/v1/repositories/" + view.name());
    if (view.served()) {
      links.put("stratum0", "/cvmfs/" + view.name());
    }
    return json.put("revisions", revisions).put("links", links);
  }

  /** Schema {@code Revision}. */
  public static JsonObject write(Revision revision) {
    return new JsonObject()
        .put("revision", revision.number())
        .put("root", revision.root().toString())
        .put("publishedAt", revision.publishedAt().toString())
        .put("changes", revision.changes());
  }

  /** Data of a {@code published} event. */
  public static JsonObject writeEvent(Revision revision) {
    return new JsonObject()
        .put("repository", revision.repository().value())
        .mergeIn(write(revision));
  }
}
