package io.lamina.gateway.request;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.access.Caller;
import io.lamina.messaging.event.Event.RequestStatus;
import java.util.Optional;

/** Which requests are wanted; only those that the caller may see are. Immutable. */
public record RequestFilter(
    Caller caller,
    Optional<RequestStatus.Kind> kind,
    Optional<RequestStatus.State> state,
    Optional<RepositoryName> repository) {

  boolean matches(RequestStatus status) {
    return caller.mayUse(status.repository())
        && kind.map(k -> k == status.kind()).orElse(true)
        && state.map(s -> s == status.state()).orElse(true)
        && repository.map(r -> r.equals(status.repository())).orElse(true);
  }
}
