package io.lamina.node.status;

import java.util.List;
import java.util.Optional;

/**
 * What a driver knows of itself at one moment. Immutable. Source: docs/plugin-node.md, "Status".
 *
 * @param name of the driver
 * @param socket that engines connect to; empty if none are served
 * @param engine empty before one has introduced itself
 * @param problem why the driver cannot work; empty if it can
 * @param layers of the engine
 * @param mounts layers that are in use, by id
 * @param snapshots empty if containerd is not served
 * @param clients that mount repositories
 * @param following how far the node is behind what was published
 */
public record NodeStatus(
    String name,
    Optional<String> socket,
    Optional<Engine> engine,
    Optional<String> problem,
    Calls calls,
    Layers layers,
    List<Mount> mounts,
    Optional<Snapshots> snapshots,
    List<Client> clients,
    List<Following> following) {

  public NodeStatus {
    mounts = List.copyOf(mounts);
    clients = List.copyOf(clients);
    following = List.copyOf(following);
  }

  /** Which engine it serves. */
  public record Engine(String home, List<String> options) {
    public Engine {
      options = List.copyOf(options);
    }
  }

  /** Calls of engines. */
  public record Calls(int underWay, int max) {}

  /**
   * @param uses mounts that were asked for and not given back
   */
  public record Layers(int count, int thin, int mounted, long uses) {}

  /** A layer that is in use. */
  public record Mount(String layer, int uses, List<String> repositories) {
    public Mount {
      repositories = List.copyOf(repositories);
    }
  }

  /**
   * What containerd has.
   *
   * @param remote committed ones whose files a repository has
   */
  public record Snapshots(
      String socket, int callsUnderWay, int active, int views, int committed, int remote) {}

  /** Who mounts repositories. */
  public record Client(String name, Optional<Cache> cache, List<Repository> repositories) {
    public Client {
      repositories = List.copyOf(repositories);
    }
  }

  /** A client's cache on disk. */
  public record Cache(long objects, long usedBytes, long limitBytes, long hits, long misses) {}

  /** A repository that is mounted. */
  public record Repository(String name, long revision, int uses, boolean isAlive) {}

  /**
   * News that this node waits for.
   *
   * @param source where publications are told, or a repository
   * @param lag of a source, events that were not looked at yet; of a repository, revisions
   */
  public record Following(String source, long lag) {}

  /** Whether containers can be started now, as far as this node can tell. */
  public boolean isReady() {
    return problem.isEmpty()
        && clients.stream()
            .flatMap(client -> client.repositories().stream())
            .allMatch(repository -> repository.isAlive() || repository.uses() == 0);
  }
}
