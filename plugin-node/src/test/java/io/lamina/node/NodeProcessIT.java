package io.lamina.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lamina.linux.MountTable;
import io.lamina.linux.Mounts;
import io.lamina.node.graphdriver.DriverException;
import io.lamina.node.graphdriver.DriverProbe;
import io.lamina.settings.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole process, called as an engine calls it. */
class NodeProcessIT {
  private static final byte[] EMPTY_ARCHIVE = new byte[1024];

  @TempDir Path folder;

  @BeforeEach
  void needsOverlays() {
    assumeTrue(
        "root".equals(System.getProperty("user.name"))
            && !MountTable.read().holding(folder).orElseThrow().type().equals("overlay"),
        "only root can mount overlays, and not on an overlay");
  }

  @AfterEach
  void unmount() {
    MountTable.read().below(folder).reversed().forEach(m -> Mounts.detach(Path.of(m.path())));
  }

  private NodeSettings settings() {
    return NodeSettings.from(
        Settings.of(
            "test",
            Map.of(
                "plugin.name", "lamina-test",
                "plugin.state", folder.resolve("state").toString(),
                "plugin.runtime", folder.resolve("run").toString(),
                "plugin.socket", folder.resolve("p/x.sock").toString(),
                "plugin.client", "embedded")));
  }

  private NodeProcess start() {
    return NodeProcess.start(settings(), new Random(1));
  }

  private static void init(DriverProbe probe, String home, String... options) throws Exception {
    String opts = options.length == 0 ? "null" : "[\"" + String.join("\",\"", options) + "\"]";
    probe.call(
        "Init",
        "{\"Home\":\"" + home + "\",\"Opts\":" + opts + ",\"UIDMaps\":null,\"GIDMaps\":null}");
  }

  private static void image(DriverProbe probe, String id) throws Exception {
    probe.call("Create", "{\"ID\":\"" + id + "\"}");
    probe.call("/GraphDriver.ApplyDiff?id=" + id + "&parent=", EMPTY_ARCHIVE);
  }

  private static Path get(DriverProbe probe, String id) throws Exception {
    return Path.of(probe.call("Get", "{\"ID\":\"" + id + "\"}").path("Dir").asText());
  }

  @Test
  void findsThatTheDriverWorksHereAndLeavesNothing() {
    NodeCheck.run(settings(), new Random(1));

    assertThat(folder.resolve("state")).isEmptyDirectory();
    assertThat(MountTable.read().below(folder)).isEmpty();
  }

  @Test
  void saysThatNoEngineHasIntroducedItself() throws Exception {
    try (NodeProcess process = start();
        DriverProbe probe = new DriverProbe(process.socket())) {
      assertThatThrownBy(() -> get(probe, "a"))
          .isInstanceOf(DriverException.Refused.class)
          .hasMessageContaining("no engine has introduced itself");
    }
  }

  @Test
  void goesOnAfterARestartThatTheEngineDoesNotNotice() throws Exception {
    Path before;
    try (NodeProcess process = start();
        DriverProbe probe = new DriverProbe(process.socket())) {
      init(probe, "/engine");
      image(probe, "image");
      probe.call("CreateReadWrite", "{\"ID\":\"box\",\"Parent\":\"image\"}");
      before = get(probe, "box");
      Files.writeString(before.resolve("file"), "kept");
    }
    assertThat(before.resolve("file")).hasContent("kept");

    try (NodeProcess process = start();
        DriverProbe probe = new DriverProbe(process.socket())) {
      assertThat(get(probe, "box")).isEqualTo(before);
      probe.call("Put", "{\"ID\":\"box\"}");
      assertThat(before.resolve("file")).hasContent("kept");
      probe.call("Put", "{\"ID\":\"box\"}");
      assertThat(before).doesNotExist();
      probe.call("Remove", "{\"ID\":\"box\"}");
    }
  }

  @Test
  void endsWhatAnEngineLeftThatWasStartedAgain() throws Exception {
    try (NodeProcess process = start();
        DriverProbe probe = new DriverProbe(process.socket())) {
      init(probe, "/engine");
      image(probe, "image");
      probe.call("CreateReadWrite", "{\"ID\":\"box\",\"Parent\":\"image\"}");
      Path view = get(probe, "box");
      get(probe, "box");

      init(probe, "/engine");
      probe.call("Put", "{\"ID\":\"box\"}");

      assertThat(view).doesNotExist();
      assertThat(probe.call("Exists", "{\"ID\":\"box\"}").path("Exists").asBoolean()).isTrue();
    }
  }

  @Test
  void takesAwayALayerThatWasMountedForAnAnswerThatNobodyGot() throws Exception {
    try (NodeProcess process = start();
        DriverProbe probe = new DriverProbe(process.socket())) {
      init(probe, "/engine");
      image(probe, "image");
      probe.call("CreateReadWrite", "{\"ID\":\"box-init\",\"Parent\":\"image\"}");
      get(probe, "box-init");
    }

    try (NodeProcess process = start()) {
      assertThat(process.socket()).exists();
      assertThat(MountTable.read().below(folder)).isEmpty();
    }
  }

  @Test
  void acceptsCallsForLayersThatAreNotThereOrNotInUse() throws Exception {
    try (NodeProcess process = start();
        DriverProbe probe = new DriverProbe(process.socket())) {
      init(probe, "/engine");
      image(probe, "image");

      probe.call("Put", "{\"ID\":\"unknown\"}");
      probe.call("Put", "{\"ID\":\"image\"}");
      probe.call("Put", "{\"ID\":\"image\"}");
      probe.call("Remove", "{\"ID\":\"unknown\"}");
      get(probe, "image");
      probe.call("Remove", "{\"ID\":\"image\"}");

      assertThat(probe.call("Exists", "{\"ID\":\"image\"}").path("Exists").asBoolean()).isFalse();
      assertThat(MountTable.read().below(folder)).isEmpty();
    }
  }

  @Test
  void fillsALayerOnce() throws Exception {
    try (NodeProcess process = start();
        DriverProbe probe = new DriverProbe(process.socket())) {
      init(probe, "/engine");
      image(probe, "image");

      assertThatThrownBy(() -> probe.call("/GraphDriver.ApplyDiff?id=image&parent=", EMPTY_ARCHIVE))
          .isInstanceOf(DriverException.Refused.class)
          .hasMessageContaining("image");
      assertThatThrownBy(() -> probe.call("Create", "{\"ID\":\"image\"}"))
          .isInstanceOf(DriverException.Refused.class);
      assertThatThrownBy(() -> probe.call("Create", "{\"ID\":\"x\",\"Parent\":\"unknown\"}"))
          .isInstanceOf(DriverException.Refused.class)
          .hasMessageContaining("unknown");
      assertThatThrownBy(
              () -> probe.call("Create", "{\"ID\":\"x\",\"StorageOpt\":{\"size\":\"1G\"}}"))
          .hasMessageContaining("not for images");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"..", ".", "../../etc", "/etc", "a/b", "a\\u0000b", ".hidden", "-x", " "})
  void refusesIdsThatAreNoNames(String id) throws Exception {
    try (NodeProcess process = start();
        DriverProbe probe = new DriverProbe(process.socket())) {
      init(probe, "/engine");
      for (String call : new String[] {"Create", "Remove", "Get", "Put", "Exists", "DiffSize"}) {
        assertThatThrownBy(() -> probe.call(call, "{\"ID\":\"" + id + "\"}"))
            .as(call)
            .isInstanceOf(DriverException.Refused.class)
            .hasMessageContaining("not a layer's id");
      }
    }
  }

  @Test
  void doesNotMixTheLayersOfTwoEngines() throws Exception {
    try (NodeProcess process = start();
        DriverProbe probe = new DriverProbe(process.socket())) {
      init(probe, "/one");
      image(probe, "image");
      probe.call("CreateReadWrite", "{\"ID\":\"box\",\"Parent\":\"image\"}");
      get(probe, "box");
      assertThatThrownBy(() -> init(probe, "/two"))
          .isInstanceOf(DriverException.Refused.class)
          .hasMessageContainingAll("/one", "/two");
      probe.call("Put", "{\"ID\":\"box\"}");

      init(probe, "/two");
      assertThat(probe.call("Exists", "{\"ID\":\"image\"}").path("Exists").asBoolean()).isFalse();
      init(probe, "/one");
      assertThat(probe.call("Exists", "{\"ID\":\"image\"}").path("Exists").asBoolean()).isTrue();
    }
  }

  @Test
  void refusesAnEngineWithOptionsThatItDoesNotKnow() throws Exception {
    try (NodeProcess process = start();
        DriverProbe probe = new DriverProbe(process.socket())) {
      assertThatThrownBy(() -> init(probe, "/engine", "overlay2.colour=red"))
          .isInstanceOf(DriverException.Refused.class)
          .hasMessageContaining("unknown storage option 'overlay2.colour'");
      init(probe, "/engine", "cvmfsMountMethod=external");
      assertThat(probe.call("Status", "{}").toString()).contains("external");
    }
  }

  @Test
  void keepsASecondProcessAway() {
    try (NodeProcess process = start()) {
      assertThat(process.socket()).exists();
      assertThatThrownBy(this::start)
          .isInstanceOf(DriverException.Fatal.class)
          .hasMessageContaining("another process uses the state folder");
      assertThat(process.socket()).exists();
    }
  }
}
