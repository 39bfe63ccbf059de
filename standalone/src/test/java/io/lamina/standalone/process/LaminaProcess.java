package io.lamina.standalone.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lamina.standalone.LoneProcess;
import io.lamina.standalone.client.GatewayClient;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** The {@code lamina} command as a process of its own, started as the launcher starts it. */
public final class LaminaProcess implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(120);

  private final Process process;
  private final Path log;
  private final URI address;

  private LaminaProcess(Process process, Path log, URI address) {
    this.process = process;
    this.log = log;
    this.address = address;
  }

  /** {@code lamina up} on a data folder and a free port; returns when it takes work. */
  public static LaminaProcess up(Path data) {
    Path log = data.resolveSibling("up.log");
    Started started = start(List.of("up", "--data", data.toString(), "--port", "0", "--json"), log);
    LaminaProcess up =
        new LaminaProcess(
            started.process(), log, URI.create(started.said().path("address").asText()));
    up.awaitReady();
    return up;
  }

  /**
   * A gateway, converter or publisher alone; returns when it says that it runs.
   *
   * @param log gets its log, behind what is there
   */
  public static LaminaProcess alone(LoneProcess.Kind kind, Path settings, Path log) {
    Started started =
        start(
            List.of(
                kind.name().toLowerCase(Locale.ROOT), "--config", settings.toString(), "--json"),
            log);
    String running = started.said().path("running").asText();
    return new LaminaProcess(
        started.process(), log, URI.create(running.substring(running.lastIndexOf(' ') + 1)));
  }

  private record Started(Process process, JsonNode said) {}

  /** Returns when it has printed its first line. */
  private static Started start(List<String> arguments, Path log) {
    try {
      Process process =
          builder(arguments).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile())).start();
      BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
      String line = within(START, process, log, out::readLine);
      if (line == null) {
        throw new IllegalStateException("lamina " + arguments + " ended at once\n" + tail(log));
      }
      return new Started(process, new ObjectMapper().readTree(line));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Waits for what the process should do.
   *
   * @throws AssertionError if it takes longer, with its log's end and its threads
   */
  public <T> T within(Duration patience, Callable<T> work) {
    return within(patience, process, log, work);
  }

  private static <T> T within(Duration patience, Process process, Path log, Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofVirtual().start(task);
    try {
      return task.get(patience.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      String evidence =
          "lamina is not done within " + patience + "\n" + tail(log) + "\n" + threads(process);
      process.destroyForcibly();
      throw new AssertionError(evidence, e);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause() + "\n" + tail(log), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private static String tail(Path log) {
    try {
      List<String> lines = Files.readAllLines(log);
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
    } catch (IOException e) {
      return "no log: " + e;
    }
  }

  private static String threads(Process process) {
    try {
      Process jcmd =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                  Long.toString(process.pid()),
                  "Thread.print")
              .redirectErrorStream(true)
              .start();
      return new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "no threads: " + e;
    }
  }

  /** What a finished command left. */
  public record Result(int exitCode, String out) {}

  /** Runs a command to its end. */
  public static Result run(String... arguments) {
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

  public URI address() {
    return address;
  }

  public GatewayClient client() {
    return new GatewayClient(address, Optional.empty());
  }

  /** As {@code kill -9}. */
  public void kill() {
    process.destroyForcibly();
    await();
  }

  /** Stops it where it is, until {@link #resume}. */
  public void pause() {
    signal("STOP");
  }

  public void resume() {
    signal("CONT");
  }

  /** Whether it has the file open now. */
  public boolean hasOpen(Path file) {
    try (Stream<Path> open = Files.list(Path.of("/proc", Long.toString(process.pid()), "fd"))) {
      return open.anyMatch(
          link -> {
            try {
              return Files.readSymbolicLink(link).equals(file);
            } catch (IOException e) {
              return false; // closed meanwhile
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void signal(String name) {
    try {
      int exit =
          new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
              .inheritIO()
              .start()
              .waitFor();
      if (exit != 0) {
        throw new IllegalStateException("kill -" + name + " failed");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
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
          throw new IllegalStateException(
              "lamina at " + address + " did not become ready\n" + tail(log));
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
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            Path.of("target", "lamina", "lib").toAbsolutePath() + File.separator + "*",
            "io.lamina.standalone.LaminaMain"));
    command.addAll(arguments);
    return new ProcessBuilder(command);
  }
}
