package io.lamina.standalone.process;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lamina.standalone.LoneProcess;
import io.lamina.standalone.client.GatewayClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The {@code lamina} command as a process of its own, started as the launcher starts it. */
public final class LaminaProcess implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(120);
  private static final String MAIN = "io.lamina.standalone.LaminaMain";

  private final JavaProcess process;
  private final URI address;

  private LaminaProcess(JavaProcess process, URI address) {
    this.process = process;
    this.address = address;
  }

  /** {@code lamina up} on a data folder and a free port; returns when it takes work. */
  public static LaminaProcess up(Path data) {
    JavaProcess started =
        start(
            List.of(),
            List.of("up", "--data", data.toString(), "--port", "0", "--json"),
            data.resolveSibling("up.log"));
    LaminaProcess up =
        new LaminaProcess(started, URI.create(said(started).path("address").asText()));
    up.awaitReady();
    return up;
  }

  /**
   * A gateway, converter, publisher or follower alone; returns when it says that it runs.
   *
   * @param log gets its log, behind what is there
   */
  public static LaminaProcess alone(LoneProcess.Kind kind, Path settings, Path log) {
    return alone(List.of(), kind, settings, log);
  }

  /** The same with a {@link NetworkNamespace#wrapper}. */
  public static LaminaProcess alone(
      List<String> wrapper, LoneProcess.Kind kind, Path settings, Path log) {
    JavaProcess started =
        start(
            wrapper,
            List.of(
                kind.name().toLowerCase(Locale.ROOT), "--config", settings.toString(), "--json"),
            log);
    String running = said(started).path("running").asText();
    return new LaminaProcess(started, URI.create(running.substring(running.lastIndexOf(' ') + 1)));
  }

  private static JavaProcess start(List<String> wrapper, List<String> arguments, Path log) {
    return JavaProcess.start(wrapper, List.of(), command(arguments), log);
  }

  private static List<String> command(List<String> arguments) {
    return Stream.concat(Stream.of(MAIN), arguments.stream()).toList();
  }

  private static JsonNode said(JavaProcess started) {
    try {
      return new ObjectMapper().readTree(started.firstLine());
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a finished command left. */
  public record Result(int exitCode, String out) {}

  /** Runs a command to its end. */
  public static Result run(String... arguments) {
    return run(List.of(), arguments);
  }

  /** The same with a {@link NetworkNamespace#wrapper}. */
  public static Result run(List<String> wrapper, String... arguments) {
    try {
      Process process =
          JavaProcess.builder(wrapper, List.of(), command(List.of(arguments)))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(process.waitFor(), out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** See {@link JavaProcess#within}. */
  public <T> T within(Duration patience, Callable<T> work) {
    return process.within(patience, work);
  }

  public URI address() {
    return address;
  }

  public GatewayClient client() {
    return new GatewayClient(address, Optional.empty());
  }

  /** As {@code kill -9}. */
  public void kill() {
    process.kill();
  }

  /** Stops it where it is, until {@link #resume}. */
  public void pause() {
    process.pause();
  }

  public void resume() {
    process.resume();
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

  @Override
  public void close() {
    process.close();
  }

  private void awaitReady() {
    long deadline = System.nanoTime() + START.toNanos();
    try (GatewayClient client = client()) {
      while (!client.isReady()) {
        if (System.nanoTime() > deadline || !process.isAlive()) {
          process.kill();
          throw new IllegalStateException(
              "lamina at " + address + " did not become ready\n" + process.tail());
        }
        TimeUnit.MILLISECONDS.sleep(100);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
