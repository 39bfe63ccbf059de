package io.lamina.node.graphdriver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SessionFileTest {
  @TempDir Path folder;

  @Test
  void knowsNoSessionBeforeAnEngineCame() {
    assertThat(new SessionFile(folder.resolve("session.json")).read()).isEmpty();
  }

  @Test
  void readsWhatTheLastEngineSaid() {
    SessionFile file = new SessionFile(folder.resolve("session.json"));
    Session session =
        new Session(
            "/var/lib/docker/100000.200000/lamina",
            List.of("size=1G", "cvmfsMountMethod=internal"),
            List.of(new IdRange(0, 100_000, 65_536)),
            List.of(new IdRange(0, 200_000, 65_536)));

    file.write(new Session("/other", List.of(), List.of(), List.of()));
    file.write(session);

    assertThat(file.read()).contains(session);
    assertThat(folder).isDirectoryContaining("glob:**session.json");
    assertThat(folder).isDirectoryNotContaining("glob:**.new");
  }

  @Test
  void refusesAFileOfAnotherVersionOrWithoutSense() throws Exception {
    Path path = folder.resolve("session.json");

    Files.writeString(path, "{\"version\":2,\"Home\":\"/h\"}");
    assertThatThrownBy(() -> new SessionFile(path).read())
        .isInstanceOf(DriverException.Fatal.class)
        .hasMessageContaining("version 2");

    Files.writeString(path, "{\"version\":1,");
    assertThatThrownBy(() -> new SessionFile(path).read())
        .isInstanceOf(DriverException.Fatal.class)
        .hasMessageContaining("damaged");
  }
}
