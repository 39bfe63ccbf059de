package io.lamina.image.thin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ThinDescriptorJsonTest {
  private static final Digest ONE = new Digest("1".repeat(64));
  private static final Digest TWO = new Digest("2".repeat(64));

  @Test
  void writesTheSameBytesAlways() {
    ThinDescriptor descriptor =
        ThinDescriptor.ofLayers("unpacked.cern.ch", List.of(ONE, TWO), "docker://quay.io/a/b:1");

    assertThat(new String(ThinDescriptorJson.write(descriptor), UTF_8))
        .isEqualTo(
            "{\"version\":\"1.0\",\"min_version\":\"1.0\",\"origin\":\"docker://quay.io/a/b:1\","
                + "\"layers\":[{\"digest\":\""
                + "1".repeat(64)
                + "\",\"url\":\"cvmfs://unpacked.cern.ch/.layers/11/"
                + "1".repeat(64)
                + "/layerfs\"},{\"digest\":\""
                + "2".repeat(64)
                + "\",\"url\":\"cvmfs://unpacked.cern.ch/.layers/22/"
                + "2".repeat(64)
                + "/layerfs\"}]}");
    assertThat(ThinDescriptorJson.read(ThinDescriptorJson.write(descriptor))).isEqualTo(descriptor);
  }

  @Test
  void readsAnyFolderOfARepository() {
    ThinDescriptor read =
        read("{\"version\":\"1.0\",\"layers\":[{\"url\":\"cvmfs://cernvm-prod.cern.ch/cvm4\"}]}");

    assertThat(read.layers())
        .containsExactly(
            new ThinDescriptor.Layer(
                Optional.empty(), new CvmfsUrl("cernvm-prod.cern.ch", "cvm4")));
  }

  @Test
  void readsWhatOtherToolsWrite() {
    ThinDescriptor read =
        read(
            """
            {"version": "1.2", "min_version": "1.0", "origin": "https://x/y:z", "new": {},
             "layers": [{"digest": "sha256:%s", "url": "cvmfs://a.b/layers/x", "more": 1}],
             "comment": ""}
            """
                .formatted(ONE.hex()));

    assertThat(read.layers().getFirst().digest()).contains(ONE);
    assertThat(read.comment()).isEmpty();
    assertThat(read("{\"version\":\"1\",\"layers\":[]}").layers()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cvmfs://a.b",
        "cvmfs://a.b/",
        "cvmfs:///x",
        "cvmfs://a.b/x/../y",
        "cvmfs://a.b/..",
        "cvmfs://a.b/./x",
        "cvmfs://a.b//x",
        "cvmfs://a.b/x/",
        "cvmfs://../x",
        "cvmfs://a..b/x",
        "cvmfs://.a/x",
        "cvmfs://a b/x",
        "cvmfs://a;rm/x",
        "cvmfs://$(x)/x",
        "cvmfs://a.b/x\\u0000",
        "cvmfs://a.b/x\\n",
        "http://a.b/x",
        "file:///etc",
        "/etc",
        "CVMFS://a.b/x",
        "",
      })
  void refusesUrlsThatAreNoFolderOfARepository(String url) {
    assertThatThrownBy(() -> read("{\"version\":\"1.0\",\"layers\":[{\"url\":\"" + url + "\"}]}"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageStartingWith("thin.json, layer 0: ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{}|'version' is not a version",
        "{\"version\":1}|'version' is not a version",
        "{\"version\":\"2.0\",\"layers\":[]}|has version 2.0; this reader knows version 1.0",
        "{\"version\":\"1.1\",\"min_version\":\"1.1\",\"layers\":[]}|has min_version 1.1",
        "{\"version\":\"1.0\"}|'layers' is not a list",
        "{\"version\":\"1.0\",\"layers\":{}}|'layers' is not a list",
        "{\"version\":\"1.0\",\"layers\":[1]}|layer 0",
        "[]|not valid JSON",
        "{\"version\":\"1.0\",\"layers\":[{\"digest\":\"x\",\"url\":\"cvmfs://a.b/c\"}]}|layer 0",
      })
  void saysWhatIsWrong(String json, String message) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining(message);
  }

  @Test
  void boundsCountsAndLengths() {
    String many = "{\"url\":\"cvmfs://a.b/c\"},".repeat(501);

    assertThatThrownBy(
            () ->
                read(
                    "{\"version\":\"1.0\",\"layers\":["
                        + many.substring(0, many.length() - 1)
                        + "]}"))
        .hasMessageContaining("at most 500");
    assertThatThrownBy(() -> ThinDescriptorJson.read(new byte[(1 << 20) + 1]))
        .hasMessageContaining("longer than 1048576");
    assertThatThrownBy(() -> new CvmfsUrl("a.b", "x".repeat(256)))
        .isInstanceOf(ImageException.Rejected.class);
    assertThatThrownBy(() -> new CvmfsUrl("a.b", "x/".repeat(2000) + "x"))
        .isInstanceOf(ImageException.Rejected.class);
  }

  private static ThinDescriptor read(String json) {
    return ThinDescriptorJson.read(json.getBytes(UTF_8));
  }
}
