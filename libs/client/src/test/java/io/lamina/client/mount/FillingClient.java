package io.lamina.client.mount;

import io.lamina.client.EmbeddedClient;
import io.lamina.client.MountedRepository;
import io.lamina.client.RepositorySettings;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.signing.MasterKeys;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;

/** A process of its own that mounts a repository to be killed. */
final class FillingClient {
  private FillingClient() {}

  public static void main(String[] arguments) {
    EmbeddedClient client = MountFixture.client(Path.of(arguments[0]), 64 << 20, Clock.systemUTC());
    MountedRepository mounted =
        client.mount(
            new RepositorySettings(
                new RepositoryName(arguments[1]),
                List.of(arguments[2]),
                MasterKeys.load(Path.of(arguments[3]))),
            Path.of(arguments[4]));
    mounted.ended().join();
  }
}
