package io.lamina.standalone.process;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.mirror.MirrorMaker;

/**
 * Kafka's MirrorMaker 2 for a far network, with what leads from there to the brokers: they name
 * themselves by addresses of loopback. Arguments: MirrorMaker's settings, then {@code PORT=ADDRESS}
 * for each port of loopback that leads to another address.
 */
public final class MirrorMain {
  private MirrorMain() {}

  public static void main(String[] arguments) throws IOException {
    for (int i = 1; i < arguments.length; i++) {
      int equals = arguments[i].indexOf('=');
      int port = Integer.parseInt(arguments[i].substring(0, equals));
      Relay.start("127.0.0.1", arguments[i].substring(equals + 1), port);
    }
    Properties settings = new Properties();
    try (Reader file = Files.newBufferedReader(Path.of(arguments[0]))) {
      settings.load(file);
    }
    Map<String, String> properties = new HashMap<>();
    settings
        .stringPropertyNames()
        .forEach(name -> properties.put(name, settings.getProperty(name)));
    MirrorMaker mirrorMaker = new MirrorMaker(properties, List.of("B"), Time.SYSTEM);
    mirrorMaker.start();
    System.out.println("running");
    mirrorMaker.awaitStop();
  }
}
