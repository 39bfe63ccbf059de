package io.lamina.converter.plan;

import io.lamina.converter.Limit;
import io.lamina.image.ImageReference;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How many plans may wait for one registry. Registries share a fixed number of limits by the hash
 * of their name, so that names made up by requesters cost no memory. Thread-safe.
 */
final class RegistryLimits {
  private static final int LIMITS = 64;

  private final List<Limit> limits;

  RegistryLimits(int each) {
    limits = IntStream.range(0, LIMITS).mapToObj(_ -> Limit.unmeasured(each)).toList();
  }

  Limit.Permit acquire(ImageReference reference) throws InterruptedException {
    String place =
        switch (reference) {
          case ImageReference.Registry registry -> registry.host();
          case ImageReference.OciLayout _,
              ImageReference.OciArchive _,
              ImageReference.DockerArchive _ ->
              "";
        };
    return limits.get(Math.floorMod(place.hashCode(), LIMITS)).acquire();
  }
}
