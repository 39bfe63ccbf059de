package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.messaging.event.RequestId;
import java.util.List;

/**
 * All that has to become visible together for requests to be fulfilled: an image's layers, merged
 * trees, metadata and links, or an uploaded layer. Steps of one batch share a transaction; if one
 * of them is refused, the others go on without it. Immutable.
 *
 * @param key unique within the batch, for people too
 * @param trees what shows its layers and merged trees; several steps may name the same ones
 * @param changes what else it takes, in order, after the trees
 * @param files to be stored first and put at their paths in the same transaction
 * @param requests that this step fulfils
 * @param timestampSeconds recorded for what it shows
 */
public record Step(
    String key,
    List<CatalogChange> trees,
    List<CatalogChange> changes,
    List<NewFile> files,
    List<RequestId> requests,
    long timestampSeconds) {
  /** A small file whose bytes are made here. The array must not be changed. */
  public record NewFile(RepositoryPath path, byte[] bytes) {}

  /** What became of a step. */
  public sealed interface Result {
    /**
     * The repository shows it.
     *
     * @param changed whether this transaction made it so; else it was there before
     */
    record Shown(long revision, boolean changed) implements Result {}

    /** It can never be shown. */
    record Refused(String reason) implements Result {}
  }

  public Step {
    trees = List.copyOf(trees);
    changes = List.copyOf(changes);
    files = List.copyOf(files);
    requests = List.copyOf(requests);
  }
}
