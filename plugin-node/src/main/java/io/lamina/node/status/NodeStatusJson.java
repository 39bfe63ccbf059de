package io.lamina.node.status;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** The status as JSON, in fixed order. */
final class NodeStatusJson {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private NodeStatusJson() {}

  static ObjectNode of(NodeStatus status) {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("name", status.name());
    json.put("socket", status.socket().orElse(null));
    json.put("ready", status.isReady());
    json.put("problem", status.problem().orElse(null));
    status
        .engine()
        .ifPresentOrElse(
            engine -> {
              ObjectNode node = json.putObject("engine").put("home", engine.home());
              engine.options().forEach(node.putArray("options")::add);
            },
            () -> json.putNull("engine"));
    json.putObject("calls")
        .put("underWay", status.calls().underWay())
        .put("max", status.calls().max());
    json.putObject("layers")
        .put("count", status.layers().count())
        .put("thin", status.layers().thin())
        .put("mounted", status.layers().mounted())
        .put("uses", status.layers().uses());
    ArrayNode mounts = json.putArray("mounts");
    for (NodeStatus.Mount mount : status.mounts()) {
      ObjectNode node = mounts.addObject().put("layer", mount.layer()).put("uses", mount.uses());
      mount.repositories().forEach(node.putArray("repositories")::add);
    }
    status
        .snapshots()
        .ifPresentOrElse(
            snapshots ->
                json.putObject("snapshots")
                    .put("socket", snapshots.socket())
                    .put("callsUnderWay", snapshots.callsUnderWay())
                    .put("active", snapshots.active())
                    .put("views", snapshots.views())
                    .put("committed", snapshots.committed())
                    .put("remote", snapshots.remote()),
            () -> json.putNull("snapshots"));
    ArrayNode clients = json.putArray("clients");
    for (NodeStatus.Client client : status.clients()) {
      client(clients.addObject(), client);
    }
    ArrayNode following = json.putArray("following");
    for (NodeStatus.Following each : status.following()) {
      following.addObject().put("source", each.source()).put("lag", each.lag());
    }
    return json;
  }

  private static void client(ObjectNode node, NodeStatus.Client client) {
    node.put("name", client.name());
    client
        .cache()
        .ifPresent(
            cache ->
                node.putObject("cache")
                    .put("objects", cache.objects())
                    .put("usedBytes", cache.usedBytes())
                    .put("limitBytes", cache.limitBytes())
                    .put("hits", cache.hits())
                    .put("misses", cache.misses()));
    ArrayNode repositories = node.putArray("repositories");
    for (NodeStatus.Repository repository : client.repositories()) {
      repositories
          .addObject()
          .put("name", repository.name())
          .put("revision", repository.revision())
          .put("uses", repository.uses())
          .put("alive", repository.isAlive());
    }
  }
}
