package io.lamina.gateway.webhook;

import io.lamina.gateway.request.RequestView;
import java.util.List;

/**
 * What came of a delivery. Immutable.
 *
 * @param accepted requests that it made
 * @param known requests that the same events had made before
 */
public record WebhookAnswer(
    String webhook, List<RequestView> accepted, List<RequestView> known, List<LeftOut> leftOut) {
  public WebhookAnswer {
    accepted = List.copyOf(accepted);
    known = List.copyOf(known);
    leftOut = List.copyOf(leftOut);
  }

  /** Whether requests stand for it. */
  public boolean hasRequests() {
    return !accepted.isEmpty() || !known.isEmpty();
  }
}
