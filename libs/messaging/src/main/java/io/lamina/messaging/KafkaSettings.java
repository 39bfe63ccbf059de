package io.lamina.messaging;

import java.util.Map;

/**
 * How every client of this process reaches Kafka. Immutable.
 *
 * @param bootstrapServers {@code host:port[,host:port…]}
 * @param clientName names this process in client ids, 1 to 100 of {@code [A-Za-z0-9._-]}
 * @param clientProperties passed to every client as they are: SASL, TLS, timeouts; what this module
 *     relies on (acknowledgements, isolation, no auto-commit) wins over them. Secrets belong in
 *     files that these properties name
 */
public record KafkaSettings(
    String bootstrapServers, String clientName, Map<String, String> clientProperties) {
  public KafkaSettings {
    if (bootstrapServers.isBlank()) {
      throw new MessagingException.Rejected("no Kafka bootstrap servers (host:port[,host:port])");
    }
    if (!clientName.matches("[A-Za-z0-9._-]{1,100}")) {
      throw new MessagingException.Rejected(
          "not a client name (1 to 100 letters, digits, '.', '_', '-'): '" + clientName + "'");
    }
    clientProperties = Map.copyOf(clientProperties);
  }

  public static KafkaSettings of(String bootstrapServers, String clientName) {
    return new KafkaSettings(bootstrapServers, clientName, Map.of());
  }

  /** Names only: values may be secrets. */
  @Override
  public String toString() {
    return "KafkaSettings["
        + bootstrapServers
        + ", "
        + clientName
        + ", properties "
        + clientProperties.keySet().stream().sorted().toList()
        + "]";
  }
}
