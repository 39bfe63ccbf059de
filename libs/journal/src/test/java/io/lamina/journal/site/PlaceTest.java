package io.lamina.journal.site;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.repository.RepositoryLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlaceTest {
  private static final String HEX = "ab".repeat(32);
  private static final ContentHash OBJECT =
      ContentHash.parse("0123456789abcdef0123456789abcdef01234567");
  private static final String IMAGE = "r.example/team/app:1";

  private static Place link(String path, String target) {
    return Place.of(new CatalogChange.PutSymlink(RepositoryPath.of(path), target));
  }

  private static Place file(String path) {
    return Place.of(new CatalogChange.PutFile(RepositoryPath.of(path), OBJECT, 10));
  }

  private static Place removed(String path) {
    return Place.of(new CatalogChange.Remove(RepositoryPath.of(path)));
  }

  @Test
  void tellsWhatEachPartOfAnImageIs() {
    assertThat(file("/.metadata/" + IMAGE + "/manifest.json")).isEqualTo(new Place.OfImage(IMAGE));
    assertThat(file("/.metadata/.multiarch/arm64:v8/" + IMAGE + "/thin.json"))
        .isEqualTo(new Place.OfImage(IMAGE));
    assertThat(link("/" + IMAGE, "../../.flat/ab/" + HEX)).isEqualTo(new Place.OfImage(IMAGE));
    assertThat(link("/" + IMAGE, RepositoryLayout.variantTarget(IMAGE, "amd64")))
        .isEqualTo(new Place.OfImage(IMAGE));
    assertThat(link("/.multiarch/arm64/" + IMAGE, "../../../../.flat/ab/" + HEX))
        .isEqualTo(new Place.OfImage(IMAGE));
    assertThat(link("/.multiarch/aarch64", "arm64")).isEqualTo(new Place.Alias());
    assertThat(link("/.layers/ab/" + HEX + "/diff-id", "sha256:" + HEX))
        .isEqualTo(new Place.DiffId(HEX));
    assertThat(removed("/" + IMAGE)).isEqualTo(new Place.OfImage(IMAGE));
    assertThat(removed("/.metadata/" + IMAGE)).isEqualTo(new Place.OfImage(IMAGE));
    assertThat(removed("/.multiarch/arm64/" + IMAGE)).isEqualTo(new Place.OfImage(IMAGE));
    assertThat(file("/.metadata/r.example/app@sha256:" + HEX + "/config.json"))
        .isEqualTo(new Place.OfImage("r.example/app@sha256:" + HEX));
  }

  @Test
  void leavesTreesToThisSitesOwnCollections() {
    assertThat(removed("/.layers/ab/" + HEX)).isEqualTo(new Place.Gone());
    assertThat(removed("/.layers/ab/" + HEX + "/layerfs")).isEqualTo(new Place.Gone());
    assertThat(removed("/.flat/ab/" + HEX)).isEqualTo(new Place.Gone());
    assertThat(Place.of(new CatalogChange.Split(RepositoryPath.of("/r.example"))))
        .isEqualTo(new Place.Size());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/.layers",
        "/.layers/ab",
        "/.flat",
        "/.flat/ab",
        "/.metadata",
        "/.metadata/.multiarch",
        "/.multiarch",
        "/.multiarch/amd64",
        "/r.example",
        "/r.example/team/app",
        "/.cvmfs/a:1",
        "/r.example/.cvmfscatalog:1"
      })
  void removesNothingThatIsNoImage(String path) {
    assertThat(
            Place.of(
                new CatalogChange.Remove(
                    path.isEmpty() ? RepositoryPath.ROOT : RepositoryPath.of(path))))
        .isEqualTo(new Place.Elsewhere());
  }

  @ParameterizedTest
  @CsvSource({
    "/r.example/team/app:1, /etc/passwd",
    "/r.example/team/app:1, ../../../../etc/passwd",
    "/r.example/team/app:1, ../../.multiarch/$(HOME)/r.example/team/app:1",
    "/r.example/team/app:1, ../../.multiarch/$(CVMFS_ARCH:-amd64)/r.example/other:1",
    "/r.example/team/app:1, ../.flat/ab/abababababababababababababababababababababababababababababababab",
    "/.multiarch/aarch64, ../etc",
    "/.multiarch/aarch64, ..",
    "/.layers/ab/abababababababababababababababababababababababababababababababab/diff-id, /etc",
    "/.layers/ab/abababababababababababababababababababababababababababababababab/layerfs, sha256:x",
    "/bin, usr/bin"
  })
  void takesNoLinkThatLeadsElsewhere(String path, String target) {
    assertThat(link(path, target)).isEqualTo(new Place.Elsewhere());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/.metadata/manifest.json",
        "/.metadata/r.example/manifest.json",
        "/.metadata/r.example/app:1/other.json",
        "/.metadata/.multiarch/manifest.json",
        "/.metadata/.multiarch/amd64/manifest.json",
        "/.metadata/.multiarch/../r.example/app:1/manifest.json",
        "/r.example/app:1",
        "/.cvmfsdirtab"
      })
  void takesNoFileButMetadata(String path) {
    Place place;
    try {
      place = file(path);
    } catch (io.lamina.cvmfs.CvmfsException.Rejected e) {
      return; // no path of a repository at all
    }
    assertThat(place).isEqualTo(new Place.Elsewhere());
  }

  @Test
  void takesNoHugeMetadata() {
    assertThat(
            Place.of(
                new CatalogChange.PutFile(
                    RepositoryPath.of("/.metadata/" + IMAGE + "/config.json"), OBJECT, 1L << 40)))
        .isEqualTo(new Place.Elsewhere());
  }
}
