package io.lamina.image.thin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.internal.StrictJson;
import io.lamina.image.manifest.ImageConfig;
import io.lamina.image.manifest.MediaTypes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Date;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;

class ThinImageBuilderTest {
  private static final List<Digest> LAYERS =
      List.of(new Digest("a".repeat(64)), new Digest("b".repeat(64)));

  private static final byte[] CONFIG =
      """
      {"architecture":"arm64","variant":"v8","os":"linux","created":"2024-05-06T07:08:09.123456789Z",
       "config":{"Env":["PATH=/bin","A=1.50"],"Entrypoint":["/init","--x"],"Cmd":["run"],
         "User":"1000:1000","WorkingDir":"/w","Labels":{"k":"v"},"ExposedPorts":{"80/tcp":{}},
         "Volumes":{"/data":{}},"StopSignal":"SIGINT","Healthcheck":{"Interval":30000000000}},
       "container":"abc","docker_version":"20.10",
       "rootfs":{"type":"layers","diff_ids":[]},"history":[{"created_by":"x"},{"created_by":"y"}]}
      """
          .getBytes(UTF_8);

  @Test
  void keepsHowTheOriginalRuns() throws IOException {
    ThinImage thin = build();

    var old = StrictJson.parseObject(CONFIG);
    var config = StrictJson.parseObject(thin.configBytes());
    assertThat(config.path("config")).isEqualTo(old.path("config"));
    for (String field : List.of("architecture", "variant", "os", "created")) {
      assertThat(config.path(field)).as(field).isEqualTo(old.path(field));
    }
    assertThat(config.has("container")).isFalse();
    assertThat(config.path("history")).hasSize(1);
    assertThat(ImageConfig.parse("test", thin.configBytes()).diffIds())
        .containsExactly(thin.diffId());
  }

  @Test
  void putsOneFileIntoOneTinyLayer() throws IOException {
    ThinImage thin = build();

    byte[] tar = new GZIPInputStream(new ByteArrayInputStream(thin.layerBytes())).readAllBytes();
    assertThat(Digest.sha256(tar)).isEqualTo(thin.diffId());
    try (TarArchiveInputStream in = new TarArchiveInputStream(new ByteArrayInputStream(tar))) {
      TarArchiveEntry entry = in.getNextEntry();
      assertThat(entry.getName()).isEqualTo("thin.json");
      assertThat(entry.isFile()).isTrue();
      assertThat(entry.getMode() & 0777).isEqualTo(0644);
      assertThat(entry.getLastModifiedDate()).isEqualTo(new Date(0));
      assertThat(ThinDescriptorJson.read(in.readAllBytes()))
          .isEqualTo(ThinDescriptor.ofLayers("lamina.test", LAYERS, "docker://quay.io/a/b:1"));
      assertThat(in.getNextEntry()).isNull();
    }
    assertThat(thin.layerBytes().length).isLessThan(1000);
  }

  @Test
  void describesItsParts() throws IOException {
    ThinImage thin = build();

    var manifest = StrictJson.parseObject(thin.manifestBytes());
    assertThat(manifest.path("mediaType").asText()).isEqualTo(MediaTypes.DOCKER_MANIFEST);
    assertThat(manifest.path("config").path("digest").asText())
        .isEqualTo(Digest.sha256(thin.configBytes()).toString());
    assertThat(manifest.path("layers").get(0).path("digest").asText())
        .isEqualTo(Digest.sha256(thin.layerBytes()).toString());
    assertThat(manifest.path("layers").get(0).path("size").asInt())
        .isEqualTo(thin.layerBytes().length);
    assertThat(thin.manifest().digest()).isEqualTo(Digest.sha256(thin.manifestBytes()));
  }

  @Test
  void givesTheBytesOfTheGoldenFiles() {
    ThinImage thin = build();

    // Computed once; a change means that every pushed thin image changes.
    assertThat(thin.diffId())
        .hasToString("sha256:33c4ba3600191330ce7f47e1a8fca8d7fe1b42932deabe69dee8f48b187b9a6b");
    assertThat(thin.config().digest())
        .hasToString("sha256:fdc5322211ccff90bf17c005bed65f34cfc5a49181915f8a83c5f4fb58159eb9");
    assertThat(build().manifestBytes()).isEqualTo(thin.manifestBytes());
  }

  @Test
  void refusesABrokenConfig() {
    assertThatThrownBy(
            () -> ThinImageBuilder.build("{".getBytes(UTF_8), LAYERS, "lamina.test", "x"))
        .isInstanceOf(ImageException.Rejected.class);
    assertThatThrownBy(() -> ThinImageBuilder.build(CONFIG, LAYERS, "../x", "x"))
        .isInstanceOf(ImageException.Rejected.class);
  }

  private static ThinImage build() {
    return ThinImageBuilder.build(CONFIG, LAYERS, "lamina.test", "docker://quay.io/a/b:1");
  }
}
