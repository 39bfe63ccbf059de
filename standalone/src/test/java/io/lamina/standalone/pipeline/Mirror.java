package io.lamina.standalone.pipeline;

import io.lamina.standalone.process.JavaProcess;
import io.lamina.standalone.process.MirrorMain;
import io.lamina.standalone.process.NetworkNamespace;
import java.io.IOException;
import java.io.StringReader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/** Kafka's MirrorMaker 2 with the settings that docs/sites.md gives. */
final class Mirror {
  private static final Path PAGE = Path.of("..", "docs", "sites.md");
  private static final String FIRST_LINE = "clusters = A, B";

  /** Topics that it makes for itself; one broker holds one copy. */
  private static final List<String> COPIES =
      List.of(
          "replication.factor",
          "offset.storage.replication.factor",
          "status.storage.replication.factor",
          "config.storage.replication.factor",
          "offset-syncs.topic.replication.factor",
          "heartbeats.topic.replication.factor",
          "checkpoints.topic.replication.factor");

  private Mirror() {}

  /** A cluster's only broker, and the line that leads to it. */
  record Broker(String bootstrapServers, NetworkNamespace.Line line) {
    int port() {
      return Integer.parseInt(bootstrapServers.substring(bootstrapServers.lastIndexOf(':') + 1));
    }
  }

  /**
   * Starts it in another network.
   *
   * @param folder gets its settings and its log
   */
  static JavaProcess start(NetworkNamespace network, Broker from, Broker to, Path folder)
      throws IOException {
    String page = Files.readString(PAGE);
    int begin = page.indexOf(FIRST_LINE);
    Properties settings = new Properties();
    settings.load(new StringReader(page.substring(begin, page.indexOf("```", begin))));
    settings.setProperty("A.bootstrap.servers", from.bootstrapServers());
    settings.setProperty("B.bootstrap.servers", to.bootstrapServers());
    settings.setProperty("refresh.topics.interval.seconds", "2");
    COPIES.forEach(name -> settings.setProperty(name, "1"));
    Path file = folder.resolve("mm2.properties");
    try (Writer out = Files.newBufferedWriter(file)) {
      settings.store(out, null);
    }
    List<String> command = new ArrayList<>(List.of(MirrorMain.class.getName(), file.toString()));
    for (Broker broker : List.of(from, to)) {
      command.add(broker.port() + "=" + broker.line().address());
    }
    return JavaProcess.start(
        network.wrapper(), JavaProcess.testClassPath(), command, folder.resolve("mm2.log"));
  }
}
