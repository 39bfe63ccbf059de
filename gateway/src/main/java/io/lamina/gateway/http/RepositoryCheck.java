package io.lamina.gateway.http;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.repository.RepositoryDirectory;
import io.vertx.core.Future;
import java.util.Optional;

/**
 * Where this process knows the repositories, a wrong name is told at once. Used on requests'
 * contexts.
 */
record RepositoryCheck(Optional<RepositoryDirectory> directory, Blocking blocking) {
  /** Fails with {@link GatewayException.Refused}. */
  Future<?> check(RepositoryName name) {
    if (directory.isEmpty()) {
      return Future.succeededFuture();
    }
    RepositoryDirectory known = directory.get();
    return blocking.call(
        () -> {
          if (!known.knows(name)) {
            throw new GatewayException.Refused(
                ProblemType.NOT_FOUND,
                "there is no repository '"
                    + name
                    + "'; create it with 'lamina repo create "
                    + name
                    + "' or POST /api/v1/repositories");
          }
          return name;
        });
  }
}
