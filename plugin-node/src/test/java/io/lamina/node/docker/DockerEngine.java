package io.lamina.node.docker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A Docker engine with folders of its own, apart from any that the machine runs. Ended by its
 * process id; containers that a killed engine left are ended with it.
 */
public final class DockerEngine implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private final Path home;
  private final List<String> options;
  private Process process;

  private DockerEngine(Path home, List<String> options) {
    this.home = home;
    this.options = List.copyOf(options);
    this.process = launch();
  }

  /**
   * Starts one; returns when it answers.
   *
   * @param home folder of a short path
   */
  public static DockerEngine start(Path home, String driver, String... options) {
    List<String> all = new ArrayList<>(List.of("--experimental", "--storage-driver", driver));
    all.addAll(List.of(options));
    DockerEngine engine = new DockerEngine(home, all);
    try {
      engine.awaitAnswer();
    } catch (RuntimeException | AssertionError e) {
      engine.close();
      throw e;
    }
    return engine;
  }

  private Process launch() {
    List<String> command = new ArrayList<>();
    command.add("/usr/sbin/dockerd");
    command.addAll(options);
    command.addAll(
        List.of(
            "--data-root",
            home.resolve("root").toString(),
            "--exec-root",
            home.resolve("exec").toString(),
            "--pidfile",
            home.resolve("pid").toString(),
            "--config-file",
            home.resolve("daemon.json").toString(),
            "--host",
            host(),
            "--bridge",
            "none",
            "--iptables=false",
            "--ip6tables=false"));
    try {
      Files.createDirectories(home);
      Files.writeString(home.resolve("daemon.json"), "{}");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Commands.start(command, log());
  }

  private String host() {
    return "unix://" + home.resolve("docker.sock");
  }

  public Path log() {
    return home.resolve("dockerd.log");
  }

  public Path root() {
    return home.resolve("root");
  }

  private void awaitAnswer() {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (docker("version").exitCode() != 0) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new AssertionError("the engine does not answer:\n" + lastLog());
      }
      pause();
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

  /** Between two looks at a process of the system, which cannot be waited for. */
  public static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(50);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Runs the command, whatever comes of it. */
  public Commands.Result docker(String... arguments) {
    return docker(new byte[0], arguments);
  }

  public Commands.Result docker(byte[] input, String... arguments) {
    return Commands.run(command(arguments), input);
  }

  public List<String> command(String... arguments) {
    List<String> command = new ArrayList<>(List.of("/usr/bin/env", "DOCKER_BUILDKIT=0"));
    command.addAll(List.of("/usr/bin/docker", "--host", host()));
    command.addAll(List.of(arguments));
    return command;
  }

  /** Runs the command, which must succeed; its output without blanks around. */
  public String ok(String... arguments) {
    return docker(arguments).expectSuccess().out();
  }

  public String ok(byte[] input, String... arguments) {
    return docker(input, arguments).expectSuccess().out();
  }

  /** Runs a container to its end and removes it. */
  public String run(String image, String script) {
    return ok("run", "--rm", "--network", "none", image, "/bin/sh", "-c", script);
  }

  /** Ends those that run. */
  public void removeContainers() {
    removeContainers("ps", "-aq").ifPresent(Commands.Result::expectSuccess);
  }

  private Optional<Commands.Result> removeContainers(String... list) {
    List<String> command = new ArrayList<>(List.of("rm", "-f"));
    command.addAll(docker(list).out().lines().toList());
    return command.size() == 2
        ? Optional.empty()
        : Optional.of(docker(command.toArray(String[]::new)));
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** As {@code kill -9}: its containers go on. */
  public void kill() {
    Optional<ProcessHandle> containerd = containerd();
    process.destroyForcibly();
    await(process.toHandle(), Duration.ofSeconds(30));
    containerd.ifPresent(this::forget);
  }

  /**
   * The kernel kills an engine's containerd with it. Where the first process of the system reaps
   * late, or never, the next engine would take what is left of it for one that lives.
   */
  private void forget(ProcessHandle containerd) {
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (runs(containerd)) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("containerd outlives its engine");
      }
      pause();
    }
    try {
      Files.deleteIfExists(pidOfContainerd());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean runs(ProcessHandle process) {
    try {
      return !Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"))
          .contains(") Z ");
    } catch (IOException e) {
      return false; // gone
    }
  }

  private Path pidOfContainerd() {
    return home.resolve("exec/containerd/containerd.pid");
  }

  /** As an operator stops it. */
  public void stop() {
    process.destroy();
    if (!await(process.toHandle(), Duration.ofSeconds(120))) {
      process.destroyForcibly();
      throw new AssertionError("the engine did not stop:\n" + lastLog());
    }
  }

  /** Starts it again on the same folders; returns when it answers. */
  public void startAgain() {
    process = launch();
    awaitAnswer();
  }

  private static boolean await(ProcessHandle handle, Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    while (handle.isAlive() && System.nanoTime() < deadline) {
      pause();
    }
    return !handle.isAlive();
  }

  @Override
  public void close() {
    if (process.isAlive()) {
      removeContainers("ps", "-q");
      process.destroy();
      if (!await(process.toHandle(), Duration.ofSeconds(120))) {
        process.destroyForcibly();
        await(process.toHandle(), Duration.ofSeconds(10));
      }
    }
    // A killed engine leaves its containerd, whose shims hold containers.
    containerd()
        .ifPresent(
            left -> {
              left.destroy();
              if (!await(left, Duration.ofSeconds(20))) {
                left.destroyForcibly();
              }
            });
    ProcessHandle.allProcesses()
        .filter(this::isShimOfThis)
        .forEach(
            shim -> {
              shim.descendants().forEach(ProcessHandle::destroyForcibly);
              shim.destroyForcibly();
            });
  }

  private Optional<ProcessHandle> containerd() {
    try {
      return ProcessHandle.of(Long.parseLong(Files.readString(pidOfContainerd()).strip()))
          .filter(handle -> names(handle, home.toString()));
    } catch (IOException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** First processes of containers, those of managed plugins too, whose command has the text. */
  List<ProcessHandle> processesOfContainers(String text) {
    return ProcessHandle.allProcesses()
        .filter(this::isShimOfThis)
        .flatMap(ProcessHandle::children)
        .filter(process -> names(process, text))
        .toList();
  }

  private boolean isShimOfThis(ProcessHandle handle) {
    return handle.info().command().orElse("").contains("containerd-shim")
        && names(handle, home.toString());
  }

  private static boolean names(ProcessHandle handle, String text) {
    return commandLine(handle.pid()).contains(text);
  }

  /** Its arguments; empty if it is gone. */
  static String commandLine(long pid) {
    try {
      return Files.readString(Path.of("/proc", Long.toString(pid), "cmdline")).replace('\0', ' ');
    } catch (IOException e) {
      return "";
    }
  }
}
