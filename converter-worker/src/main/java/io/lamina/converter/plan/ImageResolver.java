package io.lamina.converter.plan;

import io.lamina.converter.Limit;
import io.lamina.converter.TaskScope;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.ImageSources;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Resolves an image for its platforms. A registry is first asked which digest the tag names (most
 * count that as nothing); all platforms are then resolved from that digest, so they belong together
 * even if the tag moves meanwhile, and manifests that were fetched a short time ago are not fetched
 * again. Thread-safe.
 */
final class ImageResolver {
  private final ImageSources sources;
  private final PlannerSettings settings;
  private final ManifestCache cache;
  private final MeterRegistry meters;

  ImageResolver(ImageSources sources, PlannerSettings settings, Clock clock, MeterRegistry meters) {
    this.sources = sources;
    this.settings = settings;
    this.cache = new ManifestCache(clock, settings.cacheFor(), settings.cacheBytes());
    this.meters = meters;
  }

  /**
   * In the order of the platforms.
   *
   * @throws RuntimeException the first platform's failure; the others are stopped
   */
  List<ResolvedImage> resolve(ImageReference reference, List<Platform> platforms)
      throws InterruptedException {
    return switch (reference) {
      case ImageReference.Registry registry -> resolvePinned(pin(registry), platforms);
      case ImageReference.OciLayout _,
          ImageReference.OciArchive _,
          ImageReference.DockerArchive _ ->
          fetch(reference, platforms);
    };
  }

  private ImageReference.Registry pin(ImageReference.Registry reference) {
    if (reference.digest().isPresent()) {
      return reference;
    }
    Optional<Digest> current;
    try (ImageSource source = sources.open(reference)) {
      current = source.currentDigest();
    } catch (ImageException.Retryable e) {
      if (e.retryAfter().isPresent()) {
        throw e;
      }
      // The registry may be out of reach while a mirror of it answers.
      current = Optional.empty();
    }
    return new ImageReference.Registry(
        reference.host(), reference.repository(), reference.tag(), current);
  }

  private List<ResolvedImage> resolvePinned(
      ImageReference.Registry pinned, List<Platform> platforms) throws InterruptedException {
    if (pinned.digest().isEmpty()) {
      return fetch(pinned, platforms);
    }
    Digest top = pinned.digest().get();
    String place = pinned.host() + "/" + pinned.repository();
    Map<Integer, ResolvedImage> known = new TreeMap<>();
    List<Platform> missing = new ArrayList<>();
    for (int i = 0; i < platforms.size(); i++) {
      Optional<ResolvedImage> kept =
          cache.find(new ManifestCache.Key(place, top, platforms.get(i)));
      if (kept.isPresent()) {
        known.put(i, kept.get());
      } else {
        missing.add(platforms.get(i));
      }
    }
    meters.counter("converter.plan.manifests", "from", "cache").increment(known.size());
    List<ResolvedImage> fetched = missing.isEmpty() ? List.of() : fetch(pinned, missing);
    for (int i = 0; i < missing.size(); i++) {
      cache.keep(new ManifestCache.Key(place, top, missing.get(i)), fetched.get(i));
    }
    var rest = fetched.iterator();
    return IntStream.range(0, platforms.size())
        .mapToObj(i -> known.containsKey(i) ? known.get(i) : rest.next())
        .toList();
  }

  private List<ResolvedImage> fetch(ImageReference reference, List<Platform> platforms)
      throws InterruptedException {
    Limit atOnce = Limit.unmeasured(settings.platformsAtOnce());
    try (ImageSource source = sources.open(reference);
        TaskScope<ResolvedImage> scope = new TaskScope<>("resolving " + reference.canonical())) {
      for (Platform platform : platforms) {
        scope.fork(
            () -> {
              try (var _ = atOnce.acquire()) {
                return source.resolve(platform);
              }
            });
      }
      List<ResolvedImage> images = scope.join(settings.deadline());
      meters.counter("converter.plan.manifests", "from", "source").increment(images.size());
      return images;
    }
  }
}
