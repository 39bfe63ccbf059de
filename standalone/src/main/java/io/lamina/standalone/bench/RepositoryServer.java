package io.lamina.standalone.bench;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Where a measured repository is fetched: elsewhere, or a folder that is served on loopback. */
final class RepositoryServer implements AutoCloseable {
  private static final long WAIT_SECONDS = 30;
  private static final Pattern FILE =
      Pattern.compile("/(\\.cvmfs[a-z]+|data/[0-9a-f]{2}/[0-9a-f]+(-[a-z0-9]+)?[A-Z]?)");

  private final String address;
  private final @Nullable Vertx vertx;

  private RepositoryServer(String address, @Nullable Vertx vertx) {
    this.address = address;
    this.vertx = vertx;
  }

  /**
   * @param source web address or folder
   */
  static RepositoryServer of(String source) {
    if (source.startsWith("http:") || source.startsWith("https:")) {
      return new RepositoryServer(source, null);
    }
    Path folder = Path.of(source);
    Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    try {
      HttpServer server =
          vertx
              .createHttpServer()
              .requestHandler(request -> answer(request, folder))
              .listen(0, InetAddress.getLoopbackAddress().getHostAddress())
              .await(WAIT_SECONDS, TimeUnit.SECONDS);
      return new RepositoryServer("http://127.0.0.1:" + server.actualPort(), vertx);
    } catch (TimeoutException | RuntimeException e) {
      vertx.close();
      throw new BenchmarkException("cannot serve " + folder + " on loopback: " + e);
    }
  }

  private static void answer(HttpServerRequest request, Path folder) {
    Optional<Path> file =
        FILE.matcher(request.path()).matches()
            ? Optional.of(folder.resolve(request.path().substring(1)))
            : Optional.empty();
    file.filter(Files::isRegularFile)
        .ifPresentOrElse(
            found -> request.response().sendFile(found.toString()),
            () -> request.response().setStatusCode(404).end());
  }

  String address() {
    return address;
  }

  @Override
  public void close() {
    if (vertx != null) {
      try {
        vertx.close().await(WAIT_SECONDS, TimeUnit.SECONDS);
      } catch (TimeoutException e) {
        throw new BenchmarkException("the loopback server does not end");
      }
    }
  }
}
