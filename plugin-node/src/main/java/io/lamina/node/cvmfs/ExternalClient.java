package io.lamina.node.cvmfs;

import java.nio.file.Path;

/**
 * Repositories that the host has mounted, or mounts when they are touched. They are held open while
 * they are in use, so that an automounter keeps them. Thread-safe.
 */
public final class ExternalClient implements RepositoryClient {
  private final Path folder;

  /**
   * @param folder with a mount for each repository: {@code /cvmfs}
   */
  public ExternalClient(Path folder) {
    this.folder = folder;
  }

  @Override
  public String name() {
    return "external";
  }

  @Override
  public RepositoryMount mount(String repository) {
    OpenRoot root = OpenRoot.open(repository, folder.resolve(repository));
    return new RepositoryMount() {
      @Override
      public Path root() {
        return root.path();
      }

      @Override
      public long check() {
        return root.revision();
      }

      /** The host's client looks for itself. */
      @Override
      public long refresh() {
        return root.revision();
      }

      @Override
      public void close() {
        root.close();
      }
    };
  }

  @Override
  public void close() {}
}
