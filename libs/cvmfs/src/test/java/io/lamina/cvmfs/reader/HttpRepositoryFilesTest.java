package io.lamina.cvmfs.reader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.Fixture;
import io.lamina.cvmfs.signing.MasterKeys;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpRepositoryFilesTest {
  private final Map<String, byte[]> files = Fixture.files();
  private final CountDownLatch done = new CountDownLatch(1);
  private HttpServer server;

  HttpRepositoryFilesTest() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
  }

  @BeforeEach
  void start() {
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/cvmfs/fixture.lamina.test/", this::serve);
    server.createContext("/moved/", this::redirect);
    server.createContext("/broken/", exchange -> answer(exchange, 503));
    server.createContext("/refused/", exchange -> answer(exchange, 401));
    server.createContext("/stalled/", this::stall);
    server.createContext("/cut/", this::cut);
    server.start();
  }

  @AfterEach
  void stop() {
    done.countDown();
    server.stop(0);
  }

  @Test
  void readsAWholeRepositoryFromAWebServer() {
    ReaderSettings settings =
        ReaderSettings.of(Fixture.NAME, MasterKeys.parse(Fixture.publicKey()), Fixture.CLOCK);

    try (RepositoryFiles http = files("/cvmfs/fixture.lamina.test/");
        RepositoryReader reader = RepositoryReader.open(http, settings)) {
      assertThat(Listing.of(reader))
          .containsExactlyElementsOf(
              new String(Fixture.resource("listing.jsonl"), StandardCharsets.UTF_8)
                  .lines()
                  .toList());
    }
  }

  @Test
  void tellsMissingFilesFromPresentOnes() {
    try (RepositoryFiles http = files("/cvmfs/fixture.lamina.test")) {
      assertThat(http.exists(".cvmfspublished")).isTrue();
      assertThat(http.exists("data/00/none")).isFalse();
      assertThatThrownBy(() -> http.open("data/00/none"))
          .isInstanceOf(CvmfsException.NotFound.class)
          .hasMessageContaining("/data/00/none answered with status 404");
    }
  }

  @Test
  void doesNotFollowRedirects() {
    try (RepositoryFiles http = files("/moved")) {
      assertThatThrownBy(() -> http.open("x"))
          .isInstanceOf(CvmfsException.Rejected.class)
          .hasMessageContaining("redirect to http://example.org/elsewhere");
    }
  }

  @Test
  void tellsPassingFailuresFromRefusals() {
    try (RepositoryFiles broken = files("/broken");
        RepositoryFiles refused = files("/refused")) {
      assertThatThrownBy(() -> broken.open("x")).isInstanceOf(CvmfsException.Retryable.class);
      assertThatThrownBy(() -> broken.exists("x")).isInstanceOf(CvmfsException.Retryable.class);
      assertThatThrownBy(() -> refused.open("x")).isInstanceOf(CvmfsException.Rejected.class);
    }
  }

  @Test
  void givesUpOnAServerThatStallsInTheMiddleOfAFile() throws Exception {
    try (RepositoryFiles http = files("/stalled", Duration.ofMillis(300));
        InputStream in = http.open("x")) {
      assertThat(in.readNBytes(5)).hasSize(5);
      assertThatThrownBy(in::read)
          .isInstanceOf(HttpTimeoutException.class)
          .hasMessageContaining("sent nothing for 300 ms");
    }
  }

  @Test
  void reportsAnAnswerThatIsCutShort() throws Exception {
    try (RepositoryFiles http = files("/cut");
        InputStream in = http.open("x")) {
      assertThatThrownBy(in::readAllBytes).isInstanceOf(IOException.class);
    }
  }

  @Test
  void reportsAServerThatIsNotThere() {
    server.stop(0);

    try (RepositoryFiles http = files("/cvmfs")) {
      assertThatThrownBy(() -> http.open("x")).isInstanceOf(CvmfsException.Retryable.class);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ftp://host/x", "file:///tmp", "/tmp/x", "http:///x", "http://h/x?y=z"})
  void refusesWhatIsNoWebAddress(String address) {
    assertThatThrownBy(() -> new HttpRepositoryFiles(URI.create(address), Duration.ofSeconds(1)))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("not the address of a repository");
  }

  private HttpRepositoryFiles files(String path) {
    return files(path, Duration.ofSeconds(20));
  }

  private HttpRepositoryFiles files(String path, Duration timeout) {
    InetSocketAddress address = server.getAddress();
    return new HttpRepositoryFiles(
        URI.create("http://127.0.0.1:" + address.getPort() + path), timeout);
  }

  private void serve(HttpExchange exchange) throws IOException {
    String prefix = exchange.getHttpContext().getPath();
    byte[] content = files.get(exchange.getRequestURI().getPath().substring(prefix.length()));
    if (content == null) {
      answer(exchange, 404);
      return;
    }
    boolean head = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(200, head || content.length == 0 ? -1 : content.length);
    try (exchange) {
      if (!head) {
        exchange.getResponseBody().write(content);
      }
    }
  }

  private void redirect(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().add("Location", "http://example.org/elsewhere");
    answer(exchange, 302);
  }

  private static void answer(HttpExchange exchange, int status) throws IOException {
    exchange.sendResponseHeaders(status, -1);
    exchange.close();
  }

  private void stall(HttpExchange exchange) throws IOException {
    exchange.sendResponseHeaders(200, 1000);
    exchange.getResponseBody().write("start".getBytes(StandardCharsets.US_ASCII));
    exchange.getResponseBody().flush();
    try {
      done.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void cut(HttpExchange exchange) throws IOException {
    exchange.sendResponseHeaders(200, 1000);
    exchange.getResponseBody().write("start".getBytes(StandardCharsets.US_ASCII));
    exchange.getResponseBody().flush();
    exchange.close();
  }
}
