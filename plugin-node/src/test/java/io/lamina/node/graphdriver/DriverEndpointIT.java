package io.lamina.node.graphdriver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Vertx;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DriverEndpointIT {
  private static final DriverDeadlines LONG =
      new DriverDeadlines(Duration.ofSeconds(60), Duration.ofSeconds(60));

  @TempDir Path folder;
  private final Vertx vertx = Vertx.vertx();
  private Path socket = Path.of("unset");
  private @Nullable DriverEndpoint endpoint;

  @BeforeEach
  void name() {
    socket = folder.resolve("plugins/lamina.sock");
  }

  @AfterEach
  void stop() throws Exception {
    if (endpoint != null) {
      endpoint.close();
    }
    vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  private <D extends GraphDriver> D serve(D driver) {
    return serve(driver, LONG, 1024);
  }

  private <D extends GraphDriver> D serve(D driver, DriverDeadlines deadlines, int maxCalls) {
    endpoint = DriverEndpoint.start(vertx, driver, deadlines, maxCalls, socket);
    return driver;
  }

  @Test
  void isActivatedByARequestWithoutHostOrContentType() throws Exception {
    serve(new FakeDriver());

    try (RawCalls calls = new RawCalls(socket)) {
      calls.head("/Plugin.Activate", "Content-Length: 0");
      RawCalls.Answer answer = calls.answer();

      assertThat(answer.status()).isEqualTo(200);
      assertThat(new String(answer.body())).isEqualTo("{\"Implements\":[\"GraphDriver\"]}");
    }
  }

  @Test
  void saysInTheNestedFormThatArchivesAreNotTheSameBytesAgain() throws Exception {
    serve(new FakeDriver());

    try (RawCalls calls = new RawCalls(socket)) {
      assertThat(new String(calls.call("Capabilities", "{}").body()))
          .isEqualTo("{\"Capabilities\":{\"ReproducesExactDiffs\":false}}");
    }
  }

  @Test
  void answersEachCallOnOneConnection() throws Exception {
    FakeDriver driver = serve(new FakeDriver());
    driver.layers.put("a", new byte[7]);

    try (RawCalls calls = new RawCalls(socket)) {
      assertThat(
              calls
                  .call("Init", "{\"Home\":\"/h\",\"Opts\":null,\"UIDMaps\":null,\"GIDMaps\":null}")
                  .body())
          .asString()
          .isEqualTo("{}");
      assertThat(calls.call("Create", "{\"ID\":\"b\",\"Parent\":\"a\"}").body())
          .asString()
          .isEqualTo("{}");
      assertThat(calls.call("CreateReadWrite", "{\"ID\":\"c\",\"StorageOpt\":{}}").body())
          .asString()
          .isEqualTo("{}");
      assertThat(calls.call("Exists", "{\"ID\":\"c\"}").body())
          .asString()
          .isEqualTo("{\"Exists\":true}");
      assertThat(calls.call("Get", "{\"ID\":\"c\"}").body())
          .asString()
          .isEqualTo("{\"Dir\":\"/layers/c\"}");
      assertThat(calls.call("Put", "{\"ID\":\"c\"}").body()).asString().isEqualTo("{}");
      assertThat(calls.call("Remove", "{\"ID\":\"c\"}").body()).asString().isEqualTo("{}");
      assertThat(calls.call("Status", "{}").body())
          .asString()
          .isEqualTo("{\"Status\":[[\"Layers\",\"2\"]]}");
      assertThat(calls.call("GetMetadata", "{\"ID\":\"a\"}").body())
          .asString()
          .isEqualTo("{\"Metadata\":{\"UpperDir\":\"/layers/a\"}}");
      assertThat(calls.call("DiffSize", "{\"ID\":\"a\"}").body())
          .asString()
          .isEqualTo("{\"Size\":7}");
      assertThat(calls.call("Changes", "{\"ID\":\"a\"}").json().toString())
          .isEqualTo(
              "{\"Changes\":[{\"Path\":\"/etc\",\"Kind\":0},{\"Path\":\"/etc/ünlesbar\\u0001\\\"\","
                  + "\"Kind\":1},{\"Path\":\"/gone\",\"Kind\":2}]}");
      assertThat(calls.call("Cleanup", "{}").body()).asString().isEqualTo("{}");
      assertThat(driver.sessions)
          .containsExactly(new Session("/h", List.of(), List.of(), List.of()));
    }
  }

  @Test
  void outlivesConnectionsThatSayNothing() throws Exception {
    serve(new FakeDriver());

    for (int i = 0; i < 50; i++) {
      new RawCalls(socket).close();
    }

    try (RawCalls calls = new RawCalls(socket)) {
      assertThat(calls.call("Status", "{}").status()).isEqualTo(200);
    }
  }

  @Test
  void servesTwoHundredConnectionsAtOnce() throws Exception {
    FakeDriver driver = serve(new FakeDriver());
    driver.layers.put("a", new byte[0]);
    List<RawCalls> open = new ArrayList<>();

    for (int i = 0; i < 200; i++) {
      RawCalls calls = new RawCalls(socket);
      open.add(calls);
      byte[] body = "{\"ID\":\"a\"}".getBytes();
      calls.head("/GraphDriver.Get", "Content-Length: " + body.length);
      calls.send(body);
    }

    for (RawCalls calls : open) {
      assertThat(calls.answer().json().path("Dir").asText()).isEqualTo("/layers/a");
      calls.close();
    }
    assertThat(driver.uses.get("a")).hasValue(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Init",
        "Create",
        "CreateReadWrite",
        "Remove",
        "Get",
        "Put",
        "Exists",
        "GetMetadata",
        "Diff",
        "Changes",
        "DiffSize"
      })
  void refusesACallThatIsRepeatedWithoutItsBody(String method) throws Exception {
    FakeDriver driver = serve(new FakeDriver());
    driver.layers.put("a", new byte[0]);

    try (RawCalls calls = new RawCalls(socket)) {
      RawCalls.Answer answer = calls.call(method, "");

      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.error()).contains(method, "without its body", "run the command again");
      assertThat(driver.layers).containsOnlyKeys("a");
      assertThat(driver.calls).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"ID\":\"\"}",
        "{\"ID\":null}",
        "{\"ID\":7}",
        "{\"ID\":\"a\",\"ID\":\"b\"}",
        "{\"ID\":\"a\"} {}",
        "{\"ID\":\"a\",\"Parent\":[]}",
        "{\"ID\":\"a\",\"StorageOpt\":[\"size\"]}",
        "{\"ID\":\"a\",\"StorageOpt\":{\"size\":1}}",
        "[\"a\"]",
        "nonsense"
      })
  void refusesABodyThatIsNotOfTheProtocol(String body) throws Exception {
    FakeDriver driver = serve(new FakeDriver());

    try (RawCalls calls = new RawCalls(socket)) {
      RawCalls.Answer answer = calls.call("CreateReadWrite", body);

      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.error()).startsWith("CreateReadWrite: ");
      assertThat(driver.calls).isEmpty();
    }
  }

  @Test
  void refusesADeepAndALongBodyAndGoesOnWithTheConnection() throws Exception {
    serve(new FakeDriver());

    try (RawCalls calls = new RawCalls(socket)) {
      assertThat(calls.call("Get", "{\"ID\":" + "[".repeat(10_000)).status()).isEqualTo(400);
      RawCalls.Answer tooLong =
          calls.call("Get", "{\"ID\":\"" + "a".repeat(RequestJson.MAX_BYTES) + "\"}");
      assertThat(tooLong.status()).isEqualTo(400);
      assertThat(tooLong.error()).contains("longer than " + RequestJson.MAX_BYTES);
      assertThat(calls.call("Status", "{}").status()).isEqualTo(200);
    }
  }

  @Test
  void refusesCallsThatDoNotExist() throws Exception {
    serve(new FakeDriver());

    try (RawCalls calls = new RawCalls(socket)) {
      assertThat(calls.call("Explode", "{}").status()).isEqualTo(404);
      calls.send("GET /GraphDriver.Get HTTP/1.1\r\nHost: \r\n\r\n".getBytes());
      assertThat(calls.answer().status()).isEqualTo(405);
    }
  }

  @Test
  void showsTheReasonOfARefusalAsItIs() throws Exception {
    serve(new FakeDriver());

    try (RawCalls calls = new RawCalls(socket)) {
      RawCalls.Answer answer = calls.call("Get", "{\"ID\":\"x\"}");

      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.error()).isEqualTo("no layer 'x'");
    }
  }

  @Test
  void appliesAnArchiveOfManyParts() throws Exception {
    FakeDriver driver = serve(new FakeDriver());
    byte[] archive = new byte[9_000_001];
    new Random(7).nextBytes(archive);

    try (RawCalls calls = new RawCalls(socket)) {
      calls.head("/GraphDriver.ApplyDiff?id=a&parent=", "Transfer-Encoding: chunked");
      for (int at = 0; at < archive.length; at += 100_000) {
        calls.chunk(
            java.util.Arrays.copyOfRange(archive, at, Math.min(archive.length, at + 100_000)));
      }
      calls.lastChunk();

      assertThat(new String(calls.answer().body())).isEqualTo("{\"Size\":9000001}");
      assertThat(driver.layers.get("a")).isEqualTo(archive);
    }
  }

  @Test
  void appliesAnArchiveWithoutABody() throws Exception {
    FakeDriver driver = serve(new FakeDriver());

    try (RawCalls calls = new RawCalls(socket)) {
      calls.head("/GraphDriver.ApplyDiff?id=a&parent=", "Transfer-Encoding: chunked");
      calls.lastChunk();

      assertThat(new String(calls.answer().body())).isEqualTo("{\"Size\":0}");
      assertThat(driver.layers.get("a")).isEmpty();
    }
  }

  /** Tells how applying ended. */
  private static final class Watching extends FakeDriver {
    final CompletableFuture<Long> applied = new CompletableFuture<>();

    @Override
    public long applyDiff(String id, @Nullable String parent, InputStream archive)
        throws IOException {
      try {
        long size = super.applyDiff(id, parent, archive);
        applied.complete(size);
        return size;
      } catch (IOException e) {
        applied.completeExceptionally(e);
        throw e;
      }
    }
  }

  @Test
  void neverTakesAnArchiveThatBrokeOffForACompleteOne() throws Exception {
    Watching driver = serve(new Watching());

    try (RawCalls calls = new RawCalls(socket)) {
      calls.head("/GraphDriver.ApplyDiff?id=a&parent=", "Transfer-Encoding: chunked");
      calls.chunk(new byte[10_240]);
    }

    assertThatThrownBy(() -> driver.applied.get(20, TimeUnit.SECONDS))
        .hasCauseInstanceOf(IOException.class)
        .hasMessageContaining("broke the archive off");
    assertThat(driver.layers).isEmpty();
  }

  @Test
  void readsARefusedArchiveToItsEndSoThatTheReasonArrives() throws Exception {
    serve(
        new FakeDriver() {
          @Override
          public long applyDiff(String id, @Nullable String parent, InputStream archive) {
            throw new DriverException.Refused("the first header is wrong");
          }
        });

    try (RawCalls calls = new RawCalls(socket)) {
      calls.head("/GraphDriver.ApplyDiff?id=a&parent=", "Transfer-Encoding: chunked");
      for (int i = 0; i < 100; i++) {
        calls.chunk(new byte[100_000]);
      }
      calls.lastChunk();

      assertThat(calls.answer().error()).isEqualTo("the first header is wrong");
      assertThat(calls.call("Status", "{}").status()).isEqualTo(200);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "?id=", "?parent=a", "?id=a&id=b&parent="})
  void refusesAnArchiveForNoLayerOrForTwo(String query) throws Exception {
    FakeDriver driver = serve(new FakeDriver());

    try (RawCalls calls = new RawCalls(socket)) {
      calls.head("/GraphDriver.ApplyDiff" + query, "Transfer-Encoding: chunked");
      calls.lastChunk();

      assertThat(calls.answer().status()).isEqualTo(400);
      assertThat(driver.layers).isEmpty();
    }
  }

  @Test
  void slowsTheEngineDownWhileAnArchiveIsNotTaken() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    serve(
        new FakeDriver() {
          @Override
          public long applyDiff(String id, @Nullable String parent, InputStream archive)
              throws IOException {
            try {
              gate.await();
            } catch (InterruptedException e) {
              throw new IOException(e);
            }
            return archive.skip(Long.MAX_VALUE);
          }
        });
    AtomicLong sent = new AtomicLong();
    int parts = 1000;

    try (RawCalls calls = new RawCalls(socket);
        ExecutorService sender = Executors.newSingleThreadExecutor()) {
      Future<?> sending =
          sender.submit(
              () -> {
                calls.head("/GraphDriver.ApplyDiff?id=a&parent=", "Transfer-Encoding: chunked");
                for (int i = 0; i < parts; i++) {
                  calls.chunk(new byte[64 << 10]);
                  sent.addAndGet(64 << 10);
                }
                calls.lastChunk();
                return null;
              });
      assertThatThrownBy(() -> sending.get(1, TimeUnit.SECONDS))
          .isInstanceOf(java.util.concurrent.TimeoutException.class);
      long held = sent.get();
      gate.countDown();
      sending.get(30, TimeUnit.SECONDS);

      assertThat(held).isBetween(1L, 8L << 20);
      assertThat(calls.answer().json().path("Size").asLong()).isEqualTo((64L << 10) * parts);
    }
  }

  @Test
  void sendsAnArchiveAsOneCompleteBody() throws Exception {
    FakeDriver driver = serve(new FakeDriver());
    byte[] archive = new byte[5_000_000];
    new Random(8).nextBytes(archive);
    driver.layers.put("a", archive);
    driver.layers.put("empty", new byte[0]);

    try (RawCalls calls = new RawCalls(socket)) {
      assertThat(calls.call("Diff", "{\"ID\":\"a\",\"Parent\":\"b\"}").body()).isEqualTo(archive);
      assertThat(calls.call("Diff", "{\"ID\":\"empty\"}").body()).isEmpty();
    }
  }

  @Test
  void refusesAnArchiveWithAStatusBeforeItsFirstByte() throws Exception {
    serve(
        new FakeDriver() {
          @Override
          public void diff(String id, @Nullable String parent, OutputStream archive)
              throws IOException {
            archive.write(new byte[512]);
            throw new DriverException.Refused("the layer is damaged");
          }
        });

    try (RawCalls calls = new RawCalls(socket)) {
      RawCalls.Answer answer = calls.call("Diff", "{\"ID\":\"a\"}");

      assertThat(answer.status()).isEqualTo(500);
      assertThat(answer.error()).isEqualTo("the layer is damaged");
      assertThat(calls.call("Status", "{}").status()).isEqualTo(200);
    }
  }

  @Test
  void breaksAnArchiveOffThatFailsInTheMiddle() throws Exception {
    serve(
        new FakeDriver() {
          @Override
          public void diff(String id, @Nullable String parent, OutputStream archive)
              throws IOException {
            archive.write(new byte[1 << 20]);
            throw new IllegalStateException("the disk is gone");
          }
        });

    try (RawCalls calls = new RawCalls(socket)) {
      assertThatThrownBy(() -> calls.call("Diff", "{\"ID\":\"a\"}"))
          .isInstanceOf(EOFException.class);
    }
  }

  @Test
  void stopsWritingAnArchiveThatNobodyReads() throws Exception {
    CompletableFuture<Throwable> ended = new CompletableFuture<>();
    serve(
        new FakeDriver() {
          @Override
          public void diff(String id, @Nullable String parent, OutputStream archive)
              throws IOException {
            try {
              for (; ; ) {
                archive.write(new byte[64 << 10]);
              }
            } catch (IOException e) {
              ended.complete(e);
              throw e;
            }
          }
        });

    try (RawCalls calls = new RawCalls(socket)) {
      byte[] body = "{\"ID\":\"a\"}".getBytes();
      calls.head("/GraphDriver.Diff", "Content-Length: " + body.length);
      calls.send(body);
      calls.answerHead();
      calls.nextChunk();
    }

    assertThat(ended.get(20, TimeUnit.SECONDS)).hasMessageContaining("stopped reading");
  }

  /** An engine that commits feeds one call's archive into another's. */
  @Test
  void pipesManyArchivesIntoNewLayersAtOnce() throws Exception {
    FakeDriver driver = serve(new FakeDriver());
    byte[] archive = new byte[1_500_000];
    new Random(9).nextBytes(archive);
    driver.layers.put("a", archive);
    int commits = 100;
    CountDownLatch allOpen = new CountDownLatch(commits);

    try (ExecutorService engine = Executors.newCachedThreadPool()) {
      List<Future<Long>> sizes = new ArrayList<>();
      for (int i = 0; i < commits; i++) {
        String fresh = "n" + i;
        sizes.add(engine.submit(() -> commit(fresh, allOpen)));
      }
      for (Future<Long> size : sizes) {
        assertThat(size.get(60, TimeUnit.SECONDS)).isEqualTo(archive.length);
      }
    }
    assertThat(driver.layers).hasSize(commits + 1);
  }

  private long commit(String fresh, CountDownLatch allOpen) throws Exception {
    try (RawCalls diff = new RawCalls(socket);
        RawCalls apply = new RawCalls(socket)) {
      byte[] body = "{\"ID\":\"a\"}".getBytes();
      diff.head("/GraphDriver.Diff", "Content-Length: " + body.length);
      diff.send(body);
      assertThat(diff.answerHead().status()).isEqualTo(200);
      allOpen.countDown();
      allOpen.await();
      assertThat(apply.call("Create", "{\"ID\":\"" + fresh + "\"}").error()).isEmpty();
      apply.head("/GraphDriver.ApplyDiff?id=" + fresh + "&parent=", "Transfer-Encoding: chunked");
      for (byte[] chunk = diff.nextChunk(); chunk.length > 0; chunk = diff.nextChunk()) {
        apply.chunk(chunk);
      }
      apply.lastChunk();
      return apply.answer().json().path("Size").asLong();
    }
  }

  @Test
  void sendsMoreChangesThanFitIntoOnePart() throws Exception {
    serve(
        new FakeDriver() {
          @Override
          public void changes(String id, @Nullable String parent, Consumer<Change> changes) {
            for (int i = 0; i < 100_000; i++) {
              changes.accept(new Change("/file-" + i, ChangeKind.ADDED));
            }
          }
        });

    try (RawCalls calls = new RawCalls(socket)) {
      assertThat(calls.call("Changes", "{\"ID\":\"a\"}").json().path("Changes")).hasSize(100_000);
    }
  }

  @Test
  void answersAHungMountAtItsDeadlineAndGivesItBackWhenItComesLate() throws Exception {
    CountDownLatch hung = new CountDownLatch(1);
    FakeDriver driver =
        serve(
            new FakeDriver() {
              @Override
              public String get(String id, @Nullable String mountLabel) {
                boolean late = false;
                while (hung.getCount() > 0) {
                  try {
                    hung.await();
                  } catch (InterruptedException e) {
                    late = true; // as a system call that cannot be interrupted
                  }
                }
                assertThat(late).isTrue();
                return super.get(id, mountLabel);
              }
            },
            new DriverDeadlines(Duration.ofMillis(200), Duration.ofSeconds(60)),
            64);
    driver.layers.put("a", new byte[0]);

    try (RawCalls calls = new RawCalls(socket)) {
      assertThat(calls.call("Get", "{\"ID\":\"a\"}").error()).startsWith("Get took longer than");
      assertThat(calls.call("Exists", "{\"ID\":\"a\"}").json().path("Exists").asBoolean()).isTrue();
      hung.countDown();

      assertThat(driver.calls.poll(20, TimeUnit.SECONDS)).isEqualTo("put a");
      assertThat(driver.uses.get("a")).hasValue(0);
    }
  }

  @Test
  void answersAnArchiveThatHangsBeforeItsFirstByte() throws Exception {
    CountDownLatch hung = new CountDownLatch(1);
    serve(
        new FakeDriver() {
          @Override
          public void diff(String id, @Nullable String parent, OutputStream archive)
              throws IOException {
            try {
              hung.await();
            } catch (InterruptedException e) {
              throw new IOException(e);
            }
            archive.write(new byte[1 << 20]);
          }
        },
        new DriverDeadlines(Duration.ofMillis(200), Duration.ofSeconds(60)),
        64);

    try (RawCalls calls = new RawCalls(socket)) {
      RawCalls.Answer answer = calls.call("Diff", "{\"ID\":\"a\"}");
      hung.countDown();

      assertThat(answer.status()).isEqualTo(500);
      assertThat(answer.error()).contains("had nothing to send");
      assertThat(calls.call("Status", "{}").status()).isEqualTo(200);
    }
  }

  @Test
  void refusesCallsAboveTheBound() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    CountDownLatch entered = new CountDownLatch(2);
    serve(
        new FakeDriver() {
          @Override
          public void cleanup() {
            entered.countDown();
            try {
              gate.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }
        },
        LONG,
        2);

    try (RawCalls first = new RawCalls(socket);
        RawCalls second = new RawCalls(socket);
        RawCalls third = new RawCalls(socket)) {
      first.head("/GraphDriver.Cleanup", "Content-Length: 0");
      second.head("/GraphDriver.Cleanup", "Content-Length: 0");
      entered.await();

      assertThat(third.call("Status", "{}").error()).contains("2 calls are under way");
      gate.countDown();
      assertThat(first.answer().status()).isEqualTo(200);
      assertThat(second.answer().status()).isEqualTo(200);
    }
  }

  @Test
  void replacesTheSocketOfADeadProcessAndRemovesItsOwn() throws Exception {
    Files.createDirectories(socket.getParent());
    ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    dead.bind(UnixDomainSocketAddress.of(socket));
    dead.close();
    assertThat(socket).exists();

    DriverEndpoint served = DriverEndpoint.start(vertx, new FakeDriver(), LONG, 16, socket);
    try (RawCalls calls = new RawCalls(socket)) {
      assertThat(calls.call("Status", "{}").status()).isEqualTo(200);
    }
    served.close();

    assertThat(socket).doesNotExist();
  }

  @Test
  void makesAFolderThatOnlyItsUserMayUse() throws Exception {
    serve(new FakeDriver());

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket.getParent())))
        .isEqualTo("rwx------");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
        .isEqualTo("rw-------");
  }

  @Test
  void leavesASocketAloneThatAnotherProcessServes() {
    serve(new FakeDriver());

    assertThatThrownBy(() -> DriverEndpoint.start(vertx, new FakeDriver(), LONG, 16, socket))
        .isInstanceOf(DriverException.Fatal.class)
        .hasMessageContaining("another process serves");
    assertThat(socket).exists();
  }

  @Test
  void leavesAFileAloneThatIsNoSocket() throws Exception {
    Files.createDirectories(socket.getParent());
    Files.writeString(socket, "precious");

    assertThatThrownBy(() -> DriverEndpoint.start(vertx, new FakeDriver(), LONG, 16, socket))
        .isInstanceOf(DriverException.Fatal.class)
        .hasMessageContaining("is no socket");
    assertThat(socket).hasContent("precious");
  }

  @Test
  void refusesAFolderThatOthersMayWrite() throws Exception {
    Path open = Files.createDirectory(folder.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));

    assertThatThrownBy(
            () ->
                DriverEndpoint.start(
                    vertx, new FakeDriver(), LONG, 16, open.resolve("lamina.sock")))
        .isInstanceOf(DriverException.Fatal.class)
        .hasMessageContaining("others may write");
  }
}
