package io.lamina.standalone;

import io.lamina.image.policy.NamePattern;
import io.lamina.image.registry.Reach;
import io.lamina.image.registry.RegistrySettings;
import io.lamina.image.signature.SignaturePolicy;
import io.lamina.image.source.LocalAccess;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.TopicSettings;
import io.lamina.publisher.CollectionRules;
import io.lamina.publisher.PublisherSettings;
import io.lamina.settings.Settings;
import io.lamina.status.ListenAddress;
import io.lamina.storage.ObjectStore;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What every process of its own reads from its settings file. Immutable.
 *
 * <p>Source: docs/operations.md, "Settings".
 *
 * @param dataFolder holds the repositories' definitions, and the keys where the process needs them
 * @param local folders that images may be read from
 */
record ProcessSettings(
    KafkaSettings kafka, TopicSettings topics, Path dataFolder, LocalAccess local) {
  static ProcessSettings from(Settings text, String process) {
    KafkaSettings kafka =
        new KafkaSettings(
            text.required("kafka.bootstrap", "the brokers, host:port[,host:port]"),
            text.text("kafka.client-name").orElse("lamina-" + process),
            text.group("kafka.client."));
    TopicSettings standard = TopicSettings.cluster();
    TopicSettings topics =
        new TopicSettings(
            text.count("topics.partitions", standard.partitions(), 1, 1000),
            text.count("topics.work-partitions", standard.workPartitions(), 1, 1000),
            (short) text.count("topics.replication", standard.replication(), 1, 15),
            standard.workRetention(),
            standard.deadLetterRetention(),
            standard.lockDuration(),
            standard.deliveryLimit());
    Path data =
        Path.of(text.required("data.folder", "folder with repositories/ and keys/"))
            .toAbsolutePath()
            .normalize();
    return new ProcessSettings(kafka, topics, data, local(text).orElse(LocalAccess.NONE));
  }

  /** Folders that images may be read from, if any are named. */
  static Optional<LocalAccess> local(Settings text) {
    return text.parsed(
        "images.folders",
        Optional.empty(),
        folders ->
            Optional.of(
                new LocalAccess(
                    Arrays.stream(folders.split(","))
                        .map(each -> Path.of(each.strip()))
                        .toList())));
  }

  static PublisherSettings publisher(Settings text) {
    PublisherSettings standard = PublisherSettings.DEFAULT;
    PublisherSettings rules =
        standard
            .withWindows(
                text.count(
                    "publisher.window.interactive", standard.interactiveWindow(), 1, 100_000),
                text.count("publisher.window.bulk", standard.bulkWindow(), 1, 100_000))
            .withCollections(collections(text));
    return text.text("publisher.instance").map(rules::withInstance).orElse(rules);
  }

  private static CollectionRules collections(Settings text) {
    CollectionRules standard = CollectionRules.DEFAULT;
    Duration never = Duration.ZERO;
    Duration every =
        text.duration("publisher.collect.every", never, Duration.ZERO, Duration.ofDays(365));
    Duration longest = Duration.ofDays(3650);
    return new CollectionRules(
        every.isZero() ? Optional.empty() : Optional.of(every),
        text.duration(
            "publisher.collect.grace", standard.grace(), ObjectStore.LEAST_GRACE, longest),
        text.duration("publisher.collect.history", standard.history(), Duration.ofDays(1), longest),
        text.count("publisher.collect.revisions", standard.revisions(), 1, 1_000_000));
  }

  /** Where health and metrics are told, if anywhere. */
  static Optional<ListenAddress> status(Settings text) {
    return text.parsed(
        "status.listen", Optional.empty(), address -> Optional.of(ListenAddress.parse(address)));
  }

  /** Which images have to be signed, and by whom. */
  static SignaturePolicy signatures(Settings text) {
    return new SignaturePolicy(
        text.parsed("signatures.required", List.of(), NamePattern::parse),
        text.parsed("signatures.keys", List.of(), ProcessSettings::keys));
  }

  private static List<PublicKey> keys(String files) {
    return SignaturePolicy.read(
        Arrays.stream(files.split(",")).map(file -> Path.of(file.strip())).toList());
  }

  /**
   * Credentials as Docker's command finds them: {@code DOCKER_CONFIG}, {@code PATH}; and which
   * addresses are asked.
   */
  static RegistrySettings registries(Settings text, Map<String, String> environment) {
    Set<String> also =
        text.text("registries.reach.also").stream()
            .flatMap(names -> Arrays.stream(names.split(",")))
            .map(String::strip)
            .collect(Collectors.toSet());
    Reach reach =
        new Reach(text.parsed("registries.reach", Reach.SITE.scope(), Reach::scope), also);
    return RegistrySettings.fromEnvironment(environment).withReach(reach);
  }
}
