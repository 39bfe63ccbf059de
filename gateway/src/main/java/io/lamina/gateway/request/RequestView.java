package io.lamina.gateway.request;

import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.WorkKey;
import java.util.List;

/**
 * A request with what is known of its work. Immutable.
 *
 * @param work in the order of its status
 */
public record RequestView(RequestStatus status, Progress progress, List<Work> work) {
  public RequestView {
    work = List.copyOf(work);
  }

  /** A piece of work; a total of 0 says that it has not reported yet. */
  public record Work(WorkKey key, long doneBytes, long totalBytes) {}

  /**
   * The sum over the work.
   *
   * @param totalBytes of the pieces that have reported
   */
  public record Progress(int layersDone, int layersTotal, long doneBytes, long totalBytes) {}
}
