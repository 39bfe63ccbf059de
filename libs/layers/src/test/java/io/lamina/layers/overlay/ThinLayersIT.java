package io.lamina.layers.overlay;

import static io.lamina.layers.overlay.StorageRig.id;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.testing.TarBuilder;
import io.lamina.image.thin.CvmfsUrl;
import io.lamina.image.thin.ThinDescriptor;
import io.lamina.image.thin.ThinDescriptorJson;
import io.lamina.layers.IdMaps;
import io.lamina.layers.LayerInfo;
import io.lamina.layers.LayerOptions;
import io.lamina.layers.LayersException;
import io.lamina.layers.StatusLine;
import io.lamina.layers.archive.RawTar;
import io.lamina.linux.Directory;
import io.lamina.linux.FileType;
import io.lamina.linux.RawName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ThinLayersIT {
  private static final String REPOSITORY = "unpacked.example.org";

  @TempDir Path folder;
  private StorageRig rig;

  @BeforeEach
  void open() {
    rig = new StorageRig(folder);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  private static ThinDescriptor descriptor(String... paths) {
    return new ThinDescriptor(
        Stream.of(paths)
            .map(
                path ->
                    new ThinDescriptor.Layer(
                        Optional.empty(),
                        path.contains(":") ? CvmfsUrl.parse(path) : new CvmfsUrl(REPOSITORY, path)))
            .toList(),
        Optional.empty(),
        Optional.empty());
  }

  private static TarBuilder thin(String... paths) {
    return new TarBuilder().file("thin.json", 0644, ThinDescriptorJson.write(descriptor(paths)));
  }

  private Path published(String path, String content) {
    return rig.cvmfs.file(REPOSITORY, path, content);
  }

  @Test
  void standsForTheFoldersThatItNames() throws Exception {
    published("l1/a", "1");
    published("l1/shared", "1");
    published("l2/b", "2");
    published("l2/shared", "2");
    rig.layer("thin", null, thin("l1", "l2"));
    rig.create("c-init", "thin");
    rig.create("c", "c-init");

    Path root = rig.mount("c");

    assertThat(StorageRig.tree(root)).isEqualTo(Map.of("a", "1", "b", "2", "shared", "2"));
    Files.writeString(root.resolve("a"), "changed");
    assertThat(rig.cvmfs.held()).isEqualTo(1);
    assertThat(rig.storage().find(id("c")))
        .hasValueSatisfying(
            info -> {
              assertThat(info.repositories()).containsExactly(REPOSITORY);
              assertThat(info.kind()).isEqualTo(LayerInfo.Kind.REGULAR);
            });
    assertThat(rig.changes("c", "c-init")).containsExactly("M /a");
    assertThat(rig.storage().metadata(id("c")).get("LowerDir"))
        .endsWith("cvmfs://unpacked.example.org/l2:cvmfs://unpacked.example.org/l1");
    rig.unmount("c");
    assertThat(rig.cvmfs.held()).isZero();
    assertThat(rig.mounts()).isEmpty();
  }

  @Test
  void showsItsDescriptorItselfAndNowhereElse() throws Exception {
    published("l1/a", "1");
    byte[] json = ThinDescriptorJson.write(descriptor("l1"));
    long size = rig.layer("thin", null, thin("l1"));
    long mixed = rig.layer("mixed", "thin", thin("l1").file("extra", 0644, "e"));
    rig.create("c", "mixed");

    assertThat(size).isEqualTo(json.length).isEqualTo(rig.storage().diffSize(id("thin"), null));
    assertThat(mixed).isEqualTo(json.length + 1);
    assertThat(rig.storage().diffSize(id("mixed"), id("thin"))).isEqualTo(mixed);
    assertThat(StorageRig.tree(rig.mount("thin")))
        .isEqualTo(Map.of("thin.json", new String(json, ISO_8859_1)));
    assertThat(StorageRig.tree(rig.mount("mixed")))
        .isEqualTo(Map.of("thin.json", new String(json, ISO_8859_1), "extra", "e"));
    assertThat(rig.cvmfs.held()).isZero();
    assertThat(StorageRig.tree(rig.mount("c"))).isEqualTo(Map.of("a", "1", "extra", "e"));
    assertThat(rig.changes("mixed", "thin")).containsExactly("A /extra", "A /thin.json");
    rig.layer("copy", "thin", rig.diff("mixed", "thin"));
    assertThat(rig.storage().find(id("copy"))).map(LayerInfo::kind).contains(LayerInfo.Kind.THIN);
    assertThat(rig.diff("copy", "thin")).isEqualTo(rig.diff("mixed", "thin"));
    for (String layer : List.of("thin", "mixed", "c")) {
      rig.unmount(layer);
    }
    assertThat(rig.mounts()).isEmpty();
  }

  @Test
  void isKnownToLieBelowEvenIfItNamesNoRepository() {
    rig.layer("base", null, new TarBuilder().file("base", 0644, "0"));
    rig.create("on-base", "base");
    rig.layer("thin", "base", thin());
    rig.layer("normal", "thin", new TarBuilder().file("normal", 0644, "1"));
    rig.create("c", "normal");

    for (String layer : List.of("thin", "normal", "c")) {
      assertThat(rig.storage().find(id(layer))).map(LayerInfo::hasThinBelow).contains(true);
      assertThat(rig.storage().find(id(layer)).orElseThrow().repositories()).isEmpty();
    }
    for (String layer : List.of("base", "on-base")) {
      assertThat(rig.storage().find(id(layer))).map(LayerInfo::hasThinBelow).contains(false);
    }
  }

  @Test
  void liesAnywhereInAStack() throws Exception {
    published("l1/low", "1");
    published("l1/gone", "1");
    published("l2/high", "2");
    rig.layer("base", null, new TarBuilder().file("base", 0644, "0").file("low", 0644, "0"));
    rig.layer("t1", "base", thin("l1"));
    rig.layer("normal", "t1", new TarBuilder().file("mid", 0644, "m").whiteout("gone"));
    rig.layer("t2", "normal", thin("l1", "l2"));
    rig.layer("t3", "t2", thin());
    rig.layer("top", "t3", new TarBuilder().file("top", 0644, "t").whiteout("base"));
    rig.create("c", "top");

    assertThat(StorageRig.tree(rig.mount("c")))
        .isEqualTo(Map.of("low", "1", "gone", "1", "high", "2", "mid", "m", "top", "t"));
    assertThat(StorageRig.tree(rig.mount("top"))).hasSize(5);
    assertThat(rig.cvmfs.held()).isEqualTo(2);
    rig.unmount("c");
    rig.unmount("top");
    assertThat(rig.cvmfs.held()).isZero();

    rig.layer("flat", null, rig.diff("top", null));
    assertThat(StorageRig.tree(rig.mount("flat")))
        .isEqualTo(Map.of("low", "1", "gone", "1", "high", "2", "mid", "m", "top", "t"));
    assertThat(rig.cvmfs.held()).isZero();
  }

  @Test
  void holdsNothingForImagesWithoutFolders() throws Exception {
    rig.layer("scratch", null, thin());
    rig.create("c", "scratch");

    Path root = rig.mount("c");

    assertThat(root).isEmptyDirectory();
    assertThat(rig.mounts()).isEmpty();
    Files.writeString(root.resolve("x"), "1");
    assertThat(rig.changes("c", "scratch")).containsExactly("A /x");
  }

  @Test
  void namesWholeOperatingSystemsAndSeveralRepositories() throws Exception {
    rig.cvmfs.file("os.example.org", "releases/5/bin/sh", "shell");
    Files.createSymbolicLink(folder.resolve("cvmfs/os.example.org/latest"), Path.of("releases/5"));
    published("l1/a", "1");
    rig.storage().create(id("thin"), null, LayerOptions.NONE);
    rig.storage().applyThin(id("thin"), descriptor("cvmfs://os.example.org/latest", "l1"));
    rig.create("c", "thin");

    assertThat(rig.mount("c").resolve("bin/sh")).hasContent("shell");
    assertThat(rig.cvmfs.held)
        .containsOnly(Map.entry("os.example.org", 1), Map.entry(REPOSITORY, 1));
    assertThat(rig.storage().status())
        .contains(new StatusLine("CVMFS Repositories", "os.example.org " + REPOSITORY));
  }

  @Test
  void hidesByMarksThatAreInCvmfs() throws Exception {
    published("l1/gone", "1");
    published("l1/dir/old", "1");
    published("l2/dir/new", "2");
    try (Directory l2 = Directory.open(folder.resolve("cvmfs/" + REPOSITORY + "/l2"))) {
      l2.makeNode(RawName.of("gone"), FileType.CHARACTER_DEVICE, 0, 0);
      l2.setXattr(RawName.of("dir"), "trusted.overlay.opaque", RawName.of("y"));
    }
    rig.layer("thin", null, thin("l1", "l2"));
    rig.create("c", "thin");

    assertThat(StorageRig.tree(rig.mount("c"))).isEqualTo(Map.of("dir", "dir", "dir/new", "2"));
  }

  @Test
  void stacksHundredsOfFolders() throws Exception {
    String[] paths = new String[480];
    for (int i = 0; i < paths.length; i++) {
      paths[i] = "l" + i;
      published("l" + i + "/f" + i, "x");
    }
    rig.layer("thin", null, thin(paths));
    rig.layer("more", "thin", thin("l0", "l1", "extra"));
    published("extra/e", "x");
    rig.create("c", "more");

    assertThat(rig.mount("c").toFile().list()).hasSize(481);

    String[] other = new String[30];
    for (int i = 0; i < other.length; i++) {
      other[i] = "other" + i;
    }
    rig.layer("high", "more", thin(other));
    assertThatThrownBy(() -> rig.create("d", "high"))
        .isInstanceOf(LayersException.Exhausted.class)
        .hasMessageContaining("511 layers and folders of CVMFS");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "not json",
        "{}",
        "{\"version\":\"1.0\"}",
        "{\"version\":\"2.0\",\"layers\":[]}",
        "{\"version\":\"1.0\",\"min_version\":\"1.7\",\"layers\":[]}",
        "{\"version\":\"1.0\",\"layers\":[{\"url\":\"http://x/y\"}]}",
        "{\"version\":\"1.0\",\"layers\":[{\"url\":\"file:///etc\"}]}",
        "{\"version\":\"1.0\",\"layers\":[{\"url\":\"cvmfs://repo/../../etc\"}]}",
        "{\"version\":\"1.0\",\"layers\":[{\"url\":\"cvmfs://repo//etc\"}]}",
        "{\"version\":\"1.0\",\"layers\":[{\"url\":\"cvmfs://repo/\"}]}",
        "{\"version\":\"1.0\",\"layers\":[{\"url\":\"cvmfs://re;po'/x\"}]}",
        "{\"version\":\"1.0\",\"layers\":[{\"url\":\"cvmfs://$(id).cern.ch/x\"}]}",
        "{\"version\":\"1.0\",\"layers\":[{\"url\":\"cvmfs://../x\"}]}",
        "{\"version\":\"1.0\",\"layers\":[{\"url\":\"cvmfs://r/a\"},{\"url\":\"cvmfs://r/a/b\"}]}",
        "{\"version\":\"1.0\",\"layers\":[{\"url\":\"cvmfs://r/a\"}],\"layers\":[]}"
      })
  void refusesDescriptorsThatAreBrokenOrHostile(String json) {
    byte[] tar = new RawTar().file("thin.json", json).end();

    assertThatThrownBy(() -> rig.layer("thin", null, tar))
        .isInstanceOf(LayersException.Rejected.class)
        .hasMessageContaining("the thin image is refused: ");
    assertThat(rig.storage().find(id("thin")))
        .map(LayerInfo::state)
        .contains(LayerInfo.State.FAILED);
    rig.storage().remove(id("thin"));
  }

  @Test
  void boundsDescriptors() {
    StringBuilder many = new StringBuilder("{\"version\":\"1.0\",\"layers\":[");
    for (int i = 0; i < 501; i++) {
      many.append(i == 0 ? "" : ",").append("{\"url\":\"cvmfs://r/l").append(i).append("\"}");
    }
    byte[] tooMany = new RawTar().file("thin.json", many.append("]}").toString()).end();
    byte[] tooLong = new RawTar().file("thin.json", " ".repeat((1 << 20) + 1)).end();

    assertThatThrownBy(() -> rig.layer("many", null, tooMany)).hasMessageContaining("500 layers");
    assertThatThrownBy(() -> rig.layer("long", null, tooLong))
        .hasMessageContaining("longer than 1048576 bytes");
  }

  @Test
  void takesDescriptorsOnlyFromTheArchivesRoot() throws Exception {
    rig.layer(
        "a",
        null,
        new RawTar().directory("d/").file("d/thin.json", "{").symlink("thin.json", "d").end());

    assertThat(rig.storage().find(id("a"))).map(LayerInfo::kind).contains(LayerInfo.Kind.REGULAR);
  }

  @Test
  void isNotMadeByWhatAContainerWrites() throws Exception {
    published("l1/a", "1");
    rig.layer("thin", null, thin("l1"));
    rig.create("c", "thin");
    Path root = rig.mount("c");
    Files.writeString(root.resolve("thin.json"), "{}");
    rig.unmount("c");
    rig.reopened();

    assertThat(StorageRig.tree(rig.mount("c"))).isEqualTo(Map.of("a", "1", "thin.json", "{}"));
    rig.storage().remove(id("c"));
    rig.create("d", "thin");
    assertThat(StorageRig.tree(rig.mount("d"))).isEqualTo(Map.of("a", "1"));
  }

  @Test
  void saysWhichRepositoryOrFolderIsMissing() {
    rig.cvmfs.file(REPOSITORY, "x", "");
    rig.layer("nofolder", null, thin("l1"));
    rig.layer("norepo", null, thin("cvmfs://other.example.org/l1"));
    rig.layer("nodir", null, thin("x"));
    for (String thin : List.of("nofolder", "norepo", "nodir")) {
      rig.create("on-" + thin, thin);
      assertThatThrownBy(() -> rig.mount("on-" + thin))
          .isInstanceOf(LayersException.Unavailable.class)
          .hasMessageContaining(
              thin.equals("norepo")
                  ? "repository other.example.org cannot be mounted"
                  : "in revision 7, has no such directory");
    }
    assertThat(rig.cvmfs.held()).isZero();
    assertThat(rig.mounts()).isEmpty();
    assertThat(rig.storage().find(id("on-norepo"))).map(LayerInfo::uses).contains(0);

    rig.cvmfs.file(REPOSITORY, "l1/a", "now");
    assertThat(rig.mount("on-nofolder").resolve("a")).hasContent("now");
  }

  @Test
  void neverLeavesTheRepository() throws Exception {
    Path link = published("dir/a", "1").resolveSibling("out");
    Files.createSymbolicLink(link, Path.of("/etc"));
    Files.createSymbolicLink(link.resolveSibling("up"), Path.of("../../other"));
    rig.cvmfs.file("other", "secret", "s");
    rig.layer("out", null, thin("dir/out"));
    rig.layer("up", null, thin("dir/up"));
    rig.create("c", "out");
    rig.create("d", "up");

    for (String layer : List.of("c", "d")) {
      assertThatThrownBy(() -> rig.mount(layer))
          .isInstanceOf(LayersException.Unavailable.class)
          .hasMessageContaining("out of its root");
    }
    assertThat(rig.cvmfs.held()).isZero();
  }

  @Test
  void saysWhenTheClientOfAMountHasDied() {
    published("l1/a", "1");
    rig.layer("thin", null, thin("l1"));
    rig.create("c", "thin");
    rig.create("d", "thin");
    rig.mount("c");

    rig.cvmfs.alive = false;

    assertThatThrownBy(() -> rig.mount("c"))
        .isInstanceOf(LayersException.Unavailable.class)
        .hasMessageContaining("has ended (unpacked.example.org): stop its container");
    rig.unmount("c");
    rig.cvmfs.alive = true;
    assertThat(rig.mount("c").resolve("a")).hasContent("1");
    assertThat(rig.mount("d").resolve("a")).hasContent("1");
    assertThat(rig.cvmfs.held()).isEqualTo(2);
  }

  @Test
  void holdsItsRepositoriesAgainAfterARestart() throws Exception {
    published("l1/a", "1");
    rig.layer("thin", null, thin("l1"));
    rig.create("c", "thin");
    Path root = rig.mount("c");
    rig.stop();
    rig.cvmfs.held.clear();
    CountDownLatch held = new CountDownLatch(1);
    rig.cvmfs.acquired = held::countDown;

    rig.reopened();
    held.await();
    rig.stop();

    assertThat(rig.cvmfs.held()).isEqualTo(1);
    assertThat(root.resolve("a")).hasContent("1");
    rig.cvmfs.away = true;
    rig.reopened();
    rig.unmount("c");
    assertThat(rig.mounts()).isEmpty();
  }

  @Test
  void isRefusedWithUserNamespaces() {
    rig.with(
        new IdMaps(
            List.of(new IdMaps.Range(0, 100_000, 65_536)),
            List.of(new IdMaps.Range(0, 100_000, 65_536))));

    assertThatThrownBy(() -> rig.layer("thin", null, thin("l1")))
        .isInstanceOf(LayersException.NotSupported.class)
        .hasMessageContaining("thin images cannot be used with user namespaces");
  }

  @Test
  void measuresWithoutReadingCvmfs() {
    rig.layer("thin", null, thin("l1"));
    rig.create("c-init", "thin");
    rig.create("c", "c-init");
    rig.cvmfs.away = true;

    assertThat(rig.storage().diffSize(id("c"), id("c-init"))).isZero();
    assertThat(rig.storage().diffSize(id("c"), null)).isZero();
    assertThat(rig.diff("c", "c-init")).hasSize(1024);
    assertThatThrownBy(() -> rig.changes("c", null))
        .isInstanceOf(LayersException.NotSupported.class)
        .hasMessageContaining("reach through a thin layer");
    assertThatThrownBy(() -> rig.diff("c", null)).isInstanceOf(LayersException.Unavailable.class);
  }
}
