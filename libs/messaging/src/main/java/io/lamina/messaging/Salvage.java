package io.lamina.messaging;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.EventJson;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Who waits for a record that cannot be read, as far as its key and what can be read of it tell:
 * they fail with the reason instead of waiting for ever.
 *
 * <p>Source: docs/protocol/topics.md, "Failures". Stateless.
 */
final class Salvage {
  private static final Pattern WORK_KEY =
      Pattern.compile("([^/]{1,60})/(layer|flat|thin)/([A-Za-z0-9_-]{1,64})");
  private static final Pattern TYPE = Pattern.compile("io\\.lamina\\.([a-z-]{1,64})\\.v[0-9]{1,9}");

  private static final List<String> OURS =
      Arrays.stream(Topic.values()).map(Topic::topicName).toList();

  private Salvage() {}

  /** What is to be said to those who wait; empty if nobody can be found. */
  static List<Outgoing> of(
      ConsumerRecord<byte[], byte[]> unreadable, Throwable cause, Instant now) {
    if (OURS.stream().noneMatch(unreadable.topic()::equals)) {
      // Copies of other sites' topics name work and requests of theirs, whatever these are called.
      return List.of();
    }
    String reason = String.valueOf(cause.getMessage());
    try {
      Optional<Event> said =
          unreadable.topic().equals(Topic.LAYERS.topicName())
              ? ofKey(unreadable, reason)
              : ofValue(unreadable, reason, now);
      return said.map(Outgoing::of).stream().toList();
    } catch (IllegalArgumentException
        | DateTimeException
        | CvmfsException.Rejected
        | ImageException.Rejected e) {
      // What is there are no names of ours: nobody waits for it under them.
      return List.of();
    }
  }

  private static Optional<Event> ofKey(ConsumerRecord<byte[], byte[]> record, String reason) {
    Matcher key =
        WORK_KEY.matcher(
            record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8));
    return key.matches()
        ? Optional.of(
            new Event.WorkFailed(
                new RepositoryName(key.group(1)),
                new WorkKey(
                    WorkKey.Kind.valueOf(key.group(2).toUpperCase(Locale.ROOT)), key.group(3)),
                reason))
        : Optional.empty();
  }

  private static Optional<Event> ofValue(
      ConsumerRecord<byte[], byte[]> record, String reason, Instant now) {
    Optional<JsonNode> tree =
        record.value() == null ? Optional.empty() : EventJson.tree(record.value());
    if (tree.isEmpty() || !tree.get().path("repository").isTextual()) {
      return Optional.empty();
    }
    JsonNode json = tree.get();
    RepositoryName repository = new RepositoryName(json.path("repository").asText());
    return switch (kind(record)) {
      case "conversion-requested", "image-planned" ->
          Optional.of(
              failed(
                  json,
                  repository,
                  RequestStatus.Kind.CONVERSION,
                  json.path("image").asText(),
                  reason,
                  now));
      case "diff-commit-requested" ->
          Optional.of(
              failed(
                  json,
                  repository,
                  RequestStatus.Kind.DIFF_COMMIT,
                  json.path("layer").path("blob").path("digest").asText(),
                  reason,
                  now));
      case "removal-requested" ->
          Optional.of(
              failed(
                  json,
                  repository,
                  RequestStatus.Kind.REMOVAL,
                  json.path("subject").asText(),
                  reason,
                  now));
      case "collection-requested", "collection-finished" ->
          Optional.of(
              failed(json, repository, RequestStatus.Kind.COLLECTION, "objects", reason, now));
      case "layer-converted" ->
          Optional.of(
              work(
                  repository,
                  WorkKey.Kind.LAYER,
                  Digest.parse(json.path("layer").path("blob").path("digest").asText()).hex(),
                  reason));
      case "flat-merged" ->
          Optional.of(
              work(
                  repository,
                  WorkKey.Kind.FLAT,
                  Digest.parse(json.path("imageId").asText()).hex(),
                  reason));
      case "thin-pushed" ->
          Optional.of(
              work(
                  repository,
                  WorkKey.Kind.THIN,
                  new RequestId(json.path("request").asText()).value(),
                  reason));
      default -> Optional.empty();
    };
  }

  private static String kind(ConsumerRecord<byte[], byte[]> record) {
    Matcher matcher = TYPE.matcher(EventRecords.type(record));
    return matcher.matches() ? matcher.group(1) : "";
  }

  private static Event failed(
      JsonNode json,
      RepositoryName repository,
      RequestStatus.Kind kind,
      String subject,
      String reason,
      Instant now) {
    return new RequestStatus(
        new RequestId(json.path("request").asText()),
        repository,
        kind,
        subject,
        RequestStatus.State.FAILED,
        List.of(),
        Optional.of(reason),
        Optional.empty(),
        Instant.parse(json.path("acceptedAt").asText()),
        now);
  }

  private static Event work(
      RepositoryName repository, WorkKey.Kind kind, String id, String reason) {
    return new Event.WorkFailed(repository, new WorkKey(kind, id), reason);
  }
}
