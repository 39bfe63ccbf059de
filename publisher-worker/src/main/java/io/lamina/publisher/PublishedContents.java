package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.Digest;
import java.util.Optional;

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

  /** Whether there is an entry of any type at {@code path}. */
  boolean exists(RepositoryPath path);
}
