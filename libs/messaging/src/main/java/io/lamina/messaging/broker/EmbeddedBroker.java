package io.lamina.messaging.broker;

import io.lamina.messaging.MessagingException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A single-node Kafka broker (KRaft, transactions, share groups) that keeps its data in a folder
 * and listens on loopback only. It starts again on the same folder after any kind of end of the
 * process, with everything that was acknowledged.
 *
 * <p>Thread-safe. One folder serves one broker at a time.
 */
public final class EmbeddedBroker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedBroker.class);
  private static final String HOST = "127.0.0.1";
  private static final int NODE = 1;
  private static final int START_ATTEMPTS = 3;

  // Below the ports that Linux and others give to outgoing connections: between the look whether a
  // port is free and the broker's use of it lie seconds, and a controller that finds its port taken
  // ends the whole process.
  private static final int FIRST_PORT = 20_000;
  private static final int LAST_PORT = 32_000;
  private static final int PORT_ATTEMPTS = 200;

  private final KafkaRaftServer server;
  private final int port;
  private boolean closed;

  private EmbeddedBroker(KafkaRaftServer server, int port) {
    this.server = server;
    this.port = port;
  }

  /**
   * What a broker is started with.
   *
   * @param folder made if it is missing; formatted on the first start
   * @param port 1 to 65535, or 0 for a free one
   * @param properties broker properties on top of those that this class sets
   */
  public record Settings(Path folder, int port, Map<String, String> properties) {
    public Settings {
      if (port < 0 || port > 65535) {
        throw new MessagingException.Rejected("not a port: " + port);
      }
      properties = Map.copyOf(properties);
    }

    public static Settings in(Path folder) {
      return new Settings(folder, 0, Map.of());
    }
  }

  /**
   * Starts a broker and returns when it serves requests.
   *
   * @throws MessagingException.Rejected if the folder or port cannot be used
   */
  public static EmbeddedBroker start(Settings settings) {
    format(settings.folder());
    checkFree(settings.folder());
    for (int attempt = 1; ; attempt++) {
      int port = settings.port() == 0 ? freePort(0) : checkedPort(settings.port());
      try {
        return startOn(port, settings);
      } catch (RuntimeException e) {
        // A free port may be taken by somebody else before the broker binds it.
        if (settings.port() != 0 || attempt == START_ATTEMPTS || !isBindFailure(e)) {
          throw new MessagingException.Rejected(
              "the embedded broker did not start in " + settings.folder() + ": " + rootMessage(e),
              e);
        }
      }
    }
  }

  /** Where clients connect: {@code host:port}. */
  public String bootstrapServers() {
    return HOST + ":" + port;
  }

  public int port() {
    return port;
  }

  /** Stops cleanly; clients get connection errors from now on. Idempotent. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      server.shutdown();
      server.awaitShutdown();
    }
  }

  private static EmbeddedBroker startOn(int port, Settings settings) {
    Map<String, String> properties = defaults(settings.folder(), port, freePort(port));
    properties.putAll(settings.properties());
    long start = System.nanoTime();
    KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(properties, false), Time.SYSTEM);
    try {
      server.startup();
    } catch (RuntimeException e) {
      server.shutdown();
      throw e;
    }
    LOG.atInfo()
        .addKeyValue("address", HOST + ":" + port)
        .addKeyValue("folder", settings.folder())
        .addKeyValue("millis", Duration.ofNanos(System.nanoTime() - start).toMillis())
        .log("embedded Kafka broker is up");
    return new EmbeddedBroker(server, port);
  }

  private static Map<String, String> defaults(Path folder, int port, int controllerPort) {
    Map<String, String> properties = new HashMap<>();
    properties.put("process.roles", "broker,controller");
    properties.put("node.id", String.valueOf(NODE));
    properties.put("controller.quorum.voters", NODE + "@" + HOST + ":" + controllerPort);
    properties.put(
        "listeners",
        "PLAINTEXT://" + HOST + ":" + port + ",CONTROLLER://" + HOST + ":" + controllerPort);
    properties.put("advertised.listeners", "PLAINTEXT://" + HOST + ":" + port);
    properties.put("controller.listener.names", "CONTROLLER");
    properties.put("inter.broker.listener.name", "PLAINTEXT");
    properties.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
    properties.put("log.dirs", folder.toAbsolutePath().toString());
    properties.put("auto.create.topics.enable", "false");
    // One node holds every copy; few partitions make it start quickly.
    properties.put("offsets.topic.replication.factor", "1");
    properties.put("offsets.topic.num.partitions", "4");
    properties.put("transaction.state.log.replication.factor", "1");
    properties.put("transaction.state.log.min.isr", "1");
    properties.put("transaction.state.log.num.partitions", "4");
    properties.put("share.coordinator.state.topic.replication.factor", "1");
    properties.put("share.coordinator.state.topic.min.isr", "1");
    properties.put("share.coordinator.state.topic.num.partitions", "4");
    // After a kill, the sessions of dead members end soon.
    properties.put("group.initial.rebalance.delay.ms", "0");
    properties.put("group.min.session.timeout.ms", "1000");
    properties.put("group.share.min.session.timeout.ms", "5000");
    properties.put("group.share.session.timeout.ms", "10000");
    properties.put("group.share.min.heartbeat.interval.ms", "1000");
    properties.put("group.share.heartbeat.interval.ms", "2000");
    // A broker that was killed is let in again when the session of its former life has ended.
    properties.put("broker.session.timeout.ms", "6000");
    properties.put("broker.heartbeat.interval.ms", "1000");
    properties.put("log.segment.bytes", String.valueOf(64 << 20));
    // The standard is 128 MiB of heap, a quarter of what the all-in-one has; this holds 300,000
    // keys.
    properties.put("log.cleaner.dedupe.buffer.size", String.valueOf(8 << 20));
    // The standard is to wait for ever.
    properties.put("server.max.startup.time.ms", "180000");
    properties.put("metrics.num.samples", "2");
    return properties;
  }

  private static void format(Path folder) {
    try {
      Files.createDirectories(folder);
      if (Files.exists(folder.resolve("meta.properties"))) {
        return;
      }
      new Formatter()
          .setPrintStream(
              new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
          .setNodeId(NODE)
          .setClusterId(Uuid.randomUuid().toString())
          .setControllerListenerName("CONTROLLER")
          .setIgnoreFormatted(true)
          .addDirectory(folder.toAbsolutePath().toString())
          .run();
    } catch (Exception e) { // the formatter declares it
      throw new MessagingException.Rejected(
          "cannot format the embedded broker's folder " + folder + ": " + rootMessage(e), e);
    }
  }

  /**
   * Looks at what would make the start fail: a broker that fails midway waits for minutes for a
   * controller that is not there.
   */
  private static void checkFree(Path folder) {
    try (FileChannel channel =
            FileChannel.open(
                folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      if (lock != null) {
        return;
      }
    } catch (OverlappingFileLockException e) {
      // in use by this very process
    } catch (IOException e) {
      throw new MessagingException.Rejected("cannot lock the broker's folder " + folder, e);
    }
    throw new MessagingException.Rejected(
        "another broker has locked " + folder + "; stop it, or use another data folder");
  }

  private static int freePort(int other) {
    RandomGenerator random = ThreadLocalRandom.current();
    for (int attempt = 1; ; attempt++) {
      int port = random.nextInt(FIRST_PORT, LAST_PORT);
      try {
        if (port != other) {
          return checkedPort(port);
        }
      } catch (MessagingException.Rejected e) {
        if (attempt == PORT_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /** The port, after a look whether it can be bound. */
  private static int checkedPort(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getByName(HOST), port));
      return port;
    } catch (IOException e) {
      throw new MessagingException.Rejected(
          "cannot listen on " + HOST + ":" + port + ": " + e.getMessage(), e);
    }
  }

  private static boolean isBindFailure(Throwable e) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (t instanceof java.net.BindException) {
        return true;
      }
    }
    return false;
  }

  private static String rootMessage(Throwable e) {
    Throwable t = e;
    while (t.getCause() != null) {
      t = t.getCause();
    }
    return t.toString();
  }
}
