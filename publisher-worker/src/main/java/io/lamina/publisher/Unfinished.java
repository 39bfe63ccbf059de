package io.lamina.publisher;

import io.lamina.image.LayerDescriptor;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.CollectionRequested;
import io.lamina.messaging.event.Event.DiffCommitRequested;
import io.lamina.messaging.event.Event.ImagePlanned;
import io.lamina.messaging.event.Event.RemovalRequested;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Precedence;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A request that is not final yet, and what was last said of it. Owned by its coordinator. */
abstract sealed class Unfinished {
  private List<WorkKey> reported = List.of();

  abstract Event.Request begin();

  RequestId id() {
    return begin().request();
  }

  /** Every layer it needs, each once. */
  abstract List<LayerDescriptor> layers();

  /**
   * What the repository must show for it, each once: layers and, if there are any, merged trees.
   *
   * @param flat whether the repository has merged trees
   */
  abstract List<WorkKey> trees(boolean flat);

  /** Whose turn it is. */
  Precedence precedence() {
    return begin().precedence().orElse(Precedence.UNSAID);
  }

  /** Where its layers can be fetched from, as work orders name it. */
  abstract String source();

  /**
   * The time recorded for whatever has no time of its own: when the request was accepted, which is
   * the same however often and whenever it is worked on.
   */
  long timestampSeconds() {
    return begin().acceptedAt().getEpochSecond();
  }

  RequestStatus status(
      RequestStatus.State state,
      List<WorkKey> work,
      Optional<String> detail,
      Optional<Long> revision,
      Instant now) {
    return begin().status(state, work, detail, revision, now);
  }

  /** Whether outstanding work changed since this was last asked. */
  boolean reportsNew(List<WorkKey> outstanding) {
    boolean changed = !reported.equals(outstanding);
    reported = List.copyOf(outstanding);
    return changed;
  }

  boolean needs(LayerDescriptor layer) {
    return layers().contains(layer);
  }

  static Unfinished of(Event.PendingRequest note) {
    return switch (note.begin()) {
      case ImagePlanned plan -> new Image(plan, note.revision());
      case DiffCommitRequested diff -> new Upload(diff);
      case RemovalRequested removal -> new Removal(removal);
      case CollectionRequested collection -> new Collection(collection);
      default -> throw new IllegalArgumentException("not a request: " + note.begin());
    };
  }

  /** An image to be shown under its public name. */
  static final class Image extends Unfinished {
    final ImagePlanned plan;
    private final List<LayerDescriptor> layers;
    private final List<WorkKey> layerKeys;
    private final List<WorkKey> allKeys;
    private Optional<Long> revision;

    Image(ImagePlanned plan, Optional<Long> revision) {
      this.plan = plan;
      this.layers = plan.platforms().stream().flatMap(p -> p.layers().stream()).distinct().toList();
      this.layerKeys =
          layers.stream()
              .map(layer -> NeededTrees.layer(layer.blob().digest()))
              .distinct()
              .toList();
      this.allKeys =
          Stream.concat(
                  layerKeys.stream(),
                  plan.platforms().stream().map(p -> NeededTrees.flat(p.imageId())))
              .distinct()
              .toList();
      this.revision = revision;
    }

    /** The revision that shows it; then only its thin image is missing. */
    Optional<Long> revision() {
      return revision;
    }

    void shownIn(long shownRevision) {
      revision = Optional.of(shownRevision);
    }

    /** Whether the other request asks for exactly the same to be shown under the same name. */
    boolean sameImage(Image other) {
      return plan.publicName().equals(other.plan.publicName())
          && plan.image().equals(other.plan.image())
          && plan.platforms().equals(other.plan.platforms());
    }

    WorkKey thinWork() {
      return new WorkKey(WorkKey.Kind.THIN, plan.request().value());
    }

    @Override
    Event.Request begin() {
      return plan;
    }

    @Override
    List<LayerDescriptor> layers() {
      return layers;
    }

    @Override
    List<WorkKey> trees(boolean flat) {
      return flat ? allKeys : layerKeys;
    }

    @Override
    String source() {
      return plan.image();
    }
  }

  /** A layer that a node uploaded. */
  static final class Upload extends Unfinished {
    static final String SOURCE = "upload:";

    final DiffCommitRequested diff;

    Upload(DiffCommitRequested diff) {
      this.diff = diff;
    }

    @Override
    Event.Request begin() {
      return diff;
    }

    @Override
    List<LayerDescriptor> layers() {
      return List.of(diff.layer());
    }

    @Override
    List<WorkKey> trees(boolean flat) {
      return List.of(NeededTrees.layer(diff.layer().blob().digest()));
    }

    @Override
    String source() {
      return SOURCE;
    }
  }

  /** Images that are to go. It needs nothing, so it is complete at once. */
  static final class Removal extends Unfinished {
    final RemovalRequested removal;

    Removal(RemovalRequested removal) {
      this.removal = removal;
    }

    /** Whether it means the image of this name. */
    boolean means(String publicName) {
      return switch (removal.scope()) {
        case TAG -> publicName.equals(removal.subject());
        case IMAGE ->
            publicName.startsWith(removal.subject() + ":")
                || publicName.startsWith(removal.subject() + "@");
        case ALL -> true;
        // It is about what is published, and nobody knows yet what that will be.
        case RULE -> false;
      };
    }

    @Override
    Event.Request begin() {
      return removal;
    }

    @Override
    List<LayerDescriptor> layers() {
      return List.of();
    }

    @Override
    List<WorkKey> trees(boolean flat) {
      return List.of();
    }

    @Override
    String source() {
      return "";
    }
  }

  /** Objects to be removed, beside the transactions. */
  static final class Collection extends Unfinished {
    final CollectionRequested collection;
    private boolean isTidied;

    Collection(CollectionRequested collection) {
      this.collection = collection;
      this.isTidied = collection.dryRun();
    }

    /** Whether the trees that no image refers to any more have gone from the repository. */
    boolean isTidied() {
      return isTidied;
    }

    void tidied() {
      isTidied = true;
    }

    @Override
    Event.Request begin() {
      return collection;
    }

    @Override
    List<LayerDescriptor> layers() {
      return List.of();
    }

    @Override
    List<WorkKey> trees(boolean flat) {
      return List.of();
    }

    @Override
    String source() {
      return "";
    }
  }
}
