package io.lamina.node.cvmfs;

import io.lamina.client.cache.CacheStatistics;
import java.util.Optional;

/** Mounts repositories, in one of the ways that there are. Thread-safe. */
public interface RepositoryClient extends AutoCloseable {
  /** For people: {@code embedded}, {@code cvmfs2}, {@code external}. */
  String name();

  /**
   * Mounts a repository, or finds it mounted; may hang. Never called for one repository while an
   * earlier mount of it is alive.
   *
   * @param repository a valid name
   * @throws io.lamina.layers.LayersException.Unavailable if it cannot be had now
   * @throws io.lamina.layers.LayersException.Rejected if this node does not know it
   */
  RepositoryMount mount(String repository);

  /** Its cache, if it is one of this process and there is something in it. */
  default Optional<CacheStatistics> cache() {
    return Optional.empty();
  }

  /** Ends what the client itself runs. */
  @Override
  void close();
}
