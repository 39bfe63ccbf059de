package io.lamina.converter.thin;

import io.lamina.converter.work.ThinPushing;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.thin.ThinImage;
import io.lamina.image.thin.ThinImageBuilder;
import io.lamina.image.thin.ThinImagePusher;
import io.lamina.messaging.event.Event.ThinRequested;

/**
 * Makes thin images of published layers and pushes them to registries. The same request gives the
 * same image. Thread-safe.
 */
public final class PublishedThinImages implements ThinPushing {
  private final ThinImagePusher pusher;

  public PublishedThinImages(ThinImagePusher pusher) {
    this.pusher = pusher;
  }

  @Override
  public Digest push(ThinRequested work, byte[] config) {
    if (!(ImageReference.parse(work.target()) instanceof ImageReference.Registry target)) {
      throw new ImageException.Rejected(
          "a thin image can only be pushed to a registry (docker://HOST/REPO:TAG), not to "
              + work.target());
    }
    ThinImage image =
        ThinImageBuilder.build(config, work.layers(), work.repository().value(), work.image());
    return pusher.push(image, target);
  }
}
