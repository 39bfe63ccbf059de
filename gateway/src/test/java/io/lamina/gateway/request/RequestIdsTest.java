package io.lamina.gateway.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.image.ImageReference;
import io.lamina.image.Platform;
import io.lamina.messaging.event.RequestId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RequestIdsTest {
  private static final NewRequest DEBIAN = conversion("debian:12");

  @Test
  void givesTheSameIdForTheSameCallerKeyAndRequest() {
    assertThat(id("ci", "key", DEBIAN)).isEqualTo(id("ci", "key", conversion("debian:12")));
    assertThat(id("ci", "key", DEBIAN).value()).matches("k[0-9a-z]{26}-[0-9a-z]{12}");
  }

  @Test
  void keepsCallersAndKeysApart() {
    assertThat(RequestIds.keyPrefix("ci", "key"))
        .isNotEqualTo(RequestIds.keyPrefix("cron", "key"))
        .isNotEqualTo(RequestIds.keyPrefix("ci", "key2"))
        .isNotEqualTo(RequestIds.keyPrefix("ci\nkey", ""));
  }

  @Test
  void showsAnotherRequestUnderTheSameKeyByThePartAfterTheKeys() {
    RequestId other = id("ci", "key", conversion("debian:13"));

    assertThat(other).isNotEqualTo(id("ci", "key", DEBIAN));
    assertThat(other.value()).startsWith(RequestIds.keyPrefix("ci", "key"));
  }

  @Test
  void doesNotCareForTheOrderOfPlatforms() {
    NewRequest one = conversion("debian:12", "linux/amd64", "linux/arm64");
    NewRequest other = conversion("debian:12", "linux/arm64", "linux/amd64");

    assertThat(id("ci", "key", one)).isEqualTo(id("ci", "key", other));
  }

  @Test
  void sortsIdsWithoutAKeyByTime() {
    SplittableRandom random = new SplittableRandom(7);
    RequestId earlier = RequestIds.fresh(Instant.parse("2026-01-01T00:00:00Z"), random);
    RequestId later = RequestIds.fresh(Instant.parse("2026-01-01T00:00:00.001Z"), random);

    assertThat(earlier).isLessThan(later);
    assertThat(earlier.value()).matches("r[0-9a-z]{26}");
  }

  private static RequestId id(String caller, String key, NewRequest request) {
    return RequestIds.derived(RequestIds.keyPrefix(caller, key), request);
  }

  static NewRequest conversion(String image, String... platforms) {
    return new NewRequest.Conversion(
        Statuses.REPOSITORY,
        ImageReference.parse(image),
        List.of(platforms).stream().map(Platform::parse).toList(),
        Optional.empty());
  }
}
