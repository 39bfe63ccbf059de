package io.lamina.node.snapshot;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.thin.CvmfsUrl;
import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayersException;
import io.lamina.linux.Directory;
import io.lamina.linux.FileStatus;
import io.lamina.linux.FileType;
import io.lamina.linux.LinuxException;
import io.lamina.linux.RawName;
import io.lamina.linux.Resolution;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Layers that repositories hold. A repository that cannot be asked is left out for a while: a pull
 * must not fail or wait for it at each layer. Thread-safe.
 */
final class RemoteLayers {
  private static final Logger LOG = LoggerFactory.getLogger(RemoteLayers.class);
  private static final String DIFF_ID = "diff-id";
  private static final Duration PAUSE = Duration.ofMinutes(1);

  private final CvmfsRoots roots;
  private final List<String> repositories;
  private final LongSupplier nanoTime;
  private final Map<String, Long> failedAtNanos = new ConcurrentHashMap<>();

  /**
   * @param repositories in the order in which they are asked
   */
  RemoteLayers(CvmfsRoots roots, List<String> repositories, LongSupplier nanoTime) {
    this.roots = roots;
    this.repositories = List.copyOf(repositories);
    this.nanoTime = nanoTime;
  }

  /**
   * A layer that a repository has.
   *
   * @param diffId that it was verified against when it was published; empty if that is not said
   */
  record Found(CvmfsUrl url, Optional<Digest> diffId) {}

  /** The layer; empty if no repository that can be asked has one that is wanted. */
  Optional<Found> find(Digest layer, Predicate<Found> wanted) {
    for (String repository : repositories) {
      if (!isPaused(repository)) {
        Optional<Found> found = look(CvmfsUrl.ofLayer(repository, layer)).filter(wanted);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private boolean isPaused(String repository) {
    Long failed = failedAtNanos.get(repository);
    return failed != null && nanoTime.getAsLong() - failed < PAUSE.toNanos();
  }

  private Optional<Found> look(CvmfsUrl url) {
    String repository = url.repository();
    String path = url.path();
    try (CvmfsRoots.Lease lease = roots.acquire(repository);
        Directory root = Directory.open(lease.root());
        Directory folder =
            root.openDirectory(
                RawName.of(path.substring(0, path.lastIndexOf('/'))), Resolution.BENEATH)) {
      failedAtNanos.remove(repository);
      // The directory itself: a link could lead to a layer of another digest.
      boolean isThere =
          folder
              .status(RawName.of(path.substring(path.lastIndexOf('/') + 1)))
              .map(FileStatus::isDirectory)
              .orElse(false);
      return isThere ? Optional.of(new Found(url, diffId(folder))) : Optional.empty();
    } catch (LinuxException.NotFound e) {
      failedAtNanos.remove(repository);
      return Optional.empty();
    } catch (LayersException.Cancelled e) {
      throw e;
    } catch (LayersException | LinuxException e) {
      failedAtNanos.put(repository, nanoTime.getAsLong());
      LOG.atWarn()
          .addKeyValue("repository", repository)
          .addKeyValue("reason", e.getMessage())
          .addKeyValue("pause", PAUSE)
          .log("a repository cannot be asked for layers; they are pulled");
      return Optional.empty();
    }
  }

  /** Source: docs/protocol/transactions.md, "Layout". */
  private static Optional<Digest> diffId(Directory folder) {
    Optional<FileStatus> link = folder.status(RawName.of(DIFF_ID));
    if (link.isEmpty() || link.get().type() != FileType.SYMLINK) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          Digest.parse(
              new String(folder.readLink(RawName.of(DIFF_ID)), StandardCharsets.ISO_8859_1)));
    } catch (ImageException.Rejected e) {
      return Optional.empty();
    }
  }
}
