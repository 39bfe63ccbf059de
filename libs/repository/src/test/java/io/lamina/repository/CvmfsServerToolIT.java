package io.lamina.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.lamina.storage.InMemoryObjectStore;
import io.lamina.storage.LocalObjectStore;
import io.lamina.storage.ObjectStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/**
 * The contract on the original tool. Needs root, overlayfs, FUSE, and {@code cvmfs_server} with all
 * that it needs itself; it makes and removes a repository for each test.
 */
@Tag("root")
class CvmfsServerToolIT extends ReleaseManagerContract {
  private static final Path TOOL = Path.of("/usr/bin/cvmfs_server");
  private static final Path SERVED = Path.of("/srv");
  private static final Path STORAGE = SERVED.resolve("cvmfs").resolve(TestRepository.NAME.value());

  private final ObjectStore store = new InMemoryObjectStore(TestRepository.CLOCK);
  private final Path folder;
  private FaultyStore faulty = new FaultyStore(store);
  private @Nullable HttpServer web;
  private @Nullable ObjectStore published;

  CvmfsServerToolIT(@TempDir Path folder) {
    this.folder = folder;
  }

  @BeforeEach
  void makeRepository() throws Exception {
    assumeTrue(Files.isExecutable(TOOL), TOOL + " is not installed");
    assumeTrue(
        "root".equals(System.getProperty("user.name")), "cvmfs_server mkfs is only for root");
    assumeTrue(!Files.exists(STORAGE), STORAGE + " is somebody's already");
    Files.createDirectories(SERVED.resolve("cvmfs"));
    web = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    web.createContext("/", CvmfsServerToolIT::serve);
    web.start();
    Run made =
        run(
            "mkfs",
            "-p",
            "-w",
            "http://127.0.0.1:" + web.getAddress().getPort() + "/cvmfs/" + TestRepository.NAME,
            "-o",
            "root",
            "-f",
            "overlayfs",
            TestRepository.NAME.value());
    if (made.exitCode() != 0) {
      run("rmfs", "-f", TestRepository.NAME.value());
    }
    assumeTrue(made.exitCode() == 0, "cvmfs_server mkfs does not work here: " + made.output());

    TestRepository.create(store);
    TestRepository.keys().save(Files.createDirectory(folder.resolve("our-keys")));
    published =
        LocalObjectStore.open(
            STORAGE, LocalObjectStore.Settings.STANDARD, Clock.systemUTC(), new Random(1));
    Files.writeString(wrapper(), wrapperScript());
    Files.setPosixFilePermissions(wrapper(), PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @AfterEach
  void removeRepository() throws Exception {
    if (published != null) {
      published.close();
      Run checked = run("check", TestRepository.NAME.value());
      Run removed = run("rmfs", "-f", TestRepository.NAME.value());
      assertThat(checked.exitCode()).as(checked.output()).isZero();
      assertThat(removed.exitCode()).as(removed.output()).isZero();
    }
    if (web != null) {
      web.stop(0);
    }
  }

  /** Files whose names start with a dot too, unlike the JDK's own file server. */
  private static void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      Path file = SERVED.resolve(exchange.getRequestURI().getPath().substring(1)).normalize();
      if (!file.startsWith(SERVED) || !Files.isRegularFile(file)) {
        exchange.sendResponseHeaders(404, -1);
      } else if (exchange.getRequestMethod().equals("HEAD")) {
        exchange.sendResponseHeaders(200, -1);
      } else {
        byte[] bytes = Files.readAllBytes(file);
        exchange.sendResponseHeaders(200, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
      }
    }
  }

  private record Run(int exitCode, String output) {}

  private Run run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(TOOL.toString()));
    command.addAll(List.of(arguments));
    Path output = Files.createTempFile(folder, "output", "");
    Process process =
        new ProcessBuilder(command)
            .directory(Path.of("/").toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
    return new Run(process.exitValue(), Files.readString(output));
  }

  private Path wrapper() {
    return folder.resolve("tool");
  }

  /** The tool, but for one ingest whose archive is cut off while the tool reads it. */
  private String wrapperScript() {
    return """
        #!/bin/sh
        if [ "$1" = ingest ] && [ -e '%1$s/cut' ]; then
          rm '%1$s/cut'
          truncate -s 1500 "$3"
        fi
        exec %2$s "$@"
        """
        .formatted(folder, TOOL);
  }

  @Override
  protected PublisherBackend open() {
    faulty = new FaultyStore(store);
    RepositoryDefinition.Backend.CvmfsServer standard =
        RepositoryDefinition.Backend.CvmfsServer.standard(TestRepository.NAME);
    return TestRepository.following(
        faulty,
        folder,
        new RepositoryDefinition.Backend.CvmfsServer(
            standard.read(),
            standard.publicKey(),
            wrapper(),
            standard.mount(),
            standard.spool(),
            Duration.ofMinutes(2),
            false),
        Clock.systemUTC());
  }

  @Override
  protected ObjectStore staging() {
    return store;
  }

  @Override
  protected ObjectStore published() {
    return Objects.requireNonNull(published);
  }

  @Override
  protected void failNextTransaction() {
    try {
      Files.createFile(folder.resolve("cut"));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  protected void letOthersStandInTheWay() {
    mustRun("transaction", TestRepository.NAME.value());
  }

  @Override
  protected void letOthersGoAway() {
    mustRun("abort", "-f", TestRepository.NAME.value());
  }

  private void mustRun(String... arguments) {
    try {
      Run run = run(arguments);
      assertThat(run.exitCode()).as(run.output()).isZero();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  protected void dieAfterNextCommit() {
    faulty.before(
        RepositoryFiles.MANIFEST,
        () -> {
          throw new FaultyStore.Killed();
        });
  }
}
