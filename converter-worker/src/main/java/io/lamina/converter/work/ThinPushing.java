package io.lamina.converter.work;

import io.lamina.image.Digest;
import io.lamina.messaging.event.Event.ThinRequested;

/** Builds thin images and pushes them. Thread-safe. */
@FunctionalInterface
public interface ThinPushing {
  /**
   * @param config the original image's config, byte-exact
   * @return of the manifest that was pushed
   */
  Digest push(ThinRequested work, byte[] config);
}
