package io.lamina.image.registry;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.ImageException;
import io.lamina.image.internal.Quoted;
import io.lamina.image.internal.StrictJson;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/**
 * Asks a {@code docker-credential-NAME} program. Source: the protocol of docker-credential-helpers:
 * the server's address on standard input, JSON on standard output. Thread-safe.
 */
final class CredentialHelper {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");
  private static final int MAX_OUTPUT_BYTES = 1 << 20;
  private static final String NOT_FOUND = "credentials not found";
  private static final String TOKEN_USER = "<token>";

  private final List<Path> folders;
  private final Duration timeout;

  CredentialHelper(List<Path> folders, Duration timeout) {
    this.folders = folders;
    this.timeout = timeout;
  }

  /**
   * @return nothing if the helper has none for the server
   * @throws ImageException.Rejected if the helper is missing or fails
   * @throws ImageException.Retryable if it does not answer in time
   */
  Optional<Credentials> find(String name, String server) {
    if (!NAME.matcher(name).matches()) {
      throw new ImageException.Rejected("not the name of a credential helper: " + Quoted.of(name));
    }
    String program = "docker-credential-" + name;
    Path file =
        folders.stream()
            .map(folder -> folder.resolve(program))
            .filter(Files::isExecutable)
            .findFirst()
            .orElseThrow(
                () ->
                    new ImageException.Rejected(
                        "the credential helper "
                            + program
                            + " for "
                            + server
                            + " is not installed (not found on the PATH)"));
    Answer answer = run(file, server);
    if (answer.exitCode != 0) {
      if (answer.output.contains(NOT_FOUND)) {
        return Optional.empty();
      }
      // Output of a failed helper is a message, not a secret.
      throw new ImageException.Rejected(
          program
              + " failed for "
              + server
              + " with exit code "
              + answer.exitCode
              + ": "
              + Quoted.plain(answer.output.strip(), 200));
    }
    return parse(program, server, answer.output);
  }

  private static Optional<Credentials> parse(String program, String server, String output) {
    ObjectNode json;
    try {
      json = StrictJson.parseObject(output.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // Neither the output nor the cause, which quotes it, may be shown: it holds a secret.
      throw new ImageException.Rejected(
          program + " answered for " + server + " with something that is not a JSON object");
    }
    String user = StrictJson.text(json, "Username").orElse("");
    String secret = StrictJson.text(json, "Secret").orElse("");
    if (secret.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        user.equals(TOKEN_USER)
            ? new Credentials.IdentityToken(secret)
            : new Credentials.Password(user, secret));
  }

  private record Answer(int exitCode, String output) {}

  private Answer run(Path program, String server) {
    Process process;
    try {
      process =
          new ProcessBuilder(program.toString(), "get")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
    } catch (IOException e) {
      throw new ImageException.Rejected("cannot start " + program, e);
    }
    long deadline = System.nanoTime() + timeout.toNanos();
    FutureTask<byte[]> reader =
        new FutureTask<>(() -> process.getInputStream().readNBytes(MAX_OUTPUT_BYTES));
    Thread.ofVirtual().name("credential-helper").start(reader);
    try {
      try (OutputStream input = process.getOutputStream()) {
        input.write(server.getBytes(StandardCharsets.UTF_8));
      } catch (IOException ignored) {
        // A helper that does not read its input says why on its output.
      }
      byte[] output = reader.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (!process.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        throw new TimeoutException();
      }
      return new Answer(process.exitValue(), new String(output, StandardCharsets.UTF_8));
    } catch (TimeoutException e) {
      throw new ImageException.Retryable(
          program + " did not answer for " + server + " within " + timeout, e, null);
    } catch (ExecutionException e) {
      throw new ImageException.Retryable("cannot read from " + program, e.getCause(), null);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ImageException.Retryable("interrupted while asking " + program, e, null);
    } finally {
      process.destroyForcibly();
    }
  }
}
