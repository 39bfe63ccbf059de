package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.node.NodeSettings;
import io.lamina.node.status.NodeStatusClient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lamina node}: what a driver on this host says of itself. */
@Command(
    name = "node",
    description = "Shows the storage driver of this host: layers, mounts, repositories, cache.",
    mixinStandardHelpOptions = true)
final class NodeCommand implements Callable<Integer> {
  private static final int SHORT_ID_CHARS = 12;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      defaultValue = "lamina",
      description = "The driver's name. Default: ${DEFAULT-VALUE}.")
  String name = "lamina";

  @Option(
      names = "--socket",
      paramLabel = "FILE",
      description = "Its socket for the status. Default: /run/lamina/NAME/status.sock.")
  @Nullable Path socket;

  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    Path asked = socket == null ? NodeSettings.statusSocket(name) : socket;
    JsonNode status;
    try {
      status = NodeStatusClient.fetch(asked);
    } catch (IOException e) {
      throw new CommandException(
          ExitCode.UNAVAILABLE,
          "no driver tells its status at "
              + asked
              + " ("
              + e.getMessage()
              + "); is it running, and are you root?");
    }
    output.value(status);
    show(status);
    return ExitCode.OK.number();
  }

  private void show(JsonNode status) {
    output.line(
        "driver   "
            + status.path("name").asText()
            + (status.hasNonNull("socket") ? " at " + status.path("socket").asText() : "")
            + (status.path("ready").asBoolean() ? ", ready" : ", not ready"));
    if (status.hasNonNull("problem")) {
      output.line("         " + status.path("problem").asText());
    }
    if (status.hasNonNull("engine")) {
      output.line("engine   " + status.path("engine").path("home").asText());
    }
    output.line(
        "calls    "
            + status.path("calls").path("underWay").asInt()
            + " under way, at most "
            + status.path("calls").path("max").asInt());
    JsonNode layers = status.path("layers");
    output.line(
        "layers   "
            + layers.path("count").asInt()
            + ", "
            + layers.path("thin").asInt()
            + " thin; "
            + layers.path("mounted").asInt()
            + " mounted for "
            + layers.path("uses").asLong()
            + " uses");
    if (status.hasNonNull("snapshots")) {
      JsonNode snapshots = status.path("snapshots");
      output.line(
          "snapshots at "
              + snapshots.path("socket").asText()
              + ": "
              + snapshots.path("committed").asInt()
              + " committed, "
              + snapshots.path("remote").asInt()
              + " of them in repositories; "
              + snapshots.path("active").asInt()
              + " active, "
              + snapshots.path("views").asInt()
              + " views");
    }
    status.path("clients").forEach(this::client);
    for (JsonNode each : status.path("following")) {
      output.line(
          "follows  "
              + each.path("source").asText()
              + ", "
              + each.path("lag").asLong()
              + " behind");
    }
    for (JsonNode mount : status.path("mounts")) {
      String layer = mount.path("layer").asText();
      List<String> repositories = new ArrayList<>();
      mount.path("repositories").forEach(repository -> repositories.add(repository.asText()));
      output.line(
          "mount    "
              + layer.substring(0, Math.min(SHORT_ID_CHARS, layer.length()))
              + "  uses "
              + mount.path("uses").asInt()
              + "  "
              + String.join(", ", repositories));
    }
  }

  private void client(JsonNode client) {
    JsonNode cache = client.path("cache");
    output.line(
        "client   "
            + client.path("name").asText()
            + (cache.isMissingNode()
                ? ""
                : ", cache "
                    + (cache.path("usedBytes").asLong() >> 20)
                    + " of "
                    + (cache.path("limitBytes").asLong() >> 20)
                    + " MiB, "
                    + cache.path("objects").asLong()
                    + " objects"));
    for (JsonNode repository : client.path("repositories")) {
      output.line(
          "  "
              + repository.path("name").asText()
              + "  revision "
              + repository.path("revision").asLong()
              + "  uses "
              + repository.path("uses").asInt()
              + (repository.path("alive").asBoolean() ? "" : "  does not answer"));
    }
  }
}
