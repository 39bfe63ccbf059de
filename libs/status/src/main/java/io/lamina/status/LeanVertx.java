package io.lamina.status;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;

/** Vert.x for processes that serve little. Stateless. */
public final class LeanVertx {
  private LeanVertx() {}

  /**
   * One event loop, and none of Vert.x' own files: nothing of them is used, and looking for them
   * takes time.
   */
  public static Vertx create() {
    return Vertx.vertx(
        new VertxOptions()
            .setEventLoopPoolSize(1)
            .setFileSystemOptions(
                new FileSystemOptions()
                    .setFileCachingEnabled(false)
                    .setClassPathResolvingEnabled(false)));
  }
}
