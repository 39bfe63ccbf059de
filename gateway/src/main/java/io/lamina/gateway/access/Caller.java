package io.lamina.gateway.access;

import io.lamina.cvmfs.RepositoryName;
import java.util.Optional;
import java.util.Set;

/**
 * Who sent a request. Immutable.
 *
 * @param name of the token; idempotency keys are the caller's own under it
 * @param repositories those that the caller may see and use; empty for all
 */
public record Caller(String name, Role role, Optional<Set<RepositoryName>> repositories) {
  public Caller {
    repositories = repositories.map(Set::copyOf);
  }

  /** Everybody, where no tokens are configured. */
  public static final Caller LOCAL = new Caller("local", Role.OPERATOR, Optional.empty());

  public boolean mayUse(RepositoryName repository) {
    return repositories.map(r -> r.contains(repository)).orElse(true);
  }
}
