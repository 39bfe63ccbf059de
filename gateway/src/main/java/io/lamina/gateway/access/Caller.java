package io.lamina.gateway.access;

import io.lamina.cvmfs.RepositoryName;
import java.util.Optional;
import java.util.Set;

/**
 * Who sent a request. Immutable.
 *
 * @param name of the token; idempotency keys are the caller's own under it
 * @param repositories those that the caller may see and use; empty for all
 * @param tenant who the requests count for where work waits
 */
public record Caller(
    String name, Role role, Optional<Set<RepositoryName>> repositories, String tenant) {
  public Caller {
    repositories = repositories.map(Set::copyOf);
  }

  /** One that is a tenant of its own. */
  public Caller(String name, Role role, Optional<Set<RepositoryName>> repositories) {
    this(name, role, repositories, name);
  }

  /** Everybody, where no tokens are configured. */
  public static final Caller LOCAL = new Caller("local", Role.OPERATOR, Optional.empty());

  public boolean mayUse(RepositoryName repository) {
    return repositories.map(r -> r.contains(repository)).orElse(true);
  }
}
