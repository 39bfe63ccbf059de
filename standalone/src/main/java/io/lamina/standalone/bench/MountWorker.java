package io.lamina.standalone.bench;

import io.lamina.client.ClientSettings;
import io.lamina.client.EmbeddedClient;
import io.lamina.client.RepositorySettings;
import io.lamina.client.failure.ClientException;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.signing.MasterKeys;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The process of a measured client: takes orders from standard input and repeats each when it is
 * done. Whoever reads from a mount must not be the process that serves it.
 */
public final class MountWorker {
  static final String MOUNT = "mount";
  static final String UNMOUNT = "unmount";

  /** Nothing is evicted while it is measured. */
  private static final long CACHE_BYTES = 100_000_000_000L;

  private final RepositorySettings repository;
  private final ClientSettings settings;
  private final Path mountPoint;
  private @Nullable EmbeddedClient client;

  private MountWorker(RepositorySettings repository, ClientSettings settings, Path mountPoint) {
    this.repository = repository;
    this.settings = settings;
    this.mountPoint = mountPoint;
  }

  /**
   * @param arguments server, repository's name, public key, cache, mount point
   */
  public static void main(String[] arguments) throws IOException {
    MountWorker worker =
        new MountWorker(
            new RepositorySettings(
                new RepositoryName(arguments[1]),
                List.of(arguments[0]),
                MasterKeys.load(Path.of(arguments[2]))),
            ClientSettings.of(Path.of(arguments[3]), CACHE_BYTES),
            Path.of(arguments[4]));
    try (BufferedReader orders =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      worker.follow(orders, System.out);
    } finally {
      worker.unmount();
    }
  }

  private void follow(BufferedReader orders, PrintStream answers) throws IOException {
    for (String order = orders.readLine(); order != null; order = orders.readLine()) {
      try {
        switch (order) {
          case MOUNT -> mount();
          case UNMOUNT -> unmount();
          default -> throw new IllegalArgumentException("no order: " + order);
        }
        answers.println(order);
      } catch (CvmfsException | ClientException e) {
        answers.println(String.valueOf(e.getMessage()).replace('\n', ' '));
      }
      answers.flush();
    }
  }

  private void mount() {
    EmbeddedClient opened = EmbeddedClient.open(settings, new SecureRandom());
    client = opened;
    opened.mount(repository, mountPoint);
  }

  private void unmount() {
    EmbeddedClient open = client;
    client = null;
    if (open != null) {
      open.close();
    }
  }
}
