package io.lamina.standalone.pipeline;

import io.lamina.standalone.EmbeddedLamina;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.mirror.MirrorMaker;

/** Kafka's MirrorMaker 2 with the settings that docs/sites.md gives. */
final class Mirror implements AutoCloseable {
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

  private final MirrorMaker mirrorMaker;

  private Mirror(MirrorMaker mirrorMaker) {
    this.mirrorMaker = mirrorMaker;
  }

  static Mirror start(EmbeddedLamina from, EmbeddedLamina to) throws IOException {
    String page = Files.readString(PAGE);
    int begin = page.indexOf(FIRST_LINE);
    Properties settings = new Properties();
    settings.load(new StringReader(page.substring(begin, page.indexOf("```", begin))));
    settings.setProperty("A.bootstrap.servers", from.kafka().bootstrapServers());
    settings.setProperty("B.bootstrap.servers", to.kafka().bootstrapServers());
    settings.setProperty("refresh.topics.interval.seconds", "2");
    COPIES.forEach(name -> settings.setProperty(name, "1"));
    Map<String, String> properties = new HashMap<>();
    settings
        .stringPropertyNames()
        .forEach(name -> properties.put(name, settings.getProperty(name)));
    MirrorMaker mirrorMaker = new MirrorMaker(properties, List.of("B"), Time.SYSTEM);
    mirrorMaker.start();
    return new Mirror(mirrorMaker);
  }

  @Override
  public void close() {
    mirrorMaker.stop();
    mirrorMaker.awaitStop();
  }
}
