package io.lamina.node.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;

/** The built-in storage of the engine is what ours is measured by. */
@NeedsDocker
class DockerBehaviourIT {
  @Test
  void showsTheSameAsTheBuiltInDriver() throws Exception {
    try (WorkFolder folder = WorkFolder.create()) {
      Map<String, String> theirs;
      try (DockerEngine engine = DockerEngine.start(folder.path("theirs"), "overlay2")) {
        theirs = Behaviour.of(engine, folder.path("scratch-theirs"));
      }
      Map<String, String> ours;
      try (PluginProcess plugin =
          PluginProcess.start(folder.path("plugin"), folder.driver(), Map.of())) {
        try (DockerEngine engine = DockerEngine.start(folder.path("ours"), plugin.name())) {
          ours = Behaviour.of(engine, folder.path("scratch-ours"));
          assertThat(folder.mountsBelow(plugin.state())).isEmpty();
        }
        assertThat(folder.layersOf(plugin)).isEmpty();
      }

      assertThat(ours.keySet()).isEqualTo(theirs.keySet());
      assertThat(theirs.get("files of the container")).contains("a/new").contains("zeros");
      SoftAssertions all = new SoftAssertions();
      theirs.forEach(
          (what, result) -> {
            String seen = ours.getOrDefault(what, "");
            all.assertThat(Behaviour.difference(seen, result)).as(what).isEmpty();
            all.assertThat(seen.length()).as("length of " + what).isEqualTo(result.length());
          });
      all.assertAll();
    }
  }
}
