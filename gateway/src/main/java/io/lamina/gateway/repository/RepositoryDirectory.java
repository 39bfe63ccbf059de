package io.lamina.gateway.repository;

import io.lamina.cvmfs.RepositoryName;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The repositories whose keys or storage this process has. Methods may block; thread-safe.
 *
 * <p>Failures are {@link io.lamina.gateway.problem.GatewayException}.
 */
public interface RepositoryDirectory {
  /**
   * What is known of one.
   *
   * @param storage for people: a folder or a bucket's address, without credentials
   * @param whitelistExpires when the signed whitelist ends, if this process can tell
   */
  record Known(RepositoryName name, String storage, Optional<Instant> whitelistExpires) {}

  /** Whether there is one of that name; its storage is not asked and may be out of reach. */
  boolean knows(RepositoryName name);

  /** All, by name; also those whose storage is out of reach. */
  List<Known> list();

  /** As {@link #list}. */
  Optional<Known> find(RepositoryName name);

  /**
   * Creates a repository with new keys and an empty first revision.
   *
   * @throws io.lamina.gateway.problem.GatewayException.Refused with {@code CONFLICT} if there is
   *     one
   */
  Known create(RepositoryName name);
}
