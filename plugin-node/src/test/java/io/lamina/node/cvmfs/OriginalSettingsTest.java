package io.lamina.node.cvmfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OriginalSettingsTest {
  private static final String NAME = "images.example.org";

  @TempDir Path folder;

  private void file(String path, String... lines) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, String.join("\n", lines) + "\n");
  }

  private OriginalSettings settings() {
    return new OriginalSettings(folder);
  }

  @Test
  void knowsARepositoryByItsFileAndItsKey() throws IOException {
    file("config.d/" + NAME + ".conf", "CVMFS_SERVER_URL=http://s1/cvmfs/@fqrn@;http://s2/@fqrn@");
    file("keys/" + NAME + ".pub", "key");

    KnownRepository known = settings().repositories().getFirst();

    assertThat(known.name().value()).isEqualTo(NAME);
    assertThat(known.servers()).containsExactly("http://s1/cvmfs/@fqrn@", "http://s2/@fqrn@");
    assertThat(known.key()).isEqualTo(folder.resolve("keys/" + NAME + ".pub"));
  }

  @Test
  void letsTheMoreSpecialAndTheLocalFileDecide() throws IOException {
    file("default.conf", "CVMFS_REPOSITORIES=" + NAME + ",other.example.org", "CVMFS_HTTP_PROXY=a");
    file("default.local", "CVMFS_HTTP_PROXY='http://proxy:3128|DIRECT'");
    file("domain.d/example.org.conf", "export CVMFS_SERVER_URL=\"http://domain/@fqrn@\"");
    file("config.d/" + NAME + ".conf", "CVMFS_SERVER_URL=http://conf/ # near");
    file("config.d/" + NAME + ".local", "  CVMFS_SERVER_URL=http://local/");
    file("keys/example.org/one.pub", "key");

    assertThat(settings().proxy()).contains("http://proxy:3128|DIRECT");
    assertThat(settings().repositories())
        .extracting(KnownRepository::servers)
        .containsExactly(List.of("http://local/"), List.of("http://domain/@fqrn@"));
    assertThat(settings().repositories())
        .allMatch(known -> known.key().equals(folder.resolve("keys/example.org")));
  }

  @Test
  void findsKeysBelowTheFolderWhereverItLies() throws IOException {
    file(
        "config.d/" + NAME + ".conf",
        "KEYS=/etc/cvmfs/keys",
        "CVMFS_SERVER_URL=http://s/${CVMFS_REPOSITORY_NAME}",
        "CVMFS_PUBLIC_KEY=${KEYS}/gone.pub:$KEYS/site.pub");
    file("keys/site.pub", "key");

    KnownRepository known = settings().repositories().getFirst();

    assertThat(known.key()).isEqualTo(folder.resolve("keys/site.pub"));
    assertThat(known.servers()).containsExactly("http://s/" + NAME);
  }

  @Test
  void leavesOutWhatLacksAServerOrAKeyOrIsNoName() throws IOException {
    file("config.d/no-server.example.org.conf", "CVMFS_PUBLIC_KEY=/etc/cvmfs/keys/a.pub");
    file("config.d/no-key.example.org.conf", "CVMFS_SERVER_URL=http://s/");
    file("config.d/$(reboot).conf", "CVMFS_SERVER_URL=http://s/");
    file("config.d/runs.example.org.conf", "CVMFS_SERVER_URL=http://$(reboot)/");
    file("config.d/README", "text");
    file("keys/a.pub", "key");
    file("keys/runs.example.org.pub", "key");

    assertThat(settings().repositories()).isEmpty();
  }

  @Test
  void hasNoneWhereThereIsNoFolder() {
    assertThat(new OriginalSettings(folder.resolve("none")).repositories()).isEmpty();
  }

  @Test
  void refusesAFileThatIsNoSettingsFile() throws IOException {
    file("default.conf", "#".repeat((1 << 20) + 1));

    assertThatThrownBy(() -> settings().repositories())
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("default.conf");
  }
}
