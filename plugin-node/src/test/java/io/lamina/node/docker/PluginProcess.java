package io.lamina.node.docker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** The driver as a process of its own, which can be killed. */
public final class PluginProcess implements AutoCloseable {
  private static final Duration START = Duration.ofMinutes(2);

  private final Path home;
  private final String name;
  private final Path state;
  private final Path socket;
  private Process process;

  private PluginProcess(Path home, String name, Path state, Path socket) {
    this.home = home;
    this.name = name;
    this.state = state;
    this.socket = socket;
    this.process = launch();
  }

  /**
   * Starts one; returns when its socket is there.
   *
   * @param home gets state, if no other folder is set, log and settings
   * @param more settings
   */
  public static PluginProcess start(Path home, String name, Map<String, String> more) {
    Map<String, String> settings = new TreeMap<>(more);
    settings.put("plugin.name", name);
    settings.putIfAbsent("plugin.state", home.resolve("state").toString());
    settings.put("plugin.runtime", home.resolve("run").toString());
    StringBuilder text = new StringBuilder();
    settings.forEach((key, value) -> text.append(key).append(" = ").append(value).append('\n'));
    try {
      Files.createDirectories(home);
      Files.writeString(home.resolve("plugin.properties"), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Path socket =
        Path.of(
            "false".equals(settings.get("plugin.docker"))
                ? settings.get("plugin.snapshotter.socket")
                : settings.getOrDefault("plugin.socket", engineSocket(name).toString()));
    PluginProcess plugin =
        new PluginProcess(home, name, Path.of(settings.getOrDefault("plugin.state", "")), socket);
    plugin.awaitSocket();
    return plugin;
  }

  private Process launch() {
    List<String> command = PluginCommand.of(home, home.resolve("plugin.properties"));
    return Commands.start(command, log());
  }

  public Path log() {
    return home.resolve("plugin.log");
  }

  public Path state() {
    return state;
  }

  public String name() {
    return name;
  }

  public Path socket() {
    return socket;
  }

  /** Where engines look for a driver of this name. */
  static Path engineSocket(String name) {
    return Path.of("/run/docker/plugins", name + ".sock");
  }

  /** A file that was there before is one that a killed process left; it is replaced. */
  private void awaitSocket() {
    long deadline = System.nanoTime() + START.toNanos();
    while (!isServing()) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new AssertionError("the plugin does not serve:\n" + lastLog());
      }
      DockerEngine.pause();
    }
  }

  private boolean isServing() {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return channel.connect(UnixDomainSocketAddress.of(socket()));
    } catch (IOException e) {
      return false;
    }
  }

  public String lastLog() {
    try {
      List<String> lines = Files.readAllLines(log());
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
    } catch (IOException e) {
      return "no log: " + e;
    }
  }

  /** As {@code kill -9}. */
  public void kill() {
    process.destroyForcibly();
    await();
  }

  /** As an operator stops it. */
  public void stop() {
    process.destroy();
    await();
  }

  public void startAgain() {
    process = launch();
    awaitSocket();
  }

  private void await() {
    try {
      if (!process.waitFor(5, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new AssertionError("the plugin did not stop:\n" + lastLog());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Override
  public void close() {
    if (process.isAlive()) {
      stop();
      return;
    }
    try {
      Files.deleteIfExists(socket()); // of one that was killed
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
