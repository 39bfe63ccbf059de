package io.lamina.standalone.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lamina.standalone.client.GatewayClient;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The {@code lamina} command as a process of its own, started as the launcher starts it. */
final class LaminaProcess implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(120);

  private final Process process;
  private final URI address;

  private LaminaProcess(Process process, URI address) {
    this.process = process;
    this.address = address;
  }

  /** {@code lamina up} on a data folder and a free port; returns when it takes work. */
  static LaminaProcess up(Path data) {
    try {
      Process process =
          builder(List.of("up", "--data", data.toString(), "--port", "0", "--json"))
              .redirectError(
                  ProcessBuilder.Redirect.appendTo(data.resolveSibling("up.log").toFile()))
              .start();
      BufferedReader out =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
      String line = out.readLine();
      if (line == null) {
        throw new IllegalStateException(
            "lamina up ended at once; see " + data.resolveSibling("up.log"));
      }
      JsonNode said = new ObjectMapper().readTree(line);
      LaminaProcess up = new LaminaProcess(process, URI.create(said.path("address").asText()));
      up.awaitReady();
      return up;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a finished command left. */
  record Result(int exitCode, String out) {}

  /** Runs a command to its end. */
  static Result run(String... arguments) {
    try {
      Process process =
          builder(List.of(arguments)).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(process.waitFor(), out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  URI address() {
    return address;
  }

  GatewayClient client() {
    return new GatewayClient(address, Optional.empty());
  }

  /** As {@code kill -9}. */
  void kill() {
    process.destroyForcibly();
    await();
  }

  @Override
  public void close() {
    process.destroy();
    await();
  }

  private void await() {
    try {
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException("lamina did not stop");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void awaitReady() {
    long deadline = System.nanoTime() + START.toNanos();
    try (GatewayClient client = client()) {
      while (!client.isReady()) {
        if (System.nanoTime() > deadline || !process.isAlive()) {
          process.destroyForcibly();
          throw new IllegalStateException("lamina at " + address + " did not become ready");
        }
        TimeUnit.MILLISECONDS.sleep(100);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private static ProcessBuilder builder(List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            Path.of("target", "lamina", "lib").toAbsolutePath() + File.separator + "*",
            "io.lamina.standalone.LaminaMain"));
    command.addAll(arguments);
    return new ProcessBuilder(command);
  }
}
