package io.lamina.node;

import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayerStorage;
import io.lamina.layers.LayersException;
import io.lamina.node.commit.CommitSettings;
import io.lamina.node.commit.GatewayArchives;
import io.lamina.node.commit.LayerArchives;
import io.lamina.node.commit.StoredArchives;
import io.lamina.node.commit.ThinCommits;
import io.lamina.node.commit.ThinCommittingStorage;
import io.lamina.node.events.GatewayPublications;
import io.lamina.node.events.KafkaPublications;
import io.lamina.node.events.PublicationSource;
import io.lamina.node.events.RepositoryViews;
import io.lamina.node.events.RevisionFollower;
import io.lamina.node.gateway.GatewayConnection;
import io.lamina.node.graphdriver.DriverException;
import io.lamina.node.graphdriver.GraphDriver.StatusLine;
import io.lamina.node.status.NodeStatus;
import io.lamina.storage.StorageException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** This node's links to the pipeline, and what it hears through them. Thread-safe. */
final class Publications implements AutoCloseable {
  private final Optional<GatewayConnection> gateway;
  private final Optional<PublicationSource> source;
  private final RevisionFollower follower;
  private final Optional<ThinCommits> commits;

  /**
   * @throws DriverException.Fatal if the folder for commits cannot be used
   */
  Publications(NodeSettings settings, RepositoryViews views, Clock clock, RandomGenerator random) {
    NodeLinks links = settings.links();
    this.gateway = links.gateway().map(found -> new GatewayConnection(found.base(), found.token()));
    this.source =
        links
            .kafka()
            .<PublicationSource>map(
                kafka ->
                    new KafkaPublications(kafka, settings.state().resolve("publications.json")))
            .or(() -> gateway.map(GatewayPublications::new));
    this.follower = new RevisionFollower(views);
    this.commits =
        links.commits().mode() == NodeLinks.Mode.THIN
            ? gateway.map(found -> commits(found, settings, clock, random))
            : Optional.empty();
  }

  private ThinCommits commits(
      GatewayConnection connection, NodeSettings settings, Clock clock, RandomGenerator random) {
    NodeLinks.Commits wanted = settings.links().commits();
    try {
      return new ThinCommits(
          new CommitSettings(
              wanted.repository(),
              settings.state().resolve("commits"),
              wanted.patience(),
              wanted.deadline(),
              wanted.maxBytes()),
          connection,
          wanted
              .storage()
              .map(storage -> withKeys(storage, wanted, settings.state()))
              .<LayerArchives>map(storage -> new StoredArchives(storage, clock, random))
              .orElseGet(() -> new GatewayArchives(connection)),
          new FollowedNews(follower),
          random);
    } catch (StorageException e) {
      throw new DriverException.Fatal("plugin.commit.storage: " + e.getMessage(), e);
    } catch (LayersException e) {
      throw new DriverException.Fatal(String.valueOf(e.getMessage()), e);
    }
  }

  private static String withKeys(String storage, NodeLinks.Commits wanted, Path state) {
    return wanted
        .keys()
        .map(
            keys ->
                storage
                    + (storage.contains("?") ? "&" : "?")
                    + "credentials="
                    + keys.writeTo(state))
        .orElse(storage);
  }

  /** The storage, with commits on thin images published if that is wanted. */
  LayerStorage publishing(LayerStorage storage, CvmfsRoots roots) {
    return commits
        .<LayerStorage>map(found -> new ThinCommittingStorage(storage, roots, found))
        .orElse(storage);
  }

  void start() {
    source.ifPresent(found -> found.start(follower));
  }

  /** How well publications are heard; empty if this node hears of none. */
  Optional<PublicationSource.Progress> progress() {
    return source.map(PublicationSource::progress);
  }

  /** How far behind what was published: of the source, and of each repository that is. */
  List<NodeStatus.Following> following() {
    List<NodeStatus.Following> all = new ArrayList<>();
    source.ifPresent(
        found -> {
          PublicationSource.Progress progress = found.progress();
          progress
              .behind()
              .ifPresent(behind -> all.add(new NodeStatus.Following(found.name(), behind)));
          for (RevisionFollower.Lag lag : follower.lags()) {
            all.add(
                new NodeStatus.Following(
                    lag.repository(), Math.max(0, lag.announced() - lag.shown())));
          }
        });
    return all;
  }

  List<StatusLine> status() {
    List<StatusLine> lines = new ArrayList<>();
    if (source.isEmpty()) {
      return lines;
    }
    PublicationSource.Progress progress = source.get().progress();
    lines.add(
        new StatusLine(
            "Publications",
            source.get().name()
                + (progress.isConnected() ? "" : ", not connected")
                + (progress.behind().isPresent()
                    ? ", " + progress.behind().getAsLong() + " behind"
                    : "")));
    for (RevisionFollower.Lag lag : follower.lags()) {
      if (lag.shown() < lag.announced()) {
        lines.add(
            new StatusLine(
                " " + lag.repository(),
                "shows revision " + lag.shown() + " of " + lag.announced()));
      }
    }
    return lines;
  }

  @Override
  public void close() {
    source.ifPresent(PublicationSource::close);
    follower.close();
    gateway.ifPresent(GatewayConnection::close);
  }
}
