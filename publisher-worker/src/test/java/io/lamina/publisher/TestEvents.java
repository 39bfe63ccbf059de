package io.lamina.publisher;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.Precedence;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.Retention;
import io.lamina.messaging.event.StoredFile;
import io.lamina.messaging.event.WorkFigures;
import io.lamina.repository.RepositoryLayout;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Events about images whose every digest follows from a short name. */
final class TestEvents {
  static final RepositoryName REPOSITORY = new RepositoryName("test.lamina.example");
  static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  static final WorkFigures FIGURES = new WorkFigures(1, 1, 1, 1, 1, 1, 1, 1);
  static final ThinDescriptors THIN =
      (repository, origin, layers) ->
          (repository + " " + origin + " " + layers).getBytes(StandardCharsets.UTF_8);

  private TestEvents() {}

  static Digest digest(String name) {
    try {
      return Digest.ofBytes(
          MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  static ContentHash hash(byte[] bytes) {
    return ContentHash.of(HashAlgorithm.SHA1, HashAlgorithm.SHA1.newDigest().digest(bytes));
  }

  static ContentHash hash(String name) {
    return hash(name.getBytes(StandardCharsets.UTF_8));
  }

  static LayerDescriptor layer(String name) {
    return new LayerDescriptor(
        new Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", digest(name), 1000),
        digest("diff of " + name));
  }

  static StoredFile file(String name) {
    return new StoredFile(hash(name), name.length());
  }

  static PlannedPlatform platform(String platform, String image, String... layers) {
    return new PlannedPlatform(
        Platform.parse(platform),
        digest("manifest of " + image),
        file("manifest of " + image),
        digest("config of " + image),
        file("config of " + image),
        Stream.of(layers).map(TestEvents::layer).toList(),
        List.of());
  }

  static Event.ImagePlanned plan(String request, String name, PlannedPlatform... platforms) {
    return new Event.ImagePlanned(
        new RequestId(request),
        REPOSITORY,
        "docker://" + name,
        name,
        List.of(platforms),
        Optional.empty(),
        NOW,
        NOW);
  }

  static Event.ImagePlanned at(Event.ImagePlanned plan, Instant acceptedAt, Instant plannedAt) {
    return new Event.ImagePlanned(
        plan.request(),
        plan.repository(),
        plan.image(),
        plan.publicName(),
        plan.platforms(),
        plan.thinTarget(),
        acceptedAt,
        plannedAt);
  }

  static Event.ImagePlanned withThin(Event.ImagePlanned plan, String target) {
    return new Event.ImagePlanned(
        plan.request(),
        plan.repository(),
        plan.image(),
        plan.publicName(),
        plan.platforms(),
        Optional.of(target),
        plan.acceptedAt(),
        plan.plannedAt());
  }

  static Event.ImagePlanned of(Event.ImagePlanned plan, Precedence.Priority priority, String who) {
    return new Event.ImagePlanned(
        plan.request(),
        plan.repository(),
        plan.image(),
        plan.publicName(),
        plan.platforms(),
        plan.thinTarget(),
        plan.acceptedAt(),
        plan.plannedAt(),
        Optional.of(new Precedence(priority, who)));
  }

  static Event.DiffCommitRequested upload(String request, String layer) {
    return new Event.DiffCommitRequested(new RequestId(request), REPOSITORY, layer(layer), NOW);
  }

  /**
   * @param name a public name; with {@code :*} all its tags, {@code *} alone everything
   */
  static Event.RemovalRequested removal(String request, String name) {
    Event.RemovalRequested.Scope scope =
        name.equals("*")
            ? Event.RemovalRequested.Scope.ALL
            : name.endsWith(":*")
                ? Event.RemovalRequested.Scope.IMAGE
                : Event.RemovalRequested.Scope.TAG;
    String subject =
        switch (scope) {
          case TAG -> name;
          case IMAGE -> name.substring(0, name.length() - 2);
          case ALL, RULE -> "";
        };
    return new Event.RemovalRequested(
        new RequestId(request),
        REPOSITORY,
        subject,
        scope,
        false,
        Optional.empty(),
        NOW,
        Optional.empty());
  }

  static Event.RemovalRequested rule(String request, String pattern, Retention rule) {
    return new Event.RemovalRequested(
        new RequestId(request),
        REPOSITORY,
        pattern,
        Event.RemovalRequested.Scope.RULE,
        false,
        Optional.of(rule),
        NOW,
        Optional.empty());
  }

  static Event.CancelRequested cancel(String request) {
    return new Event.CancelRequested(new RequestId(request), REPOSITORY);
  }

  /** What a converter answers to a work order that it can do. */
  static Event answer(Event.Work work) {
    return switch (work) {
      case Event.LayerRequested layer ->
          new Event.LayerConverted(
              REPOSITORY,
              layer.layer(),
              graft(RepositoryLayout.layer(layer.layer().blob().digest().hex())),
              FIGURES);
      case Event.FlatRequested flat ->
          new Event.FlatMerged(
              REPOSITORY,
              flat.imageId(),
              graft(RepositoryLayout.flat(flat.imageId().hex())),
              FIGURES);
      case Event.ThinRequested thin ->
          new Event.ThinPushed(REPOSITORY, thin.request(), thin.target(), digest("thin manifest"));
    };
  }

  static Event failure(Event.Work work, String reason) {
    return new Event.WorkFailed(REPOSITORY, work.work(), reason);
  }

  static Graft graft(RepositoryPath path) {
    return new Graft(
        path,
        hash("catalog of " + path),
        50_000,
        new CatalogEntry(
            CatalogEntry.DIRECTORY | 0755,
            0,
            0,
            CatalogEntry.DIRECTORY_SIZE_BYTES,
            0,
            -1,
            0,
            2,
            null,
            CompressionAlgorithm.ZLIB,
            new byte[0],
            Xattrs.NONE,
            List.of()),
        Counters.ZERO);
  }
}
