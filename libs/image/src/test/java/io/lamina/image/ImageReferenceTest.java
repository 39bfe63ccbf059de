package io.lamina.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageReferenceTest {
  private static final String HEX = "0123456789abcdef".repeat(4);

  @ParameterizedTest
  @CsvSource({
    "ubuntu,                            docker.io/library/ubuntu:latest",
    "ubuntu:24.04,                      docker.io/library/ubuntu:24.04",
    "docker:24,                         docker.io/library/docker:24",
    "bitnami/redis,                     docker.io/bitnami/redis:latest",
    "docker.io/ubuntu,                  docker.io/library/ubuntu:latest",
    "index.docker.io/a/b:1,             docker.io/a/b:1",
    "registry-1.docker.io/a/b:1,        docker.io/a/b:1",
    "library/redis,                     docker.io/library/redis:latest",
    "localhost/a:1,                     localhost/a:1",
    "localhost:5000/a/b:1,              localhost:5000/a/b:1",
    "my-host:5000/x,                    my-host:5000/x:latest",
    "Quay.IO/org/tool:V1,               quay.io/org/tool:V1",
    "docker://quay.io/org/tool,         quay.io/org/tool:latest",
    "127.0.0.1:5000/x__y/z--q.w:_t,     127.0.0.1:5000/x__y/z--q.w:_t",
    "[::1]:5000/x:1,                    [::1]:5000/x:1",
  })
  void readsRegistryNamesAsDockerDoes(String text, String publicName) {
    ImageReference reference = ImageReference.parse(text);

    assertThat(reference.publicName()).isEqualTo(publicName);
    assertThat(reference.canonical()).isEqualTo("docker://" + publicName);
    assertThat(ImageReference.parse(reference.canonical())).isEqualTo(reference);
  }

  @Test
  void addsNoTagWhereADigestIsGiven() {
    ImageReference reference = ImageReference.parse("quay.io/a/b@sha256:" + HEX);

    assertThat(reference)
        .isEqualTo(
            new ImageReference.Registry(
                "quay.io", "a/b", Optional.empty(), Optional.of(new Digest(HEX))));
    assertThat(reference.publicName()).isEqualTo("quay.io/a/b@sha256:" + HEX);
    assertThat(ImageReference.parse(reference.canonical())).isEqualTo(reference);
  }

  @Test
  void keepsTagAndDigestAndPublishesUnderTheTag() {
    var reference = (ImageReference.Registry) ImageReference.parse("quay.io/a/b:1@sha256:" + HEX);

    assertThat(reference.publicName()).isEqualTo("quay.io/a/b:1");
    assertThat(reference.canonical()).isEqualTo("docker://quay.io/a/b:1@sha256:" + HEX);
    assertThat(reference.tagOrDigest()).isEqualTo("sha256:" + HEX);
    assertThat(ImageReference.parse(reference.canonical())).isEqualTo(reference);
  }

  @ParameterizedTest
  @CsvSource({
    "oci:/srv/images/app,                 local/app:latest",
    "oci:/srv/images/app:v1,              local/app:v1",
    "oci-archive:/srv/app.tar,            local/app:latest",
    "oci-archive:/srv/app.tar:v1,         local/app:v1",
    "docker-archive:/srv/app.tar:team/x:2, local/team/x:2",
    "docker-archive:/srv/.hidden,         local/_.hidden:latest",
    "oci:/srv/my app!,                    local/my-app-:latest",
    "oci:/srv/x:quay.io/a/b,              local/quay.io/a/b:latest",
  })
  void readsLocalTransports(String text, String publicName) {
    ImageReference reference = ImageReference.parse(text);

    assertThat(reference.publicName()).isEqualTo(publicName);
    assertThat(reference.canonical()).isEqualTo(text);
    assertThat(ImageReference.parse(reference.canonical())).isEqualTo(reference);
  }

  @Test
  void makesRelativePathsAbsolute() {
    var reference = (ImageReference.OciLayout) ImageReference.parse("oci:images/app:v1");

    assertThat(reference.folder()).isEqualTo(Path.of("images/app").toAbsolutePath());
    assertThat(reference.publicName()).isEqualTo("local/app:v1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "UPPER/case",
        "ubuntu:",
        "ubuntu:.hidden",
        "ubuntu:a:b",
        "ubuntu@sha256:abc",
        "ubuntu@sha512:abc",
        "ubuntu@md5:abc@x",
        "quay.io/",
        "quay.io//a",
        "quay.io/../a",
        "quay.io/a/..",
        "quay.io/.cvmfs/a",
        "quay.io/a/.cvmfscatalog:1",
        "../a",
        "./a",
        "/a",
        ".layers/a",
        "a..b/c.d/e",
        "quay.io:0/a",
        "quay.io:70000/a",
        "quay.io:x/a",
        "-quay.io/a",
        "quay.io/a b",
        "quay.io/a\n",
        "quay.io/a\u0000b",
        "http://quay.io/a",
        "https://quay.io/a:1",
        "dir:/x",
        "docker-daemon:ubuntu",
        "oci:",
        "oci:/",
        "oci:/x:",
        "oci:/x:../y",
        "oci:/x:a//b",
        "oci:/x:.cvmfs",
        "oci:/x:a/.b",
        "oci:/x:a b",
        "docker-archive:/x:@1/..",
        "docker://",
        "docker://docker://a",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
      })
  void refusesWhatIsNoReference(String text) {
    assertThatThrownBy(() -> ImageReference.parse(text))
        .isInstanceOf(ImageException.Rejected.class);
  }

  @Test
  void saysWhatIsWrongAndWhichFormsThereAre() {
    assertThatThrownBy(() -> ImageReference.parse("quay.io/Team/x"))
        .hasMessageContaining("'quay.io/Team/x'")
        .hasMessageContaining("not a repository component: 'Team'")
        .hasMessageContaining("oci-archive:FILE[:REF]");
  }

  @Test
  void boundsEveryLength() {
    assertThatThrownBy(() -> ImageReference.parse("a".repeat(5000)))
        .hasMessageContaining("4096 characters");
    assertThatThrownBy(() -> ImageReference.parse("quay.io/" + "a".repeat(250)))
        .hasMessageContaining("longer than 255");
    assertThatThrownBy(
            () -> ImageReference.parse("q.io/" + "a".repeat(200) + ":" + "t".repeat(128)))
        .hasMessageContaining("file name");
    assertThatThrownBy(() -> ImageReference.parse("quay.io/a:" + "t".repeat(129)))
        .hasMessageContaining("not a tag");
    assertThatThrownBy(() -> ImageReference.parse("oci:/x:" + "t".repeat(256)))
        .isInstanceOf(ImageException.Rejected.class);
  }

  @Test
  void everythingItAcceptsIsASafePathAndReadsBackEqual() {
    Random random = new Random(20260101);
    String alphabet = "ab0./:@-_[]Z~%\\ é..sha256:oci:local//";
    int accepted = 0;
    for (int i = 0; i < 20_000; i++) {
      StringBuilder text = new StringBuilder();
      int length = 1 + random.nextInt(14);
      for (int j = 0; j < length; j++) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      ImageReference reference;
      try {
        reference = ImageReference.parse(text.toString());
      } catch (ImageException.Rejected expected) {
        continue;
      }
      accepted++;
      assertThat(ImageReference.parse(reference.canonical())).isEqualTo(reference);
      String[] components = reference.publicName().split("/", -1);
      assertThat(components.length).as(reference.publicName()).isGreaterThanOrEqualTo(2);
      for (String component : components) {
        assertThat(component).as(text.toString()).isNotEmpty().doesNotStartWith(".");
        assertThat(component.length()).isLessThanOrEqualTo(255);
      }
    }
    assertThat(accepted).isGreaterThan(100);
  }
}
