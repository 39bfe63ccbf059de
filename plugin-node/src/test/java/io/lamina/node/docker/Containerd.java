package io.lamina.node.docker;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * A containerd with folders of its own and a snapshotter that is a process beside it. Ended by its
 * process id, and its shims by theirs.
 */
public final class Containerd implements AutoCloseable {
  /** What containers of CRI and their images live in. */
  public static final String CRI = "k8s.io";

  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final String SNAPSHOTTER = "lamina";

  private final Path home;
  private Process process;

  private Containerd(Path home) {
    this.home = home;
    this.process = launch();
  }

  /**
   * Starts one; returns when it answers.
   *
   * @param home folder of a short path
   * @param snapshots the snapshotter's socket
   */
  public static Containerd start(Path home, Path snapshots) {
    try {
      Files.createDirectories(home);
      Files.writeString(
          home.resolve("config.toml"),
          """
          version = 2
          root = "@/root"
          state = "@/state"
          disabled_plugins = [
            "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
            "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
          ]
          [grpc]
            address = "@/c.sock"
          [ttrpc]
            address = "@/t.sock"
          [proxy_plugins.lamina]
            type = "snapshot"
            address = "SNAPSHOTS"
          [plugins."io.containerd.grpc.v1.cri".containerd]
            snapshotter = "lamina"
            disable_snapshot_annotations = false
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "@/cni"
            conf_dir = "@/cni"
          """
              .replace("@", home.toString())
              .replace("SNAPSHOTS", snapshots.toString()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Containerd containerd = new Containerd(home);
    try {
      containerd.awaitAnswer();
    } catch (RuntimeException | AssertionError e) {
      containerd.close();
      throw e;
    }
    return containerd;
  }

  private Process launch() {
    return Commands.start(
        List.of("/usr/bin/containerd", "--config", home.resolve("config.toml").toString()), log());
  }

  private Path log() {
    return home.resolve("containerd.log");
  }

  private Path socket() {
    return home.resolve("c.sock");
  }

  private void awaitAnswer() {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (Commands.run(command("default", "version")).exitCode() != 0) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new AssertionError("containerd does not answer:\n" + lastLog());
      }
      DockerEngine.pause();
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

  public List<String> command(String namespace, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of("/usr/bin/ctr", "--address", socket().toString(), "--namespace", namespace));
    command.addAll(List.of(arguments));
    return command;
  }

  /** Runs {@code ctr}. */
  public Commands.Result ctr(String namespace, String... arguments) {
    return Commands.run(command(namespace, arguments));
  }

  /** Runs {@code ctr}, which must succeed; returns what it printed. */
  public String ok(String namespace, String... arguments) {
    Commands.Result result = ctr(namespace, arguments);
    if (result.exitCode() != 0) {
      throw new AssertionError(
          result.command() + ": " + result.errors() + result.out() + "\n" + lastLog());
    }
    return result.out();
  }

  /** Returns when it has connected to its snapshotter again, which it tries every few seconds. */
  public void awaitSnapshotter() {
    String[] call = {"snapshots", "--snapshotter", SNAPSHOTTER, "prepare", "probe"};
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (ctr("probe", call).exitCode() != 0) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("containerd does not find its snapshotter:\n" + lastLog());
      }
      DockerEngine.pause();
    }
    ok("probe", "snapshots", "--snapshotter", SNAPSHOTTER, "rm", "probe");
  }

  /** Names of the snapshots that clients of a namespace see. */
  public Set<String> snapshots(String namespace) {
    Set<String> names = new TreeSet<>();
    ok(namespace, "snapshots", "--snapshotter", SNAPSHOTTER, "ls")
        .lines()
        .skip(1)
        .forEach(line -> names.add(line.split("\\s+")[0]));
    return names;
  }

  private String runcRoot() {
    return home.resolve("runc").toString();
  }

  /** One that no other test of this machine uses, as control groups are named by it. */
  private static String id(String name) {
    return name + "-" + ProcessHandle.current().pid();
  }

  /** Runs a container to its end; returns what it printed. */
  public String run(String namespace, String image, String name, String script) {
    return ok(
        namespace,
        "run",
        "--rm",
        "--runc-root",
        runcRoot(),
        "--snapshotter",
        SNAPSHOTTER,
        image,
        id(name),
        "/bin/sh",
        "-c",
        script);
  }

  /** Starts a container that sleeps. */
  public void startSleeping(String namespace, String image, String name) {
    ok(
        namespace,
        "run",
        "--detach",
        "--runc-root",
        runcRoot(),
        "--snapshotter",
        SNAPSHOTTER,
        image,
        id(name),
        "/bin/sleep",
        "3600");
  }

  public Commands.Result exec(String namespace, String name, String script) {
    return ctr(
        namespace,
        "task",
        "exec",
        "--exec-id",
        "e" + System.nanoTime(),
        id(name),
        "/bin/sh",
        "-c",
        script);
  }

  /** Ends a container and forgets it with its snapshot. */
  public void remove(String namespace, String name) {
    String id = id(name);
    ctr(namespace, "task", "kill", "--signal", "9", id);
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (ctr(namespace, "task", "rm", id).exitCode() != 0
        && ok(namespace, "task", "ls").contains(id)) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("the task of " + name + " does not end:\n" + lastLog());
      }
      DockerEngine.pause();
    }
    ok(namespace, "container", "rm", id);
  }

  /** Ends what runs in a container and runs it again. */
  public void restart(String namespace, String name) {
    ctr(namespace, "task", "rm", "--force", id(name));
    ok(namespace, "task", "start", "--detach", id(name));
  }

  /** Pulls as a kubelet has it done; the registry is on loopback, so without TLS. */
  public void pullByCri(String image) {
    criCall("PullImage", image);
  }

  public void removeByCri(String image) {
    criCall("RemoveImage", image);
  }

  /** Requests of both calls begin with an image's specification, which begins with its name. */
  private void criCall(String method, String image) {
    EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket()))
            .channelType(NioDomainSocketChannel.class)
            .eventLoopGroup(loop)
            .usePlaintext()
            .build();
    try {
      MethodDescriptor<byte[], byte[]> call =
          MethodDescriptor.<byte[], byte[]>newBuilder()
              .setType(MethodDescriptor.MethodType.UNARY)
              .setFullMethodName("runtime.v1.ImageService/" + method)
              .setRequestMarshaller(new RawMessages())
              .setResponseMarshaller(new RawMessages())
              .build();
      ClientCalls.blockingUnaryCall(
          channel,
          call,
          CallOptions.DEFAULT.withDeadlineAfter(PATIENCE.toSeconds(), TimeUnit.SECONDS),
          firstField(firstField(image.getBytes(StandardCharsets.UTF_8))));
    } finally {
      channel.shutdownNow();
      loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }

  private static byte[] firstField(byte[] content) {
    if (content.length > 127) {
      throw new IllegalArgumentException("longer than the test needs: " + content.length);
    }
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    message.write(0x0a);
    message.write(content.length);
    message.writeBytes(content);
    return message.toByteArray();
  }

  /** Messages as they are on the wire. */
  private static final class RawMessages implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** As {@code kill -9}; containers go on under their shims. */
  public void kill() {
    process.destroyForcibly();
    await();
  }

  public void startAgain() {
    process = launch();
    awaitAnswer();
  }

  private void await() {
    try {
      if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        throw new AssertionError("containerd did not end:\n" + lastLog());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    // Shims outlive it, and name its socket.
    String own = socket().toString();
    ProcessHandle.allProcesses()
        .filter(
            shim ->
                shim.info()
                    .arguments()
                    .map(arguments -> List.of(arguments).contains(own))
                    .orElse(false))
        .forEach(
            shim -> {
              shim.descendants().forEach(ProcessHandle::destroyForcibly);
              shim.children().forEach(ProcessHandle::destroyForcibly);
              shim.destroyForcibly();
            });
  }
}
