package io.lamina.image.testing;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.manifest.MediaTypes;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;

/**
 * The reference registry (Debian's docker-registry package) on a loopback port of its own choice.
 * Close it to stop the process; its folder belongs to the caller.
 */
public final class ReferenceRegistry implements AutoCloseable {
  /** The user that {@link #basicAuth} knows. */
  public static final String USER = "alice";

  /** That user's password; with a colon, since those are easily cut. */
  public static final String PASSWORD = "open:sesame";

  private static final String HTPASSWD =
      USER + ":$2b$04$x7INe0nGuWcZMOKSdL5d/u94Izthk/q/TyQ4vy2U9shXCl/ueQ6GW\n";

  private static final Pattern LISTENING = Pattern.compile("listening on 127\\.0\\.0\\.1:(\\d+)");

  private final Process process;
  private final int port;

  private ReferenceRegistry(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /** Skips the test with the reason where the registry is not installed. */
  public static void assumeInstalled() {
    boolean isInstalled = program().isPresent();
    if (!isInstalled) {
      System.out.println(
          "SKIPPED: docker-registry is not installed (apt-get install docker-registry)");
    }
    Assumptions.assumeTrue(
        isInstalled, "docker-registry is not installed (apt-get install docker-registry)");
  }

  private static Optional<Path> program() {
    return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(":"))
        .map(folder -> Path.of(folder, "docker-registry"))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** One that anybody may pull from and push to. */
  public static ReferenceRegistry start(Path folder) {
    return start(folder, "", "");
  }

  /** One that wants user and password. */
  public static ReferenceRegistry basicAuth(Path folder) {
    Path passwords = folder.resolve("htpasswd");
    try {
      Files.writeString(passwords, HTPASSWD);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return start(folder, "", "auth:\n  htpasswd:\n    realm: test\n    path: " + passwords + "\n");
  }

  /**
   * @param http further lines of the http section, indented by two
   * @param more further sections, such as auth, or nothing
   */
  public static ReferenceRegistry start(Path folder, String http, String more) {
    try {
      Path config = folder.resolve("registry.yml");
      Files.writeString(
          config,
          "version: 0.1\nlog:\n  level: info\n  accesslog:\n    disabled: true\n"
              + "storage:\n  filesystem:\n    rootdirectory: "
              + folder.resolve("data")
              + "\n  delete:\n    enabled: true\nhttp:\n  addr: 127.0.0.1:0\n"
              + http
              + more);
      Process process =
          new ProcessBuilder(program().orElseThrow().toString(), "serve", config.toString())
              .redirectErrorStream(true)
              .start();
      return new ReferenceRegistry(process, port(process));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int port(Process process) throws IOException {
    StringBuilder log = new StringBuilder();
    BufferedReader reader = process.inputReader(StandardCharsets.UTF_8);
    for (String line = reader.readLine(); line != null; line = reader.readLine()) {
      log.append(line).append('\n');
      Matcher matcher = LISTENING.matcher(line);
      if (matcher.find()) {
        Thread.ofVirtual().start(() -> reader.lines().forEach(rest -> {}));
        return Integer.parseInt(matcher.group(1));
      }
    }
    throw new IOException("docker-registry did not start:\n" + log);
  }

  /** As references name it: {@code 127.0.0.1:PORT}. */
  public String host() {
    return "127.0.0.1:" + port;
  }

  /** Stores an image with all that belongs to it, without any code under test. */
  public void push(String repository, String tag, TestImage image) {
    push(repository, tag, image, Map.of());
  }

  /**
   * @param headers sent with each request, for instance Authorization
   */
  public void push(String repository, String tag, TestImage image, Map<String, String> headers) {
    try (HttpClient client = HttpClient.newHttpClient()) {
      for (Map.Entry<Digest, byte[]> blob : image.blobs().entrySet()) {
        HttpResponse<byte[]> started =
            send(client, "POST", repository + "/blobs/uploads/", new byte[0], headers);
        String location = started.headers().firstValue("Location").orElseThrow();
        String separator = location.contains("?") ? "&" : "?";
        send(
            client,
            "PUT",
            location + separator + "digest=" + blob.getKey(),
            blob.getValue(),
            headers);
      }
      for (Map.Entry<Descriptor, byte[]> manifest : image.manifests().entrySet()) {
        Map<String, String> typed = new java.util.HashMap<>(headers);
        typed.put("Content-Type", manifest.getKey().mediaType());
        boolean isTop = manifest.getKey().equals(image.manifest());
        String name = isTop ? tag : manifest.getKey().digest().toString();
        send(client, "PUT", repository + "/manifests/" + name, manifest.getValue(), typed);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** The raw manifest, as a plain client sees it. */
  public byte[] manifest(String repository, String tag) {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return send(
              client,
              "GET",
              repository + "/manifests/" + tag,
              new byte[0],
              Map.of("Accept", String.join(", ", MediaTypes.ACCEPTED_MANIFESTS)))
          .body();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private HttpResponse<byte[]> send(
      HttpClient client, String method, String path, byte[] body, Map<String, String> headers)
      throws IOException, InterruptedException {
    URI base = URI.create("http://" + host() + "/v2/");
    HttpRequest.Builder request =
        HttpRequest.newBuilder(base.resolve(path))
            .version(HttpClient.Version.HTTP_1_1)
            .method(method, HttpRequest.BodyPublishers.ofByteArray(body));
    headers.forEach(request::header);
    HttpResponse<byte[]> response =
        client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    if (response.statusCode() >= 300) {
      throw new IOException(
          method
              + " "
              + path
              + ": "
              + response.statusCode()
              + " "
              + new String(response.body(), StandardCharsets.UTF_8));
    }
    return response;
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
