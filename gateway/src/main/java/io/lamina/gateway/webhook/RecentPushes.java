package io.lamina.gateway.webhook;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** Times of the newest pushes, by image, of the images that were pushed last. Thread-safe. */
final class RecentPushes {
  private static final int MAX_IMAGES = 10_000;

  /** Guarded by this object. */
  private final Map<String, Instant> newest =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Instant> eldest) {
          return size() > MAX_IMAGES;
        }
      };

  /** Notes a push; says whether none is known that came after it. */
  synchronized boolean isNewest(String image, Instant at) {
    Instant known = newest.merge(image, at, (a, b) -> a.isAfter(b) ? a : b);
    return !known.isAfter(at);
  }
}
