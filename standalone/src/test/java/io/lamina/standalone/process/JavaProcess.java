package io.lamina.standalone.process;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** A JVM of its own with the distribution's libraries, that can be killed and stopped. */
public final class JavaProcess implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(120);
  private static final Duration STOP = Duration.ofSeconds(30);

  private final Process process;
  private final Path log;
  private final String firstLine;

  private JavaProcess(Process process, Path log, String firstLine) {
    this.process = process;
    this.log = log;
    this.firstLine = firstLine;
  }

  /**
   * Starts a program and returns when it has printed its first line.
   *
   * @param wrapper what the command begins with, of {@link NetworkNamespace#wrapper} or empty
   * @param more folders and jars with classes before the distribution's
   * @param log gets what it logs, behind what is there
   */
  public static JavaProcess start(
      List<String> wrapper, List<Path> more, List<String> command, Path log) {
    try {
      Process process =
          builder(wrapper, more, command)
              .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
              .start();
      BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
      String line = within(START, process, log, out::readLine);
      if (line == null) {
        throw new IllegalStateException(command + " ended at once\n" + tail(log));
      }
      return new JavaProcess(process, log, line);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ProcessBuilder builder(List<String> wrapper, List<Path> more, List<String> command) {
    List<String> whole = new ArrayList<>(wrapper);
    whole.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    whole.addAll(
        List.of(
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            Stream.concat(
                    more.stream().map(Path::toString),
                    Stream.of(
                        Path.of("target", "lamina", "lib").toAbsolutePath() + File.separator + "*"))
                .collect(java.util.stream.Collectors.joining(File.pathSeparator))));
    whole.addAll(command);
    return new ProcessBuilder(whole);
  }

  /** For programs of the tests and of libraries that only tests have. */
  public static List<Path> testClassPath() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(Path::of)
        .toList();
  }

  public String firstLine() {
    return firstLine;
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

  /** The last lines of its log. */
  public String tail() {
    return tail(log);
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

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** As {@code kill -9}. */
  public void kill() {
    process.destroyForcibly();
    await();
  }

  /**
   * Stops it where it is, until {@link #resume}. When this returns no thread of it runs any more:
   * one that still did could take what the caller gives free next.
   */
  public void pause() {
    signal("STOP");
    long deadline = System.nanoTime() + STOP.toNanos();
    while (process.isAlive() && !isStopped()) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("process " + process.pid() + " does not stop");
      }
      Thread.onSpinWait();
    }
  }

  /** Whether the kernel has stopped every thread; it does so one by one. */
  private boolean isStopped() {
    Path tasks = Path.of("/proc", Long.toString(process.pid()), "task");
    try (Stream<Path> threads = Files.list(tasks)) {
      for (Path thread : threads.toList()) {
        String stat = Files.readString(thread.resolve("stat"));
        if (!stat.startsWith("T", stat.lastIndexOf(')') + 2)) {
          return false;
        }
      }
      return true;
    } catch (IOException | UncheckedIOException e) {
      return false; // a thread has ended meanwhile, or the process
    }
  }

  public void resume() {
    signal("CONT");
  }

  private void signal(String name) {
    Tool.run("kill", "-" + name, Long.toString(process.pid()));
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
        throw new IllegalStateException("it did not stop\n" + tail());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
