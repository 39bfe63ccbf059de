package io.lamina.standalone.command;

import io.lamina.node.NodeSettings;
import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What {@code lamina plugin} is told, and the settings that it means. */
final class PluginOptions {
  private static final String CONFIG = "--config";
  private static final String NAME = "--name";
  private static final String STATE = "--state";
  private static final String REPOSITORY = "--repository";
  private static final String CLIENT = "--client";
  private static final String CHECK = "--check";
  private static final String GATEWAY = "--gateway";
  private static final String KAFKA = "--kafka";
  private static final String SNAPSHOTTER = "--snapshotter";
  private static final String ONLY_SNAPSHOTTER = "--only-snapshotter";
  private static final String REPOSITORY_KEY = "plugin.repository.";
  private static final String SNAPSHOTTER_KEY = "plugin.snapshotter.socket";

  /** The settings that options with a value stand for. */
  private static final Map<String, String> SETTINGS =
      Map.of(
          NAME, "plugin.name",
          STATE, "plugin.state",
          CLIENT, "plugin.client",
          GATEWAY, "plugin.gateway",
          KAFKA, "plugin.kafka",
          SNAPSHOTTER, SNAPSHOTTER_KEY);

  private final Map<String, String> settings = new TreeMap<>();

  @Option(
      names = CONFIG,
      paramLabel = "FILE",
      description = "Settings, key = value lines, instead of options; see docs/plugin-node.md.")
  @Nullable Path config;

  @Option(
      names = NAME,
      paramLabel = "NAME",
      description = "The driver's name: dockerd --experimental --storage-driver NAME.")
  void name(String value) {
    set(NAME, value);
  }

  @Option(
      names = STATE,
      paramLabel = "DIR",
      description = "Folder for layers and cache, on a file system that overlayfs can write to.")
  void state(String value) {
    set(STATE, value);
  }

  @Option(
      names = REPOSITORY,
      paramLabel = "NAME=URL,PUBKEY",
      description = "A CVMFS repository of thin images and the file of its public key; repeatable.")
  List<String> repositories = List.of();

  @Option(
      names = CLIENT,
      paramLabel = "CLIENT",
      description = "Who mounts repositories: embedded, cvmfs2 (default if installed), external.")
  void client(String value) {
    set(CLIENT, value);
  }

  @Option(
      names = CHECK,
      description = "Try the driver out in this place, say whether it works, and end.")
  boolean check;

  @Option(
      names = GATEWAY,
      paramLabel = "URL",
      description = "A gateway that publishes commits on thin images, and tells of publications.")
  void gateway(String value) {
    set(GATEWAY, value);
  }

  @Option(
      names = KAFKA,
      paramLabel = "BOOTSTRAP",
      description = "Brokers that tell of publications, host:port[,host:port].")
  void kafka(String value) {
    set(KAFKA, value);
  }

  @Option(
      names = SNAPSHOTTER,
      paramLabel = "SOCKET",
      description = "Serves containerd's snapshot service there; see docs/snapshotter.md.")
  void snapshotter(String value) {
    set(SNAPSHOTTER, value);
  }

  @Option(names = ONLY_SNAPSHOTTER, description = "Serves containerd alone and no Docker engine.")
  void onlySnapshotter(boolean isGiven) {
    settings.put("plugin.docker", Boolean.toString(!isGiven));
  }

  private boolean set(String option, String value) {
    return settings.put(Optional.ofNullable(SETTINGS.get(option)).orElseThrow(), value) == null;
  }

  /**
   * Reads what needs no more than this: words and their values, each once.
   *
   * @return empty if it does; picocli reads all that there is, and says what is wrong
   */
  static Optional<PluginOptions> plain(List<String> words) {
    List<String> repositories = new ArrayList<>();
    PluginOptions options = new PluginOptions();
    for (Iterator<String> rest = words.iterator(); rest.hasNext(); ) {
      String word = rest.next();
      if (word.equals(CHECK)) {
        options.check = true;
      } else if (word.equals(ONLY_SNAPSHOTTER)) {
        options.onlySnapshotter(true);
      } else {
        String value = rest.hasNext() ? rest.next() : "";
        if (value.isEmpty() || value.startsWith("-") || value.startsWith("@")) {
          return Optional.empty();
        }
        if (word.equals(REPOSITORY)) {
          repositories.add(value);
        } else if (word.equals(CONFIG) && options.config == null) {
          options.config = Path.of(value);
        } else if (!SETTINGS.containsKey(word) || !options.set(word, value)) {
          return Optional.empty();
        }
      }
    }
    options.repositories = List.copyOf(repositories);
    return Optional.of(options);
  }

  NodeSettings settings(Map<String, String> environment) {
    Path file = config;
    if (file != null) {
      if (!settings.isEmpty() || !repositories.isEmpty()) {
        throw new SettingsException("--config replaces the other options; give one or the other");
      }
      return read(Settings.read(file, environment));
    }
    Map<String, String> keys = new TreeMap<>(settings);
    if (keys.containsKey(SNAPSHOTTER_KEY) && !repositories.isEmpty()) {
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
                  REPOSITORY_KEY + repository.substring(0, equals),
                  repository.substring(equals + 1))
              != null) {
        throw new SettingsException(
            "--repository '" + repository + "': write NAME=URL,PUBKEY, each name once");
      }
    }
    return read(Settings.of("the command line", keys));
  }

  private static NodeSettings read(Settings text) {
    NodeSettings settings = NodeSettings.from(text);
    text.refuseOthers();
    return settings;
  }
}
