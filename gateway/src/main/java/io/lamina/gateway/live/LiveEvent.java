package io.lamina.gateway.live;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.event.RequestId;
import java.util.Optional;

/**
 * One event for those who watch. Immutable.
 *
 * @param sequence grows by one with each event of this process
 * @param request empty for what is about no request
 * @param last whether the request's stream ends with it
 * @param data one line of JSON
 */
public record LiveEvent(
    long sequence,
    Kind kind,
    RepositoryName repository,
    Optional<RequestId> request,
    boolean last,
    String data) {
  /** The event's name on the wire. */
  public enum Kind {
    REQUEST("request"),
    PROGRESS("progress"),
    PUBLISHED("published");

    private final String wireName;

    Kind(String wireName) {
      this.wireName = wireName;
    }

    public String wireName() {
      return wireName;
    }
  }
}
