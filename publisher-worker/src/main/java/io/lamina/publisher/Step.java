package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.messaging.event.RequestId;
import java.util.List;
import java.util.Set;

/**
 * Changes that belong together: a layer, a merged tree, or an image's metadata and links. Steps of
 * one batch share a transaction; if one of them is refused, the others go on without it. Immutable.
 *
 * @param key unique within the batch, for people too
 * @param needs keys of the steps of the same batch without which this one would dangle
 * @param changes in order
 * @param files to be stored first and put at their paths in the same transaction
 * @param requests that this step fulfils
 */
public record Step(
    String key,
    Set<String> needs,
    List<CatalogChange> changes,
    List<NewFile> files,
    List<RequestId> requests) {
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
    needs = Set.copyOf(needs);
    changes = List.copyOf(changes);
    files = List.copyOf(files);
    requests = List.copyOf(requests);
  }
}
