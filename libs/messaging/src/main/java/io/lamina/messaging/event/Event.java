package io.lamina.messaging.event;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Everything that is said on the topics. Records are immutable, carry all that their reader needs,
 * and are harmless when they are read twice.
 *
 * <p>Source: docs/protocol/events.md.
 */
public sealed interface Event {
  /** The repository that it is about. */
  RepositoryName repository();

  /**
   * What somebody asked for and waits for, at any stage before its end. {@link RequestStatus} tells
   * of it.
   */
  sealed interface Request extends Event {
    RequestId request();

    RequestStatus.Kind kind();

    /** What it is about: the image, the layer's digest, or words for people. */
    String description();

    /** When the gateway accepted it. */
    Instant acceptedAt();

    /** Whose turn it is; empty is {@link Precedence#UNSAID}. */
    Optional<Precedence> precedence();

    default RequestStatus status(
        RequestStatus.State state,
        List<WorkKey> work,
        Optional<String> detail,
        Optional<Long> revision,
        Instant now) {
      return new RequestStatus(
          request(),
          repository(),
          kind(),
          description(),
          state,
          work,
          detail,
          revision,
          acceptedAt(),
          now);
    }
  }

  /** A request for an image that is to be published. */
  sealed interface ImageRequest extends Request {
    /** Canonical form of the image reference. */
    String image();

    @Override
    default RequestStatus.Kind kind() {
      return RequestStatus.Kind.CONVERSION;
    }

    @Override
    default String description() {
      return image();
    }
  }

  // ---- lamina.conversions -------------------------------------------------------------------

  /**
   * Convert and publish an image.
   *
   * @param image canonical form of the image reference
   * @param platforms at least one
   * @param thinTarget canonical reference of the registry tag that gets the thin image
   */
  record ConversionRequested(
      RequestId request,
      RepositoryName repository,
      String image,
      List<Platform> platforms,
      Optional<String> thinTarget,
      Instant acceptedAt,
      Optional<Precedence> precedence)
      implements ImageRequest {
    public ConversionRequested {
      platforms = List.copyOf(platforms);
    }

    public ConversionRequested(
        RequestId request,
        RepositoryName repository,
        String image,
        List<Platform> platforms,
        Optional<String> thinTarget,
        Instant acceptedAt) {
      this(request, repository, image, platforms, thinTarget, acceptedAt, Optional.empty());
    }
  }

  // ---- lamina.repository --------------------------------------------------------------------

  /** A manifest was resolved: these layers make this image. */
  record ImagePlanned(
      RequestId request,
      RepositoryName repository,
      String image,
      String publicName,
      List<PlannedPlatform> platforms,
      Optional<String> thinTarget,
      Instant acceptedAt,
      Instant plannedAt,
      Optional<Precedence> precedence)
      implements ImageRequest {
    public ImagePlanned {
      platforms = List.copyOf(platforms);
    }

    public ImagePlanned(
        RequestId request,
        RepositoryName repository,
        String image,
        String publicName,
        List<PlannedPlatform> platforms,
        Optional<String> thinTarget,
        Instant acceptedAt,
        Instant plannedAt) {
      this(
          request,
          repository,
          image,
          publicName,
          platforms,
          thinTarget,
          acceptedAt,
          plannedAt,
          Optional.empty());
    }
  }

  /**
   * Publish one layer that a node has uploaded (docker commit).
   *
   * @param layer the uploaded archive
   */
  record DiffCommitRequested(
      RequestId request,
      RepositoryName repository,
      LayerDescriptor layer,
      Instant acceptedAt,
      Optional<Precedence> precedence)
      implements Request {
    public DiffCommitRequested(
        RequestId request, RepositoryName repository, LayerDescriptor layer, Instant acceptedAt) {
      this(request, repository, layer, acceptedAt, Optional.empty());
    }

    @Override
    public RequestStatus.Kind kind() {
      return RequestStatus.Kind.DIFF_COMMIT;
    }

    @Override
    public String description() {
      return layer.blob().digest().toString();
    }
  }

  /**
   * Take published images away.
   *
   * @param subject a public name ({@code REGISTRY/REPO:TAG}); one without its tag; a pattern of
   *     names in which {@code *} stands for anything; or empty
   * @param scope what of it
   * @param retention what stays, where a rule decides
   * @param keepTrees leave layers and merged trees where they are, for thin images that people hold
   */
  record RemovalRequested(
      RequestId request,
      RepositoryName repository,
      String subject,
      Scope scope,
      boolean keepTrees,
      Optional<Retention> retention,
      Instant acceptedAt,
      Optional<Precedence> precedence)
      implements Request {
    /**
     * @throws IllegalArgumentException if a rule says what stays, and it is not the rule's scope,
     *     or the other way round
     */
    public RemovalRequested {
      if (retention.isPresent() != (scope == Scope.RULE)) {
        throw new IllegalArgumentException(
            "a removal by rule has a rule, and no other has: " + scope);
      }
    }

    /** How much goes. */
    public enum Scope {
      /** The image of exactly this name. */
      TAG,
      /** The images of all tags and digests of this name. */
      IMAGE,
      /** Every image. */
      ALL,
      /** What the rule does not keep, of the images whose names match the subject. */
      RULE
    }

    @Override
    public String description() {
      return switch (scope) {
        case TAG -> subject;
        case IMAGE -> subject + ":*";
        case ALL -> "every image";
        case RULE -> "old images of " + subject;
      };
    }

    @Override
    public RequestStatus.Kind kind() {
      return RequestStatus.Kind.REMOVAL;
    }
  }

  /**
   * Remove the objects that nothing refers to.
   *
   * @param dryRun only count them
   */
  record CollectionRequested(
      RequestId request,
      RepositoryName repository,
      boolean dryRun,
      Instant acceptedAt,
      Optional<Precedence> precedence)
      implements Request {
    @Override
    public RequestStatus.Kind kind() {
      return RequestStatus.Kind.COLLECTION;
    }

    @Override
    public String description() {
      return dryRun ? "dry run" : "objects";
    }
  }

  /**
   * A collection came to its end.
   *
   * @param succeeded else it broke off, and the detail says why
   * @param detail what it found and removed
   */
  record CollectionFinished(
      RepositoryName repository, RequestId request, boolean succeeded, String detail)
      implements Event {}

  /** Stop working on a request; nothing that is published is taken back. */
  record CancelRequested(RequestId request, RepositoryName repository) implements Event {}

  /** A layer's objects and catalog are stored; it can be grafted. */
  record LayerConverted(
      RepositoryName repository, LayerDescriptor layer, Graft graft, WorkFigures figures)
      implements Event {}

  /** An image's merged root file system is stored; it can be grafted. */
  record FlatMerged(RepositoryName repository, Digest imageId, Graft graft, WorkFigures figures)
      implements Event {}

  /** The thin image was pushed. */
  record ThinPushed(RepositoryName repository, RequestId request, String target, Digest manifest)
      implements Event {}

  /**
   * Another site has published this, and the objects that it needs are here: publish it too.
   *
   * @param origin what it follows
   * @param timestampSeconds of the other site's transaction
   * @param changes in their order; none if nothing of the transaction was selected
   */
  record TransactionFollowed(
      RepositoryName repository,
      SiteOrigin origin,
      long timestampSeconds,
      List<CatalogChange> changes)
      implements Event {
    public TransactionFollowed {
      changes = List.copyOf(changes);
    }
  }

  /** A piece of work can never succeed; the requests that need it fail with this reason. */
  record WorkFailed(RepositoryName repository, WorkKey work, String reason) implements Event {}

  /**
   * What a piece of work failed by is tried again: requests that failed by it are taken up anew.
   *
   * @param asked the order, if it was put back into the queue; else its result was, or it is to be
   *     asked for again
   */
  record WorkRetried(RepositoryName repository, WorkKey work, Optional<Work> asked)
      implements Event {}

  // ---- lamina.layers ------------------------------------------------------------------------

  /** A piece of work for any converter. */
  sealed interface Work extends Event {
    WorkKey work();
  }

  /**
   * Fetch and convert a layer.
   *
   * @param image canonical reference of an image that has the layer, or {@code upload:} for the
   *     uploads area of the repository's storage
   * @param timestampSeconds recorded time for what has no time of its own
   */
  record LayerRequested(
      RepositoryName repository, LayerDescriptor layer, String image, long timestampSeconds)
      implements Work {
    @Override
    public WorkKey work() {
      return new WorkKey(WorkKey.Kind.LAYER, layer.blob().digest().hex());
    }
  }

  /**
   * Merge an image's layers.
   *
   * @param layers their grafts, bottom first
   * @param config the image's config, stored as a file object
   */
  record FlatRequested(
      RepositoryName repository,
      Digest imageId,
      List<Graft> layers,
      StoredFile config,
      long timestampSeconds)
      implements Work {
    public FlatRequested {
      layers = List.copyOf(layers);
    }

    @Override
    public WorkKey work() {
      return new WorkKey(WorkKey.Kind.FLAT, imageId.hex());
    }
  }

  /** Push a thin image that names these published layers. */
  record ThinRequested(
      RepositoryName repository,
      RequestId request,
      String image,
      String target,
      StoredFile config,
      List<Digest> layers)
      implements Work {
    public ThinRequested {
      layers = List.copyOf(layers);
    }

    @Override
    public WorkKey work() {
      return new WorkKey(WorkKey.Kind.THIN, request.value());
    }
  }

  // ---- lamina.pending -----------------------------------------------------------------------

  /** A publisher's note to whoever owns the repository next; the latest under its key counts. */
  sealed interface Pending extends Event {
    /** Names the note within its repository; the record's key is {@code REPOSITORY/noteKey}. */
    String noteKey();
  }

  /**
   * A request that is not final yet. Deleted (tombstone) when it is.
   *
   * @param begin {@link ImagePlanned}, {@link DiffCommitRequested}, {@link RemovalRequested} or
   *     {@link CollectionRequested}; or the {@link CancelRequested} of a request that has not been
   *     planned yet
   * @param revision that shows it, if only its thin image is missing
   */
  record PendingRequest(Event begin, Optional<Long> revision) implements Pending {
    public PendingRequest {
      id(begin);
    }

    public RequestId request() {
      return id(begin);
    }

    @Override
    public RepositoryName repository() {
      return begin.repository();
    }

    @Override
    public String noteKey() {
      return "request/" + id(begin);
    }

    private static RequestId id(Event begin) {
      return switch (begin) {
        case Request request when !(request instanceof ConversionRequested) -> request.request();
        case CancelRequested cancel -> cancel.request();
        default ->
            throw new IllegalArgumentException(
                "a request does not begin with " + begin.getClass().getSimpleName());
      };
    }
  }

  /** Work that was asked for and has no result yet. Deleted when it has. */
  record PendingWork(Work asked) implements Pending {
    @Override
    public RepositoryName repository() {
      return asked.repository();
    }

    @Override
    public String noteKey() {
      return "work/" + asked.work();
    }
  }

  /**
   * A converted layer that waits until an image that needs it is complete. Deleted when the
   * repository shows it, or when no unfinished request needs it any more.
   */
  record PendingLayer(LayerConverted converted) implements Pending {
    @Override
    public RepositoryName repository() {
      return converted.repository();
    }

    @Override
    public String noteKey() {
      return "layer/" + converted.layer().blob().digest().hex();
    }
  }

  /** A merged tree that waits as a {@link PendingLayer} does. */
  record PendingFlat(FlatMerged merged) implements Pending {
    @Override
    public RepositoryName repository() {
      return merged.repository();
    }

    @Override
    public String noteKey() {
      return "flat/" + merged.imageId().hex();
    }
  }

  /**
   * A request that failed by a piece of work, kept for the case that the work is tried again.
   * Deleted when it is, and when newer ones need the room.
   *
   * @param begin as in {@link PendingRequest}
   * @param revision as in {@link PendingRequest}
   */
  record FailedRequest(Event begin, Optional<Long> revision, WorkKey failedBy) implements Pending {
    public FailedRequest {
      PendingRequest.id(begin);
    }

    public RequestId request() {
      return PendingRequest.id(begin);
    }

    @Override
    public RepositoryName repository() {
      return begin.repository();
    }

    @Override
    public String noteKey() {
      return noteKey(request());
    }

    public static String noteKey(RequestId request) {
      return "failed/" + request;
    }
  }

  /** The last transaction of the repository that is in the journal. */
  record JournalPosition(RepositoryName repository, long revision, ContentHash root)
      implements Pending {
    @Override
    public String noteKey() {
      return "journal";
    }
  }

  /** The last transaction of another site's repository that this one has followed. */
  record FollowedPosition(RepositoryName repository, SiteOrigin origin) implements Pending {
    @Override
    public String noteKey() {
      return "followed/" + origin.key();
    }
  }

  // ---- lamina.published ---------------------------------------------------------------------

  /**
   * A committed transaction, with all that a replay needs.
   *
   * @param origin how the repository was made; said with its first transaction
   */
  record TransactionPublished(
      RepositoryName repository,
      long revision,
      long timestampSeconds,
      ContentHash previousRoot,
      ContentHash root,
      long rootSizeBytes,
      List<CatalogChange> changes,
      List<RequestId> requests,
      Optional<RepositoryOrigin> origin)
      implements Event {
    public TransactionPublished {
      changes = List.copyOf(changes);
      requests = List.copyOf(requests);
    }

    public TransactionPublished(
        RepositoryName repository,
        long revision,
        long timestampSeconds,
        ContentHash previousRoot,
        ContentHash root,
        long rootSizeBytes,
        List<CatalogChange> changes,
        List<RequestId> requests) {
      this(
          repository,
          revision,
          timestampSeconds,
          previousRoot,
          root,
          rootSizeBytes,
          changes,
          requests,
          Optional.empty());
    }
  }

  // ---- lamina.status ------------------------------------------------------------------------

  /** The latest state of a request; keyed by its id. */
  record RequestStatus(
      RequestId request,
      RepositoryName repository,
      Kind kind,
      String subject,
      State state,
      List<WorkKey> work,
      Optional<String> detail,
      Optional<Long> revision,
      Instant acceptedAt,
      Instant updatedAt)
      implements Event {
    /** What was asked for. */
    public enum Kind {
      CONVERSION,
      DIFF_COMMIT,
      REMOVAL,
      COLLECTION
    }

    /** How far it is; the last three are final. */
    public enum State {
      ACCEPTED,
      PLANNED,
      PUBLISHING,
      DONE,
      FAILED,
      CANCELLED;

      public boolean isFinal() {
        return this == DONE || this == FAILED || this == CANCELLED;
      }
    }

    public RequestStatus {
      work = List.copyOf(work);
    }
  }

  /** How far a piece of work is; keyed by repository and work. */
  record WorkProgress(
      RepositoryName repository, WorkKey work, long doneBytes, long totalBytes, Instant updatedAt)
      implements Event {}
}
