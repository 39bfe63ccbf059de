package io.lamina.gateway.live;

import io.lamina.gateway.repository.RepositoryJson;
import io.lamina.gateway.repository.Revision;
import io.lamina.gateway.request.RequestJson;
import io.lamina.gateway.request.RequestView;
import io.lamina.gateway.request.StatusListener;
import io.lamina.messaging.event.Event.RequestStatus;
import java.util.Optional;

/** Turns what the folded tables learn into live events. Thread-safe. */
public final class LiveNews implements StatusListener {
  private final LiveEvents live;

  public LiveNews(LiveEvents live) {
    this.live = live;
  }

  @Override
  public void changed(RequestView request) {
    RequestStatus status = request.status();
    live.publish(
        LiveEvent.Kind.REQUEST,
        status.repository(),
        Optional.of(status.request()),
        status.state().isFinal(),
        RequestJson.write(request, false).encode());
  }

  @Override
  public void progressed(RequestView request) {
    live.publish(
        LiveEvent.Kind.PROGRESS,
        request.status().repository(),
        Optional.of(request.status().request()),
        false,
        RequestJson.writeProgress(request).encode());
  }

  /** A repository has a new revision. */
  public void published(Revision revision) {
    live.publish(
        LiveEvent.Kind.PUBLISHED,
        revision.repository(),
        Optional.empty(),
        false,
        RepositoryJson.writeEvent(revision).encode());
  }
}
