package io.lamina.layers.overlay;

import io.lamina.layers.LayersException;
import io.lamina.linux.LinuxException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes removed layers, one after the other on its own thread. What it does not come to is
 * deleted when the folder is opened again. Thread-safe.
 */
final class TrashBin implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TrashBin.class);
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final LayerFiles files;
  private final ThreadPoolExecutor deleter;

  TrashBin(LayerFiles files) {
    this.files = files;
    // One short text waits for each removed layer: no more than the disk has held.
    this.deleter =
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("layer-trash").factory());
  }

  /** Does nothing once this is closed. */
  void add(String discarded) {
    if (!deleter.isShutdown()) {
      deleter.execute(() -> delete(discarded));
    }
  }

  private void delete(String discarded) {
    try {
      files.delete(discarded);
    } catch (LinuxException | LayersException e) {
      log.atWarn()
          .addKeyValue("layer", discarded)
          .addKeyValue("reason", e.getMessage())
          .log("a removed layer cannot be deleted now; it is tried again at the next start");
    }
  }

  /** Waits until all that was added is deleted, but not long. */
  void empty() {
    try {
      deleter.submit(() -> {}).get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException | RejectedExecutionException e) {
      log.atDebug().log("removed layers are still being deleted");
    }
  }

  @Override
  public void close() {
    deleter.shutdownNow();
    try {
      if (!deleter.awaitTermination(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        log.atInfo().log("a removed layer is still being deleted");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
