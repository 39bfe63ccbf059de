package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Digest;
import java.util.List;

/** Writes the descriptor of a thin image: the same input gives the same bytes. */
@FunctionalInterface
public interface ThinDescriptors {
  /**
   * @param origin canonical reference of the original image
   * @param layers compressed digests, bottom first
   */
  byte[] write(RepositoryName repository, String origin, List<Digest> layers);
}
