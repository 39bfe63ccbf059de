package io.lamina.node;

import io.lamina.settings.Settings;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Map;

/** The driver as a process, for tests that kill it: one argument, its settings file. */
public final class NodeMain {
  private NodeMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    NodeProcess process =
        NodeProcess.start(
            NodeSettings.from(Settings.read(Path.of(arguments[0]), Map.of())), new SecureRandom());
    Runtime.getRuntime().addShutdownHook(new Thread(process::close, "stop"));
    Thread.currentThread().join();
  }
}
