package io.lamina.standalone.command;

import io.lamina.node.NodeCheck;
import io.lamina.node.NodeProcess;
import io.lamina.node.NodeSettings;
import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs the storage driver of a Docker host, the snapshotter of containerd, or both. */
@Command(
    name = "plugin",
    description =
        "Runs Docker's storage driver or containerd's snapshotter on this host, in the foreground.",
    mixinStandardHelpOptions = true)
final class PluginCommand implements Callable<Integer> {
  private static final String REPOSITORY = "plugin.repository.";

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Settings, key = value lines, instead of options; see docs/plugin-node.md.")
  @Nullable Path config;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "The driver's name: dockerd --experimental --storage-driver NAME.")
  @Nullable String name;

  @Option(
      names = "--state",
      paramLabel = "DIR",
      description = "Folder for layers and cache, on a file system that overlayfs can write to.")
  @Nullable String state;

  @Option(
      names = "--repository",
      paramLabel = "NAME=URL,PUBKEY",
      description = "A CVMFS repository of thin images and the file of its public key; repeatable.")
  List<String> repositories = List.of();

  @Option(
      names = "--client",
      paramLabel = "CLIENT",
      description = "Who mounts repositories: embedded, cvmfs2 (default if installed), external.")
  @Nullable String client;

  @Option(
      names = "--check",
      description = "Try the driver out in this place, say whether it works, and end.")
  boolean check;

  @Option(
      names = "--gateway",
      paramLabel = "URL",
      description = "A gateway that publishes commits on thin images, and tells of publications.")
  @Nullable String gateway;

  @Option(
      names = "--kafka",
      paramLabel = "BOOTSTRAP",
      description = "Brokers that tell of publications, host:port[,host:port].")
  @Nullable String kafka;

  @Option(
      names = "--snapshotter",
      paramLabel = "SOCKET",
      description = "Serves containerd's snapshot service there; see docs/snapshotter.md.")
  @Nullable String snapshotter;

  @Option(
      names = "--only-snapshotter",
      description = "Serves containerd alone and no Docker engine.")
  boolean onlySnapshotter;

  @Mixin Output output = new Output();

  @Override
  public Integer call() throws InterruptedException {
    NodeSettings settings = settings(System.getenv());
    if (check) {
      NodeCheck.run(settings, new SecureRandom());
      output.value(Output.JSON.createObjectNode().put("works", true));
      output.line("the driver works in " + settings.state());
      return ExitCode.OK.number();
    }
    NodeProcess process = NodeProcess.start(settings, new SecureRandom());
    String sockets =
        process.sockets().stream().map(Path::toString).collect(Collectors.joining(" and "));
    output.value(Output.JSON.createObjectNode().put("socket", process.socket().toString()));
    output.line("plugin serves at " + sockets + "; stop it with Ctrl-C");
    return Foreground.run(process, new CompletableFuture<>());
  }

  private NodeSettings settings(Map<String, String> environment) {
    Path file = config;
    if (file != null) {
      if (name != null
          || state != null
          || client != null
          || gateway != null
          || kafka != null
          || snapshotter != null
          || onlySnapshotter
          || !repositories.isEmpty()) {
        throw new SettingsException("--config replaces the other options; give one or the other");
      }
      return read(Settings.read(file, environment));
    }
    Map<String, String> keys = new TreeMap<>();
    put(keys, "plugin.name", name);
    put(keys, "plugin.state", state);
    put(keys, "plugin.client", client);
    put(keys, "plugin.gateway", gateway);
    put(keys, "plugin.kafka", kafka);
    put(keys, "plugin.snapshotter.socket", snapshotter);
    put(keys, "plugin.docker", onlySnapshotter ? "false" : null);
    if (snapshotter != null && !repositories.isEmpty()) {
      // Keys have no order.
      keys.put(
          "plugin.snapshotter.repositories",
          repositories.stream()
              .map(repository -> repository.replaceFirst("=.*", ""))
              .collect(Collectors.joining(",")));
    }
    for (String repository : repositories) {
      int equals = repository.indexOf('=');
      if (equals < 1
          || keys.put(
                  REPOSITORY + repository.substring(0, equals), repository.substring(equals + 1))
              != null) {
        throw new SettingsException(
            "--repository '" + repository + "': write NAME=URL,PUBKEY, each name once");
      }
    }
    return read(Settings.of("the command line", keys));
  }

  private static void put(Map<String, String> keys, String key, @Nullable String value) {
    if (value != null) {
      keys.put(key, value);
    }
  }

  private static NodeSettings read(Settings text) {
    NodeSettings settings = NodeSettings.from(text);
    text.refuseOthers();
    return settings;
  }
}
