package io.lamina.node.commit;

import io.lamina.image.Digest;
import io.lamina.layers.LayersException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Looks whether a mounted repository has a layer. Stateless. */
final class ShownLayer {
  private ShownLayer() {}

  /**
   * Whether the layer is there with the diff id that it was verified against; one that another tool
   * published has none, and is not what was committed.
   *
   * @param root of the repository; may hang
   * @throws LayersException.Unavailable if the repository does not answer
   */
  static boolean isIn(Path root, Digest layer, Digest diffId, Duration patience)
      throws InterruptedException {
    // Source: docs/protocol/transactions.md, "Layout".
    Path folder = root.resolve(".layers").resolve(layer.prefix()).resolve(layer.hex());
    CompletableFuture<Boolean> answer = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .name("look-" + layer.prefix())
        .start(
            () -> {
              try {
                answer.complete(
                    Files.isDirectory(folder.resolve("layerfs"))
                        && Files.readSymbolicLink(folder.resolve("diff-id"))
                            .toString()
                            .equals(diffId.toString()));
              } catch (IOException | UnsupportedOperationException e) {
                answer.complete(false);
              } catch (RuntimeException e) { // the top of this thread
                answer.completeExceptionally(e);
              }
            });
    try {
      return answer.get(Math.max(1, patience.toMillis()), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new LayersException.Unavailable(
          "the repository at " + root + " did not answer within " + patience.toSeconds() + " s", e);
    } catch (ExecutionException e) {
      throw new LayersException.Unavailable(
          "the repository at " + root + " cannot be read: " + e.getCause(), e.getCause());
    }
  }
}
