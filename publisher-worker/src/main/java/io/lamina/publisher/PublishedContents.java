package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.Digest;
import io.lamina.messaging.event.Event.RemovalRequested;
import io.lamina.messaging.event.WorkKey;
import io.lamina.repository.RepositoryException;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What a repository shows at its current revision. Used by one thread at a time. */
public interface PublishedContents {
  /**
   * A published layer.
   *
   * @param diffId what it was verified against; empty if another tool published it
   */
  record Layer(Optional<Digest> diffId) {}

  /** The layer with this compressed digest. */
  Optional<Layer> layer(Digest blob);

  /**
   * The graft of a published layer, recovered from the catalogs; costs the reading of the layer's
   * own catalog.
   */
  Optional<Graft> layerGraft(Digest blob);

  /** Whether the image with this id has its merged tree. */
  boolean hasFlat(Digest imageId);

  /** Public names of the images that a removal means, sorted. */
  List<String> images(String subject, RemovalRequested.Scope scope);

  /** When an image was published last; 0 if that is not known. */
  long publishedSeconds(String publicName);

  /**
   * Layers and merged trees that images referred to in revisions that are older than the grace
   * period, and that no image has referred to at its beginning or does now. What only a commit has
   * published is never among them.
   *
   * @param asOf the grace period ends then
   * @throws RepositoryException.Corrupt if nobody knows
   */
  Set<WorkKey> abandonedTrees(Instant asOf);

  /** What shows an image: its links and its folders of metadata, in the order of their paths. */
  List<RepositoryPath> entriesOf(String publicName);

  /**
   * Published layers and merged trees that some of these images refer to, and no other image does.
   *
   * @throws RepositoryException.Corrupt if an image's metadata cannot be read, so that nobody knows
   *     what it refers to
   */
  Set<WorkKey> treesOnlyOf(Collection<String> publicNames);

  /** Whether there is an entry of any type at {@code path}. */
  boolean exists(RepositoryPath path);
}
