package io.lamina.messaging;

import io.lamina.messaging.event.EventJson;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Makes Kafka's clients: this module's defaults, the operator's properties over them, and over
 * those what correctness needs. Immutable, thread-safe.
 */
final class KafkaClients {
  private static final int MAX_REQUEST_BYTES = EventJson.MAX_BYTES + (64 << 10);
  private static final int FETCH_BYTES = 16 << 20;
  private static final int PARTITION_FETCH_BYTES = 2 << 20;

  private final KafkaSettings settings;

  KafkaClients(KafkaSettings settings) {
    this.settings = settings;
  }

  Admin admin() {
    return Admin.create(config("admin", Map.of(), Map.of()));
  }

  KafkaProducer<byte[], byte[]> producer(String role) {
    return new KafkaProducer<>(
        config("producer-" + role, producerDefaults(), producerRules()),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  KafkaProducer<byte[], byte[]> transactionalProducer(String transactionalId) {
    return transactionalProducer(transactionalId, Duration.ofSeconds(60));
  }

  /**
   * @param timeout after which brokers end a transaction that nobody goes on with
   */
  KafkaProducer<byte[], byte[]> transactionalProducer(String transactionalId, Duration timeout) {
    Map<String, Object> defaults = new HashMap<>(producerDefaults());
    defaults.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, (int) timeout.toMillis());
    Map<String, Object> rules = new HashMap<>(producerRules());
    rules.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
    return new KafkaProducer<>(
        config("producer-" + transactionalId, defaults, rules),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  private static Map<String, Object> producerDefaults() {
    return Map.of(
        // A transaction that follows another one closely is told to try again while the first is
        // being completed, which takes a few milliseconds and not the usual hundred.
        ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 10,
        ProducerConfig.COMPRESSION_TYPE_CONFIG, "zstd",
        ProducerConfig.LINGER_MS_CONFIG, 0,
        ProducerConfig.MAX_BLOCK_MS_CONFIG, 15_000,
        ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000,
        ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 30_000,
        ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000);
  }

  private static Map<String, Object> producerRules() {
    return Map.of(
        ProducerConfig.ACKS_CONFIG,
        "all",
        ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG,
        true,
        ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
        MAX_REQUEST_BYTES);
  }

  /** A member of a consumer group that reads committed records and commits nothing by itself. */
  KafkaConsumer<byte[], byte[]> groupConsumer(
      String group, Optional<String> instance, int maxPollRecords) {
    Map<String, Object> defaults = new HashMap<>(consumerDefaults(maxPollRecords));
    defaults.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 10_000);
    defaults.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, 2_000);
    defaults.put(
        ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG,
        CooperativeStickyAssignor.class.getName());
    Map<String, Object> rules = new HashMap<>(consumerRules());
    rules.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    instance.ifPresent(id -> rules.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, id));
    // The newer protocol leaves the session timeout to the broker, where 45 s is the least: too
    // long to wait for the partitions of a process that was killed.
    rules.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, "classic");
    return consumer("consumer-" + group, defaults, rules);
  }

  /** Reads partitions that it assigns to itself, from the start where it has no position. */
  KafkaConsumer<byte[], byte[]> plainConsumer(String role, int maxPollRecords) {
    return consumer("reader-" + role, consumerDefaults(maxPollRecords), consumerRules());
  }

  private KafkaConsumer<byte[], byte[]> consumer(
      String role, Map<String, Object> defaults, Map<String, Object> rules) {
    return new KafkaConsumer<>(
        config(role, defaults, rules), new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static Map<String, Object> consumerDefaults(int maxPollRecords) {
    return Map.of(
        ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
        maxPollRecords,
        ConsumerConfig.FETCH_MAX_BYTES_CONFIG,
        FETCH_BYTES,
        ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG,
        PARTITION_FETCH_BYTES,
        ConsumerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG,
        1_000,
        ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
        30_000,
        ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG,
        15_000);
  }

  private static Map<String, Object> consumerRules() {
    return Map.of(
        ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
        false,
        ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
        "earliest",
        ConsumerConfig.ISOLATION_LEVEL_CONFIG,
        "read_committed",
        ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG,
        false);
  }

  /**
   * A member of a share group that takes one record at a time and answers for it explicitly.
   *
   * @param slot tells apart the members of one process
   */
  KafkaShareConsumer<byte[], byte[]> shareConsumer(String group, int slot) {
    return new KafkaShareConsumer<>(
        config(
            "share-" + group + "-" + slot,
            Map.of(
                ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_BYTES,
                ConsumerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000,
                ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 30_000,
                ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, 15_000),
            Map.of(
                ConsumerConfig.GROUP_ID_CONFIG,
                group,
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
                1,
                ConsumerConfig.SHARE_ACKNOWLEDGEMENT_MODE_CONFIG,
                "explicit",
                ConsumerConfig.SHARE_ACQUIRE_MODE_CONFIG,
                "record_limit")),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
  }

  private Map<String, Object> config(
      String role, Map<String, Object> defaults, Map<String, Object> rules) {
    Map<String, Object> config = new HashMap<>(defaults);
    config.putAll(settings.clientProperties());
    config.putAll(rules);
    config.put("bootstrap.servers", settings.bootstrapServers());
    config.put("client.id", settings.clientName() + "-" + role);
    return config;
  }
}
