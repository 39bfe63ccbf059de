package io.lamina.node;

import io.lamina.node.graphdriver.DriverException;
import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Map;

/**
 * The driver as a process that is nothing else, as in the managed plugin. The first argument is its
 * settings file, changed by the environment; with a second one, {@code --check}, it tries itself
 * out and ends.
 */
public final class NodeMain {
  private static final int REFUSED = 4;

  private NodeMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    if (arguments.length == 0) {
      System.err.println("lamina plugin: name the settings file");
      System.exit(2);
    }
    try {
      run(arguments);
    } catch (SettingsException | DriverException e) {
      System.err.println("lamina plugin: " + e.getMessage());
      System.exit(REFUSED);
    }
  }

  private static void run(String[] arguments) throws InterruptedException {
    Map<String, String> environment = System.getenv();
    Settings text = Settings.read(Path.of(arguments[0]), environment);
    NodeSettings settings = NodeSettings.from(text);
    text.refuseOthers();
    if (arguments.length > 1 && arguments[1].equals("--check")) {
      NodeCheck.run(settings, new SecureRandom());
      return;
    }
    NodeProcess process = NodeProcess.start(settings, new SecureRandom());
    Runtime.getRuntime().addShutdownHook(new Thread(process::close, "stop"));
    Thread.currentThread().join();
  }
}
