package io.lamina.node.commit;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Digest;
import io.lamina.image.thin.CvmfsUrl;
import io.lamina.image.thin.ThinDescriptor;
import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerInfo;
import io.lamina.layers.LayerStorage;
import io.lamina.layers.LayersException;
import io.lamina.layers.archive.ThinArchive;
import io.lamina.node.gateway.GatewayConnection;
import io.lamina.node.gateway.GatewayFailure;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes what a container on a thin image wrote, and gives the engine a descriptor of it in its
 * place, so that the committed image is thin too. Nothing is given to the engine before the layer
 * can be read on this node.
 *
 * <p>Every step can be repeated: the archive's digest depends on the files alone, storing it twice
 * is storing it once, the request has a key made of the digest, and publishers show a layer once.
 * So a commit that failed, or whose process was killed, goes on where it stopped when it is asked
 * for again. Source: docs/plugin-node.md, "Commits". Thread-safe; methods block.
 */
public final class ThinCommits {
  private static final Logger LOG = LoggerFactory.getLogger(ThinCommits.class);

  /**
   * Containers and steps of the classic builder. BuildKit's layers have other names: it registers
   * them under the files that they have, whatever {@code Diff} gave.
   */
  private static final Pattern CONTAINER = Pattern.compile("[0-9a-f]{64}");

  private static final int MAX_KNOWN_FAILURES = 8;
  private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  /** Between looks at a mount that is refreshed by somebody who tells nobody; each may take it. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  /** What was published and is not shown for so long, in a revision that has it, was removed. */
  private static final Duration REMOVED = Duration.ofSeconds(10);

  private final CommitSettings settings;
  private final GatewayConnection gateway;
  private final LayerArchives archives;
  private final RevisionNews news;
  private final RandomGenerator random;

  /**
   * @throws LayersException.Failed if the folder for archives cannot be used
   */
  public ThinCommits(
      CommitSettings settings,
      GatewayConnection gateway,
      LayerArchives archives,
      RevisionNews news,
      RandomGenerator random) {
    this.settings = settings;
    this.gateway = gateway;
    this.archives = archives;
    this.news = news;
    this.random = random;
    try {
      SpooledArchive.prepare(settings.spool());
    } catch (IOException e) {
      throw new LayersException.Failed(
          "the folder for commits cannot be used: " + settings.spool() + ": " + e, e);
    }
  }

  /**
   * As {@link LayerStorage#diff}, but for a container on a thin image: then the archive holds
   * {@code thin.json} and nothing else.
   *
   * @throws LayersException.Unavailable if gateway, store, broker or repository did not do their
   *     part in time; asking again goes on where this stopped
   */
  public void diff(
      LayerStorage storage,
      CvmfsRoots roots,
      LayerId id,
      @Nullable LayerId parent,
      OutputStream out) {
    Optional<RepositoryName> repository = repositoryFor(storage, id, parent);
    if (repository.isEmpty()) {
      storage.diff(id, parent, out);
      return;
    }
    Deadline deadline = Deadline.in(settings.deadline());
    try (SpooledArchive archive =
        SpooledArchive.of(
            settings.spool(), settings.maxBytes(), tar -> storage.diff(id, parent, tar))) {
      if (archive.isEmpty()) {
        Files.copy(archive.file(), out);
        return;
      }
      publish(repository.get(), archive, roots, deadline);
      out.write(ThinArchive.of(descriptor(repository.get(), archive.descriptor().digest())));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LayersException.Cancelled("interrupted while layer " + id + " was published");
    } catch (IOException e) {
      throw new LayersException.Failed("the answer of layer " + id + " broke off: " + e, e);
    }
  }

  private static ThinDescriptor descriptor(RepositoryName repository, Digest layer) {
    return new ThinDescriptor(
        List.of(
            new ThinDescriptor.Layer(
                Optional.of(layer), CvmfsUrl.ofLayer(repository.value(), layer))),
        Optional.empty(),
        Optional.empty());
  }

  /** Where a layer is to be published; empty if it is to be an ordinary one. */
  private Optional<RepositoryName> repositoryFor(
      LayerStorage storage, LayerId id, @Nullable LayerId parent) {
    Optional<LayerInfo> layer = storage.find(id);
    if (parent == null
        || layer.isEmpty()
        || layer.get().state() != LayerInfo.State.CREATED
        || !layer.get().parent().equals(Optional.of(parent))
        || !CONTAINER.matcher(id.text()).matches()
        || !layer.get().hasThinBelow()) {
      return Optional.empty();
    }
    if (settings.repository().isPresent()) {
      return settings.repository();
    }
    if (layer.get().repositories().size() != 1) {
      LOG.atWarn()
          .addKeyValue("layer", id)
          .addKeyValue("repositories", layer.get().repositories())
          .log("commit becomes an ordinary layer: set plugin.commit.repository");
      return Optional.empty();
    }
    try {
      return Optional.of(new RepositoryName(layer.get().repositories().first()));
    } catch (CvmfsException.Rejected e) {
      throw new LayersException.Rejected(String.valueOf(e.getMessage()), e);
    }
  }

  /** Returns when the layer can be read here. */
  private void publish(
      RepositoryName repository, SpooledArchive archive, CvmfsRoots roots, Deadline deadline)
      throws InterruptedException {
    Digest layer = archive.descriptor().digest();
    try (CvmfsRoots.Lease lease = roots.acquire(repository.value())) {
      if (isShown(lease, layer, deadline)) {
        LOG.atInfo()
            .addKeyValue("repository", repository)
            .addKeyValue("layer", layer)
            .log("commit finds its layer published");
        return;
      }
      for (int attempt = 0; ; attempt++) {
        // Each time: an archive is removed when its layer is published, and may be gone with it.
        upload(repository, archive, deadline);
        try (CommitRequest request =
            submit(repository, archive, key(repository, layer, attempt), deadline)) {
          if (attempt <= MAX_KNOWN_FAILURES
              && request.state() instanceof CommitRequest.State.Failed) {
            // It failed before; that its key is used up is no reason to fail again.
            continue;
          }
          if (awaitShown(lease, repository, layer, request, deadline)) {
            LOG.atInfo()
                .addKeyValue("repository", repository)
                .addKeyValue("layer", layer)
                .addKeyValue("request", request.id())
                .addKeyValue("bytes", archive.descriptor().sizeBytes())
                .log("commit published");
            return;
          }
          if (attempt > MAX_KNOWN_FAILURES) {
            throw new LayersException.Unavailable(
                "layer "
                    + layer
                    + " is said to be published, but repository "
                    + repository
                    + " does not show it");
          }
        }
      }
    }
  }

  /**
   * The same for the same layer, wherever and however often it is committed; after failures a
   * further one. When all of those are used up a random one does no harm either, as publishers show
   * a layer once.
   */
  private String key(RepositoryName repository, Digest layer, int attempt) {
    String base =
        "commit-"
            + Digest.sha256((repository + "\n" + layer).getBytes(StandardCharsets.UTF_8)).hex();
    return attempt <= MAX_KNOWN_FAILURES
        ? base + "-" + attempt
        : base + "-" + HexFormat.of().toHexDigits(random.nextLong());
  }

  private boolean isShown(CvmfsRoots.Lease lease, Digest layer, Deadline deadline)
      throws InterruptedException {
    // The last look, just before the deadline, must not be mistaken for a repository that hangs.
    Duration left = deadline.left();
    Duration patience = left.compareTo(LOOK) < 0 ? LOOK : left;
    // The archive is not compressed: both digests are one.
    return ShownLayer.isIn(lease.root(), layer, layer, patience);
  }

  private void upload(RepositoryName repository, SpooledArchive archive, Deadline deadline)
      throws InterruptedException {
    Patience patience = new Patience(deadline);
    while (true) {
      try {
        archives.put(repository, archive.descriptor(), archive.file(), deadline.left());
        return;
      } catch (LayerArchives.Away e) {
        patience.pauseAfter("its archive could not be stored", e);
      } catch (LayerArchives.Refused e) {
        throw refused("its archive could not be stored", e);
      }
    }
  }

  private CommitRequest submit(
      RepositoryName repository, SpooledArchive archive, String key, Deadline deadline)
      throws InterruptedException {
    Patience patience = new Patience(deadline);
    while (true) {
      try {
        return CommitRequest.submit(
            gateway,
            repository,
            archive.descriptor(),
            archive.descriptor().digest(),
            key,
            deadline.left(),
            news::wake);
      } catch (GatewayFailure.Away e) {
        patience.pauseAfter("its publication could not be asked for", e);
      } catch (GatewayFailure e) {
        throw refused("its publication could not be asked for", e);
      }
    }
  }

  private static LayersException.Rejected refused(String what, Exception cause) {
    return new LayersException.Rejected(
        "the commit was not published, as "
            + what
            + ": "
            + cause.getMessage()
            + " (plugin.commit.repository says where commits go; with plugin.commit = ordinary they"
            + " are ordinary layers)",
        cause);
  }

  /**
   * @return false if the request ended earlier and what it published is gone
   */
  private boolean awaitShown(
      CvmfsRoots.Lease lease,
      RepositoryName repository,
      Digest layer,
      CommitRequest request,
      Deadline deadline)
      throws InterruptedException {
    boolean wasDone = request.state() instanceof CommitRequest.State.Done;
    boolean isTold = false;
    Deadline removed = Deadline.in(REMOVED);
    if (!wasDone) {
      request.follow();
    }
    while (true) {
      long count = news.newsCount();
      if (isShown(lease, layer, deadline)) {
        return true;
      }
      Duration wait = deadline.left();
      switch (request.state()) {
        case CommitRequest.State.UnderWay _ -> {
          // News end the wait: of a revision, or of the request.
        }
        case CommitRequest.State.Done done -> {
          if (!isTold) {
            isTold = true;
            removed = Deadline.in(REMOVED);
            news.published(repository.value(), done.revision());
          } else if (wasDone && removed.isOver() && lease.revision() >= done.revision()) {
            return false;
          }
          wait = wait.compareTo(LOOK) > 0 ? LOOK : wait;
        }
        case CommitRequest.State.Failed failed ->
            throw new LayersException.Rejected(
                "the commit was not published: request "
                    + request.id()
                    + " failed: "
                    + failed.reason());
      }
      if (!lease.isAlive()) {
        throw new LayersException.Unavailable(
            "the client of repository "
                + repository
                + " ended while the commit was published. Commit again: it goes on where this"
                + " stopped");
      }
      if (deadline.isOver()) {
        throw new LayersException.Unavailable(overdue(repository, request, lease));
      }
      news.awaitNews(count, wait);
    }
  }

  private String overdue(RepositoryName repository, CommitRequest request, CvmfsRoots.Lease lease) {
    String state =
        request.state() instanceof CommitRequest.State.Done done
            ? "it is published in revision "
                + done.revision()
                + " of repository "
                + repository
                + ", but this node still shows revision "
                + lease.revision()
            : "request "
                + request.id()
                + " is not done: see whether converters, publishers and"
                + " Kafka run";
    return "the commit did not become visible within "
        + settings.deadline().toSeconds()
        + " s (plugin.commit.deadline): "
        + state
        + ". Commit again later: it goes on where this stopped";
  }

  /** How long somebody may be away. One thread. */
  private final class Patience {
    private final Deadline total;
    private @Nullable Deadline patience;
    private Duration pause = FIRST_PAUSE;

    Patience(Deadline total) {
      this.total = total;
    }

    /** Waits for another attempt, or gives up with the cause. */
    void pauseAfter(String what, Exception cause) throws InterruptedException {
      Deadline now = patience;
      if (now == null) {
        now = Deadline.in(settings.patience());
        patience = now;
      }
      if (now.isOver() || total.isOver()) {
        throw new LayersException.Unavailable(
            "the commit was not published, as "
                + what
                + ": "
                + cause.getMessage()
                + ". Nothing is half done: commit again later",
            cause);
      }
      Thread.sleep(pause);
      pause =
          pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0
              ? LONGEST_PAUSE
              : pause.multipliedBy(2);
    }
  }
}
