package io.lamina.standalone.process;

import io.lamina.messaging.broker.EmbeddedBroker;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A broker of a cluster as a process: {@code FOLDER PORT KEY=VALUE…}. Runs until it is killed. */
public final class BrokerMain {
  private BrokerMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    Map<String, String> properties = new HashMap<>();
    for (int i = 2; i < arguments.length; i++) {
      String[] pair = arguments[i].split("=", 2);
      properties.put(pair[0], pair[1]);
    }
    EmbeddedBroker broker =
        EmbeddedBroker.start(
            new EmbeddedBroker.Settings(
                Path.of(arguments[0]), Integer.parseInt(arguments[1]), properties));
    System.out.println(broker.bootstrapServers());
    Thread.currentThread().join();
  }
}
