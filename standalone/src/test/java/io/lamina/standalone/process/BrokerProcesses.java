package io.lamina.standalone.process;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.metadata.storage.Formatter;

/**
 * A Kafka cluster of several processes, each broker and controller at once, with every record on
 * all of them and acknowledged by a majority. Thread-safe for different brokers.
 */
public final class BrokerProcesses implements AutoCloseable {
  private static final String HOST = "127.0.0.1";

  private final Path folder;
  private final List<Integer> ports = new ArrayList<>();
  private final List<Integer> controllerPorts = new ArrayList<>();
  private final JavaProcess[] running;

  private BrokerProcesses(Path folder, int count) {
    this.folder = folder;
    this.running = new JavaProcess[count];
  }

  /** Returns when all of them serve requests. */
  public static BrokerProcesses start(Path folder, int count) throws Exception {
    BrokerProcesses brokers = new BrokerProcesses(folder, count);
    String cluster = Uuid.randomUuid().toString();
    List<Integer> free = freePorts(2 * count);
    for (int i = 0; i < count; i++) {
      brokers.ports.add(free.get(2 * i));
      brokers.controllerPorts.add(free.get(2 * i + 1));
      format(Files.createDirectories(brokers.folder(i)), i + 1, cluster);
    }
    // A majority is needed before the first one is up.
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> starts = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int number = i;
        starts.add(threads.submit(() -> brokers.restart(number)));
      }
      for (Future<?> start : starts) {
        start.get();
      }
    }
    return brokers;
  }

  public String bootstrapServers() {
    return ports.stream().map(port -> HOST + ":" + port).collect(Collectors.joining(","));
  }

  public int count() {
    return running.length;
  }

  private Path folder(int number) {
    return folder.resolve("broker-" + number);
  }

  /** Starts a broker that was killed; returns when it serves requests. */
  public void restart(int number) {
    int count = running.length;
    String voters =
        IntStream.range(0, count)
            .mapToObj(i -> (i + 1) + "@" + HOST + ":" + controllerPorts.get(i))
            .collect(Collectors.joining(","));
    String copies = Integer.toString(count);
    String majority = Integer.toString(count / 2 + 1);
    List<String> command =
        List.of(
            BrokerMain.class.getName(),
            folder(number).toString(),
            Integer.toString(ports.get(number)),
            "node.id=" + (number + 1),
            "controller.quorum.voters=" + voters,
            "listeners=PLAINTEXT://%s:%d,CONTROLLER://%s:%d"
                .formatted(HOST, ports.get(number), HOST, controllerPorts.get(number)),
            "offsets.topic.replication.factor=" + copies,
            "transaction.state.log.replication.factor=" + copies,
            "transaction.state.log.min.isr=" + majority,
            "share.coordinator.state.topic.replication.factor=" + copies,
            "share.coordinator.state.topic.min.isr=" + majority);
    running[number] =
        JavaProcess.start(
            List.of(),
            JavaProcess.testClassPath(),
            command,
            folder.resolve("broker-" + number + ".log"));
  }

  /** As {@code kill -9}. */
  public void kill(int number) {
    running[number].kill();
  }

  public void pause(int number) {
    running[number].pause();
  }

  public void resume(int number) {
    running[number].resume();
  }

  private static void format(Path folder, int node, String cluster) throws Exception {
    new Formatter()
        .setPrintStream(
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
        .setNodeId(node)
        .setClusterId(cluster)
        .setControllerListenerName("CONTROLLER")
        .addDirectory(folder.toAbsolutePath().toString())
        .run();
  }

  /** Below those that the kernel gives to outgoing connections. */
  private static List<Integer> freePorts(int count) {
    List<Integer> ports = new ArrayList<>();
    while (ports.size() < count) {
      int port = ThreadLocalRandom.current().nextInt(20_000, 32_000);
      try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getByName(HOST))) {
        if (!ports.contains(probe.getLocalPort())) {
          ports.add(port);
        }
      } catch (IOException e) {
        // taken
      }
    }
    return ports;
  }

  @Override
  public void close() {
    for (JavaProcess process : running) {
      if (process != null) {
        process.kill();
      }
    }
  }
}
