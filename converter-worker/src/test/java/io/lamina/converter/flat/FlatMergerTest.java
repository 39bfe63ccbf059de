package io.lamina.converter.flat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.converter.layer.ConversionReport.Decision;
import io.lamina.converter.layer.Layers;
import io.lamina.converter.layer.Markers;
import io.lamina.converter.layer.MemorySink;
import io.lamina.converter.layer.ObjectPipeline;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.ImageException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FlatMergerTest {
  private static final RepositoryPath MOUNT = RepositoryPath.of("/.flat/cd/cdef");

  private final MemorySink sink = new MemorySink();
  private final List<Graft> layers = new ArrayList<>();

  private FlatMergerTest layer(Layers layer) {
    RepositoryPath mount = RepositoryPath.of("/.layers/ab/" + layers.size() + "/layerfs");
    layers.add(Layers.convert(layer.tar(), mount, sink, 2).graft());
    return this;
  }

  /** The merged image and its entries. */
  private record Merged(MergedImage image, Map<String, CatalogEntry> entries, MemorySink sink) {
    CatalogEntry at(String path) {
      CatalogEntry entry = entries.get(path);
      if (entry == null) {
        throw new AssertionError("no " + path + " among " + entries.keySet());
      }
      return entry;
    }

    String content(String path) {
      return new String(
          Layers.inflate(sink.object(ObjectKind.FILE, Objects.requireNonNull(at(path).hash()))),
          StandardCharsets.UTF_8);
    }

    long count(Decision decision) {
      return image.report().counts().getOrDefault(decision, 0L);
    }
  }

  private Merged merge(String config) {
    try (ObjectPipeline pipeline = new ObjectPipeline(Layers.settings(2))) {
      FlatMerger merger =
          new FlatMerger(
              pipeline, hash -> Layers.inflate(sink.object(ObjectKind.CATALOG, hash)), 100_000);
      MergedImage image =
          merger.merge(
              new FlatWork(layers, config.getBytes(StandardCharsets.UTF_8), MOUNT, Layers.TIME + 5),
              sink);
      return new Merged(image, Layers.entries(image.graft(), sink), sink);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private Merged merge() {
    return merge("{}");
  }

  @Test
  void laysLayersOverEachOther() {
    layer(
        new Layers()
            .dir("./", e -> e.setMode(0711))
            .dir("keep", e -> e.setMode(0700))
            .file("keep/a", "1")
            .file("keep/gone", "1")
            .dir("hidden")
            .file("hidden/old", "1")
            .file("replaced", "1"));
    layer(
        new Layers()
            .dir("keep", e -> e.setMode(0750))
            .file("keep/b", "2")
            .file("keep/.wh.gone", "")
            .file("hidden/.wh..wh..opq", "")
            .file("hidden/new", "2")
            .symlink("replaced", "keep"));

    Merged merged = merge();

    assertThat(merged.at("").mode()).isEqualTo(CatalogEntry.DIRECTORY | 0711);
    assertThat(merged.at("keep").mode()).isEqualTo(CatalogEntry.DIRECTORY | 0750);
    assertThat(merged.content("keep/a")).isEqualTo("1");
    assertThat(merged.content("keep/b")).isEqualTo("2");
    assertThat(merged.content("hidden/new")).isEqualTo("2");
    assertThat(merged.at("replaced").isSymlink()).isTrue();
    assertThat(merged.entries()).doesNotContainKeys("keep/gone", "hidden/old");
    assertThat(merged.entries().values())
        .allSatisfy(entry -> assertThat(Layers.xattrs(entry)).isEmpty());
    assertThat(merged.image().graft().path()).isEqualTo(MOUNT);
    assertThat(sink.flushed).isTrue();
  }

  @Test
  void keepsTheLowerAttributesOfDirectoriesThatALayerDoesNotDescribe() {
    layer(
        new Layers()
            .dir("./", e -> e.setMode(0701))
            .dir("tmp", e -> e.setMode(01777))
            .dir("srv", e -> e.setMode(0700)));
    layer(new Layers().file("tmp/new/x", "2").file(".wh.srv", "").file("srv/y", "2"));

    Merged merged = merge();

    assertThat(merged.at("").mode()).isEqualTo(CatalogEntry.DIRECTORY | 0701);
    assertThat(merged.at("tmp").mode()).isEqualTo(CatalogEntry.DIRECTORY | 01777);
    assertThat(merged.at("tmp/new").mode()).isEqualTo(CatalogEntry.DIRECTORY | 0755);
    assertThat(merged.at("srv").mode()).isEqualTo(CatalogEntry.DIRECTORY | 0755);
    assertThat(merged.entries().values()).noneMatch(Markers::isMarked);
  }

  @Test
  void findsTheFilesOfHardLinksInLowerLayers() {
    layer(
        new Layers()
            .file("bin/tool", "1".getBytes(StandardCharsets.UTF_8), e -> e.setMode(04755))
            .file("etc/changed", "1"));
    layer(
        new Layers()
            .link("bin/alias", "bin/tool")
            .link("sbin/alias", "bin/tool")
            .link("etc/before", "etc/changed")
            .file("etc/changed", "2")
            .link("nowhere", "etc/none"));

    Merged merged = merge();

    assertThat(merged.at("bin/alias").mode()).isEqualTo(CatalogEntry.REGULAR | 04755);
    assertThat(merged.at("bin/alias")).isEqualTo(merged.at("bin/tool"));
    assertThat(merged.content("sbin/alias")).isEqualTo("1");
    assertThat(merged.content("etc/changed")).isEqualTo("2");
    assertThat(merged.at("nowhere").isSymlink()).isTrue();
    assertThat(merged.count(Decision.LINK_RESOLVED)).isEqualTo(2);
    assertThat(merged.count(Decision.LINK_INTO_LOWER_LAYER)).isEqualTo(1);
    assertThat(merged.entries().values()).noneMatch(Markers::isMarked);
  }

  @Test
  void putsEntriesIntoTheDirectoryThatALinkBelowNames() {
    layer(
        new Layers()
            .dir("usr/lib", e -> e.setMode(0711))
            .file("usr/lib/old", "1")
            .file("usr/lib/gone", "1")
            .symlink("lib", "usr/lib")
            .symlink("lib64", "/lib")
            .symlink("out", "../../../etc")
            .symlink("loop", "loop")
            .symlink("explicit", "usr"));
    layer(
        new Layers()
            .file("lib/new", "2")
            .file("lib/.wh.gone", "")
            .file("lib64/deep/er", "2")
            .file("out/escaped", "2")
            .file("loop/x", "2")
            .dir("explicit")
            .file("explicit/x", "2"));

    Merged merged = merge();

    assertThat(merged.at("lib").isSymlink()).isTrue();
    assertThat(merged.at("usr/lib").mode()).isEqualTo(CatalogEntry.DIRECTORY | 0711);
    assertThat(merged.content("usr/lib/new")).isEqualTo("2");
    assertThat(merged.content("usr/lib/old")).isEqualTo("1");
    assertThat(merged.entries()).doesNotContainKey("usr/lib/gone");
    assertThat(merged.at("lib64").isSymlink()).isTrue();
    assertThat(merged.content("usr/lib/deep/er")).isEqualTo("2");
    assertThat(merged.at("explicit").isDirectory()).isTrue();
    assertThat(merged.at("loop").isDirectory()).isTrue();
    assertThat(merged.at("out").isDirectory()).isTrue();
    assertThat(merged.content("out/escaped")).isEqualTo("2");
    assertThat(merged.count(Decision.MOVED_THROUGH_LINK)).isEqualTo(2);
  }

  @Test
  void addsWhatRuntimesWantWithoutTouchingWhatIsThere() {
    layer(
        new Layers()
            .dir("tmp", e -> e.setMode(0700))
            .dir("etc")
            .file("etc/hosts", "mine")
            .file("singularity", "mine"));

    Merged merged = merge();

    assertThat(merged.at("tmp").mode()).isEqualTo(CatalogEntry.DIRECTORY | 0700);
    assertThat(merged.content("etc/hosts")).isEqualTo("mine");
    assertThat(merged.content("singularity")).isEqualTo("mine");
    assertThat(merged.content("etc/resolv.conf")).isEmpty();
    assertThat(merged.at("var/tmp").mode()).isEqualTo(CatalogEntry.DIRECTORY | 01777);
    assertThat(merged.at("proc").isDirectory()).isTrue();
    assertThat(merged.at(".run").symlinkTarget())
        .isEqualTo(".singularity.d/actions/run".getBytes());
    assertThat(merged.at(".singularity.d/runscript").mode()).isEqualTo(CatalogEntry.REGULAR | 0755);
    assertThat(merged.at(".singularity.d/runscript").mtimeSeconds()).isEqualTo(Layers.TIME + 5);
  }

  @Test
  void neverAddsAnythingThroughALinkOrFile() {
    layer(
        new Layers()
            .symlink("etc", "/host/etc")
            .file("var", "a file")
            .symlink(".singularity.d", "/elsewhere"));

    Merged merged = merge();

    assertThat(merged.at("etc").isSymlink()).isTrue();
    assertThat(merged.content("var")).isEqualTo("a file");
    assertThat(merged.entries().keySet())
        .noneMatch(path -> path.startsWith("etc/") || path.startsWith("var/"))
        .noneMatch(path -> path.startsWith(".singularity.d/"));
    assertThat(merged.count(Decision.PATH_TAKEN)).isGreaterThan(5);
  }

  @Test
  void givesTheSameCatalogEachTime() {
    layer(new Layers().file("a/b", "1").link("c", "a/b"));

    Graft first = merge().image().graft();
    int objects = sink.count();
    Merged again = merge();

    assertThat(again.image().graft()).isEqualTo(first);
    assertThat(sink.count()).isEqualTo(objects);
    assertThat(again.image().figures().newObjects()).isZero();
  }

  @Test
  void mergesAnImageWithoutLayers() {
    assertThat(merge().entries()).containsKeys("", "etc/hosts", ".singularity.d/actions/exec");
  }

  @Test
  void refusesConfigsThatAreNone() {
    for (String config :
        List.of("", "[]", "{", "{\"config\":{\"Cmd\":{}}}", "{\"config\":{\"Env\":[1]}}")) {
      assertThatThrownBy(() -> merge(config))
          .isInstanceOf(ImageException.Rejected.class)
          .hasMessageContaining("image config");
    }
  }
}
