package io.lamina.gateway.request;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.ImageReference;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.messaging.event.Event.RemovalRequested;
import io.lamina.messaging.event.Event.RemovalRequested.Scope;
import io.lamina.messaging.event.Precedence.Priority;
import io.lamina.messaging.event.Retention;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What a caller asks for, validated. Immutable. */
public sealed interface NewRequest {
  RepositoryName repository();

  /** How urgent it is; somebody waits for most. */
  default Priority priority() {
    return Priority.INTERACTIVE;
  }

  /** All that makes it the same request as another, in one text. */
  String fingerprintText();

  /** Convert and publish an image. */
  record Conversion(
      RepositoryName repository,
      ImageReference image,
      List<Platform> platforms,
      Optional<ImageReference.Registry> thin,
      Priority priority)
      implements NewRequest {
    public Conversion {
      platforms = List.copyOf(platforms);
    }

    public Conversion(
        RepositoryName repository,
        ImageReference image,
        List<Platform> platforms,
        Optional<ImageReference.Registry> thin) {
      this(repository, image, platforms, thin, Priority.INTERACTIVE);
    }

    @Override
    public String fingerprintText() {
      return String.join(
          "\n",
          "conversion",
          repository.value(),
          image.canonical(),
          platforms.stream().map(Platform::toString).sorted().collect(Collectors.joining(",")),
          thin.map(ImageReference.Registry::canonical).orElse(""));
    }
  }

  /**
   * Take images away.
   *
   * @param name as in {@link RemovalRequested#subject}
   */
  record Removal(
      RepositoryName repository,
      String name,
      Scope scope,
      boolean keepTrees,
      Optional<Retention> retention)
      implements NewRequest {
    public Removal(RepositoryName repository, String name, Scope scope, boolean keepTrees) {
      this(repository, name, scope, keepTrees, Optional.empty());
    }

    @Override
    public String fingerprintText() {
      return String.join(
          "\n",
          "removal",
          repository.value(),
          name,
          scope.name(),
          Boolean.toString(keepTrees),
          retention.map(Retention::toString).orElse(""));
    }
  }

  /** Remove the objects that nothing refers to, or count them. */
  record Collection(RepositoryName repository, boolean dryRun) implements NewRequest {
    @Override
    public String fingerprintText() {
      return String.join("\n", "collection", repository.value(), Boolean.toString(dryRun));
    }
  }

  /** Publish an uploaded layer. */
  record DiffCommit(RepositoryName repository, LayerDescriptor layer) implements NewRequest {
    @Override
    public String fingerprintText() {
      return String.join(
          "\n",
          "diff-commit",
          repository.value(),
          layer.blob().digest().toString(),
          Long.toString(layer.blob().sizeBytes()),
          layer.blob().mediaType(),
          layer.diffId().toString());
    }
  }
}
