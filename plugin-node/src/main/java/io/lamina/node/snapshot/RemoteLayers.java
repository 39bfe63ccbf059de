package io.lamina.node.snapshot;

import io.lamina.image.Digest;
import io.lamina.image.thin.CvmfsUrl;
import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayersException;
import io.lamina.linux.Directory;
import io.lamina.linux.LinuxException;
import io.lamina.linux.RawName;
import io.lamina.linux.Resolution;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Layers that repositories hold. A repository that cannot be asked is left out for a while: a pull
 * must not fail or wait for it at each layer. Thread-safe.
 */
final class RemoteLayers {
  private static final Logger LOG = LoggerFactory.getLogger(RemoteLayers.class);
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

  /** Where the layer is; empty if no repository that can be asked has it. */
  Optional<CvmfsUrl> find(Digest layer) {
    for (String repository : repositories) {
      CvmfsUrl url = CvmfsUrl.ofLayer(repository, layer);
      if (!isPaused(repository) && isThere(url)) {
        return Optional.of(url);
      }
    }
    return Optional.empty();
  }

  private boolean isPaused(String repository) {
    Long failed = failedAtNanos.get(repository);
    return failed != null && nanoTime.getAsLong() - failed < PAUSE.toNanos();
  }

  private boolean isThere(CvmfsUrl url) {
    String repository = url.repository();
    try (CvmfsRoots.Lease lease = roots.acquire(repository);
        Directory root = Directory.open(lease.root());
        Directory layer = root.openDirectory(RawName.of(url.path()), Resolution.BENEATH)) {
      failedAtNanos.remove(repository);
      return layer.status().isDirectory();
    } catch (LinuxException.NotFound e) {
      failedAtNanos.remove(repository);
      return false;
    } catch (LayersException.Cancelled e) {
      throw e;
    } catch (LayersException | LinuxException e) {
      failedAtNanos.put(repository, nanoTime.getAsLong());
      LOG.atWarn()
          .addKeyValue("repository", repository)
          .addKeyValue("reason", e.getMessage())
          .addKeyValue("pause", PAUSE)
          .log("a repository cannot be asked for layers; they are pulled");
      return false;
    }
  }
}
