package io.lamina.standalone.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.Topics;
import io.lamina.messaging.broker.EmbeddedBroker;
import io.lamina.standalone.LoneProcess.Kind;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.GatewayException;
import io.lamina.standalone.process.LaminaProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;

/**
 * Brokers, and gateways, converters and publishers as processes of their own. Each process has a
 * name that it keeps over restarts. One thread; {@link #kill}, {@link #restart} and {@link
 * #process} may be called by several for different processes.
 */
final class Cluster implements AutoCloseable {
  /** The name of the gateway where there is one. */
  static final String GATEWAY = "gateway";

  private static final int PARTITIONS = 4;
  private static final Duration PATIENCE = Duration.ofSeconds(240);

  private final Path folder;
  private final Path data;
  private final Brokers brokers;
  private final Map<String, Kind> kinds = new LinkedHashMap<>();
  private final Map<String, LaminaProcess> running = new ConcurrentHashMap<>();
  private final Map<String, Integer> ports = new ConcurrentHashMap<>();

  /**
   * What the processes meet in.
   *
   * @param copies of each record
   * @param stop ends them
   */
  record Brokers(String bootstrapServers, int copies, Runnable stop) {
    static Brokers inThisProcess(Path folder) {
      EmbeddedBroker broker = EmbeddedBroker.start(EmbeddedBroker.Settings.in(folder));
      return new Brokers(broker.bootstrapServers(), 1, broker::close);
    }
  }

  /**
   * @param folder gets everything; images may be read from {@code images/} in it
   */
  Cluster(Path folder) throws IOException {
    this(folder, Brokers.inThisProcess(folder.resolve("kafka")));
  }

  /**
   * @param brokers stopped with it
   */
  Cluster(Path folder, Brokers brokers) throws IOException {
    this.folder = folder;
    this.data = Files.createDirectories(folder.resolve("data"));
    Files.createDirectories(folder.resolve("images"));
    this.brokers = brokers;
  }

  /**
   * Exactly these run, as kinds by names: the others are stopped, those that are missing are
   * started side by side. Returns when all say that they run.
   */
  void run(Map<String, Kind> names) {
    List<String> superfluous =
        running.keySet().stream().filter(name -> !names.containsKey(name)).toList();
    superfluous.forEach(name -> process(name).close());
    running.keySet().removeAll(superfluous);
    kinds.putAll(names);
    Map<String, Future<LaminaProcess>> starting = new TreeMap<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      names.keySet().stream()
          .filter(name -> !running.containsKey(name))
          .forEach(name -> starting.put(name, threads.submit(() -> launch(name))));
    }
    starting.forEach(
        (name, process) -> {
          try {
            running.put(name, process.get());
          } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(name + " did not start; see its log in " + folder, e);
          }
        });
  }

  void restart(String name) {
    running.put(name, launch(name));
  }

  /** As {@code kill -9}. */
  void kill(String name) {
    LaminaProcess process = running.remove(name);
    if (process == null) {
      throw new IllegalArgumentException(name + " does not run");
    }
    process.kill();
  }

  LaminaProcess process(String name) {
    LaminaProcess process = running.get(name);
    if (process == null) {
      throw new IllegalArgumentException(name + " does not run");
    }
    return process;
  }

  private LaminaProcess launch(String name) {
    Kind kind = Optional.ofNullable(kinds.get(name)).orElseThrow();
    LaminaProcess process =
        LaminaProcess.alone(kind, settings(name, kind), folder.resolve(name + ".log"));
    if (kind == Kind.GATEWAY) {
      ports.put(name, process.address().getPort());
    }
    return process;
  }

  private Path settings(String name, Kind kind) {
    Map<String, String> lines = new LinkedHashMap<>();
    lines.put("kafka.bootstrap", brokers.bootstrapServers());
    lines.put("kafka.client-name", name);
    lines.put("data.folder", data.toString());
    lines.put("topics.partitions", Integer.toString(PARTITIONS));
    lines.put("topics.replication", Integer.toString(brokers.copies()));
    lines.put("images.folders", folder.resolve("images").toString());
    switch (kind) {
      case GATEWAY -> {
        lines.put("gateway.listen.port", Integer.toString(ports.getOrDefault(name, 0)));
        lines.put("gateway.images.local", "true");
        lines.put("gateway.repositories.create", "true");
        lines.put("gateway.stratum.folder", data.resolve("cvmfs").toString());
        lines.put("gateway.uploads.folder", folder.resolve("uploads-" + name).toString());
      }
      case CONVERTER -> {
        lines.put("converter.instance", name);
        lines.put("registries.reach.also", "127.0.0.1");
      }
      case PUBLISHER -> lines.put("publisher.instance", name);
    }
    StringBuilder text = new StringBuilder();
    lines.forEach((key, value) -> text.append(key).append(" = ").append(value).append('\n'));
    try {
      return Files.writeString(folder.resolve(name + ".properties"), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // ---- for its users ------------------------------------------------------------------------

  Path images() {
    return folder.resolve("images");
  }

  Path data() {
    return data;
  }

  KafkaSettings kafka() {
    return KafkaSettings.of(brokers.bootstrapServers(), "test");
  }

  /** Of the gateway of that name, whether it runs now or not. */
  GatewayClient gateway(String name) {
    return new GatewayClient(gatewayAddress(name), Optional.empty());
  }

  GatewayClient gateway() {
    return gateway(GATEWAY);
  }

  URI gatewayAddress(String name) {
    return URI.create("http://127.0.0.1:" + ports.get(name));
  }

  URI gatewayAddress() {
    return gatewayAddress(GATEWAY);
  }

  /** Asks as a client does that cannot know what came of a lost call: again, under the same key. */
  JsonNode convert(GatewayClient gateway, TestRepository repository, String image, String key) {
    ObjectNode body =
        new ObjectMapper()
            .createObjectNode()
            .put("image", image)
            .put("repository", repository.name().value());
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        return gateway.post("/api/v1/conversions", body, Map.of("Idempotency-Key", key));
      } catch (GatewayException e) {
        boolean mayPass = e.status() == 0 || e.status() == 503;
        if (!mayPass || System.nanoTime() > deadline) {
          throw e;
        }
        pause();
      }
    }
  }

  void awaitReady(GatewayClient gateway) {
    await("the gateway is ready", gateway::isReady);
  }

  TestRepository.Place place(TestRepository repository) {
    return new TestRepository.Place(
        data.resolve("cvmfs/" + repository.name()).toString(),
        data.resolve("keys/" + repository.name() + ".pub"));
  }

  /** The publisher that has the repository now, by its name; empty between two owners. */
  Optional<String> publisherOf(RepositoryName repository) {
    int partition =
        BuiltInPartitioner.partitionForKey(
            repository.value().getBytes(StandardCharsets.UTF_8), PARTITIONS);
    return publishers().stream()
        .filter(
            member ->
                member.assignment().topicPartitions().stream()
                    .anyMatch(assigned -> assigned.partition() == partition))
        .flatMap(member -> member.groupInstanceId().stream())
        .findFirst();
  }

  /** Members of the publishers' group. */
  List<MemberDescription> publishers() {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers.bootstrapServers()))) {
      Map<String, ConsumerGroupDescription> groups =
          admin.describeConsumerGroups(List.of(Topics.PUBLISHERS)).all().get(30, TimeUnit.SECONDS);
      return groups.values().stream().flatMap(group -> group.members().stream()).toList();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (ExecutionException | java.util.concurrent.TimeoutException e) {
      return List.of(); // no coordinator yet
    }
  }

  static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("waited in vain: " + what);
      }
      pause();
    }
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(50);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Override
  public void close() {
    running.values().forEach(LaminaProcess::kill);
    brokers.stop().run();
  }
}
