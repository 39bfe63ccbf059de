package io.lamina.image.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImagePolicyTest {
  @ParameterizedTest
  @CsvSource({
    "docker.io, ubuntu, true",
    "index.docker.io, ubuntu, true",
    "docker.io/library/*, ubuntu, true",
    "docker.io/library/*, team/app, false",
    "docker.io/*, team/app, false",
    "docker.io/**, team/app, true",
    "quay.io, quay.io/a/b/c:1, true",
    "quay.io, quay.io.evil.test/a:1, false",
    "quay.io, quay.io:8443/a:1, false",
    "quay.io:*, quay.io:8443/a:1, true",
    "QUAY.IO/Team, quay.io/team:1, true",
    "quay.io/team, quay.io/team/app:1, false",
    "quay.io/team, quay.io/team2:1, false",
    "quay.io/team/*, quay.io/team/app@sha256:0000000000000000000000000000000000000000000000000000000000000000, true",
    "quay.io/team/*, quay.io/team/app/sub:1, false",
    "*.example.org, reg.example.org/a:1, true",
    "*.example.org, example.org/a:1, false",
    "*.example.org, evil.test/reg.example.org/a:1, false",
    "**.example.org, reg.example.org/a:1, true",
    "*, a.test/b/c:1, true",
    "**, a.test/b/c:1, true",
    "quay.io/*-public, quay.io/app-public:1, true",
    "quay.io/*-public, quay.io/app-public2:1, false",
    "[::1]:5000, '[::1]:5000/a:1', true",
  })
  void matchesNamesAsPatternsSay(String pattern, String image, boolean matches) {
    assertThat(new NamePattern(pattern).matches(registry(image))).isEqualTo(matches);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"https://quay.io", "quay.io/", "/a", "quay.io//a", "a b", "quay.io/a:tag", ""})
  void refusesWhatIsNoPattern(String pattern) {
    assertThatThrownBy(() -> new NamePattern(pattern))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("HOST[:PORT][/REPOSITORY]");
  }

  @Test
  void answersAtOnceWhateverThePattern() {
    String name = "a.test/" + "a".repeat(240);
    NamePattern pattern = new NamePattern("a.test/" + "a**".repeat(90) + "b");

    assertThat(pattern.matches(registry(name + ":1"))).isFalse();
  }

  @Test
  void letsADenialWinOverAPermission() {
    ImagePolicy policy =
        ImagePolicy.of(
            Optional.of("quay.io, docker.io/library/*"), Optional.of("quay.io/bad/**"), none());

    assertThatCode(() -> policy.checkSource(registry("quay.io/good/app:1")))
        .doesNotThrowAnyException();
    assertThatCode(() -> policy.checkSource(registry("debian:12"))).doesNotThrowAnyException();
    assertThatThrownBy(() -> policy.checkSource(registry("quay.io/bad/app:1")))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessage("images of quay.io/bad/app are denied here (images.deny)");
    assertThatThrownBy(() -> policy.checkSource(registry("team/app:1")))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("docker.io/team/app")
        .hasMessageContaining("(images.allow)");
  }

  @Test
  void takesEveryImageAndPushesNowhereUnlessToldOtherwise() {
    ImagePolicy policy = ImagePolicy.of(none(), none(), none());

    assertThatCode(() -> policy.checkSource(registry("a.test/b:1"))).doesNotThrowAnyException();
    assertThatThrownBy(() -> policy.checkThinTarget(registry("a.test/b:1")))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("a.test/b")
        .hasMessageContaining("thin.allow");
  }

  @Test
  void pushesOnlyWhereTheOperatorSaid() {
    ImagePolicy policy = ImagePolicy.of(none(), none(), Optional.of("reg.example.org/thin/*"));

    assertThatCode(() -> policy.checkThinTarget(registry("reg.example.org/thin/app:1")))
        .doesNotThrowAnyException();
    for (String other :
        List.of("thin/app:1", "reg.example.org/app:1", "reg.example.org.evil.test/thin/app:1")) {
      assertThatThrownBy(() -> policy.checkThinTarget(registry(other)))
          .as(other)
          .isInstanceOf(ImageException.Rejected.class)
          .hasMessageContaining("reg.example.org/thin/*");
    }
  }

  @Test
  void keepsAPersonsThinImagesOnThisMachine() {
    for (String here : List.of("localhost/a:1", "localhost:5000/a/b:1", "127.0.0.1:5000/a:1")) {
      assertThatCode(() -> ImagePolicy.PERSONAL.checkThinTarget(registry(here)))
          .as(here)
          .doesNotThrowAnyException();
    }
    for (String elsewhere :
        List.of("app:1", "localhost.evil.test/a:1", "127.0.0.1.evil.test/a:1", "10.0.0.1/a:1")) {
      assertThatThrownBy(() -> ImagePolicy.PERSONAL.checkThinTarget(registry(elsewhere)))
          .as(elsewhere)
          .isInstanceOf(ImageException.Rejected.class);
    }
  }

  private static Optional<String> none() {
    return Optional.empty();
  }

  private static ImageReference.Registry registry(String text) {
    return (ImageReference.Registry) ImageReference.parse(text);
  }
}
