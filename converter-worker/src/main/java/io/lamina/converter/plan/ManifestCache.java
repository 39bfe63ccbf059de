package io.lamina.converter.plan;

import io.lamina.image.Digest;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Resolved images under the digest of the manifest or index that named them, for a short time.
 * Bounded by bytes; the least recently used go first. Thread-safe.
 */
final class ManifestCache {
  /** What an entry costs beside its bytes, roughly. */
  private static final long ENTRY_BYTES = 2048;

  /**
   * @param place registry and repository; who may read one repository may not read another
   */
  record Key(String place, Digest top, Platform platform) {}

  private record Entry(ResolvedImage image, Instant until, long weightBytes) {}

  private final Clock clock;
  private final Duration keepFor;
  private final long maxBytes;
  // All below is guarded by this.
  private final LinkedHashMap<Key, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
  private long weightBytes;

  ManifestCache(Clock clock, Duration keepFor, long maxBytes) {
    this.clock = clock;
    this.keepFor = keepFor;
    this.maxBytes = maxBytes;
  }

  synchronized Optional<ResolvedImage> find(Key key) {
    Entry entry = entries.get(key);
    if (entry == null) {
      return Optional.empty();
    }
    if (!clock.instant().isBefore(entry.until())) {
      entries.remove(key);
      weightBytes -= entry.weightBytes();
      return Optional.empty();
    }
    return Optional.of(entry.image());
  }

  synchronized void keep(Key key, ResolvedImage image) {
    long weight = ENTRY_BYTES + image.manifestBytes().length + image.configBytes().length;
    Entry old = entries.put(key, new Entry(image, clock.instant().plus(keepFor), weight));
    weightBytes += weight - (old == null ? 0 : old.weightBytes());
    Iterator<Map.Entry<Key, Entry>> eldest = entries.entrySet().iterator();
    while (weightBytes > maxBytes && eldest.hasNext()) {
      weightBytes -= eldest.next().getValue().weightBytes();
      eldest.remove();
    }
  }
}
