package io.lamina.node.docker;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Runs programs to their end. */
public final class Commands {
  /** Nothing that a test runs takes this long on any machine. */
  private static final Duration DEADLINE = Duration.ofMinutes(5);

  private Commands() {}

  /** What a program left behind. */
  public record Result(List<String> command, int exitCode, byte[] bytes, String errors) {
    public String out() {
      return new String(bytes, StandardCharsets.UTF_8).strip();
    }

    public Result expectSuccess() {
      if (exitCode != 0) {
        throw new AssertionError(
            command + " ended with " + exitCode + "\n" + errors + "\n" + out());
      }
      return this;
    }
  }

  public static Result run(List<String> command) {
    return run(command, new byte[0]);
  }

  public static Result run(List<String> command, byte[] input) {
    try {
      Process process = new ProcessBuilder(command).start();
      CompletableFuture<String> errors = new CompletableFuture<>();
      Thread.ofVirtual()
          .start(() -> errors.complete(new String(readAll(process.getErrorStream()))));
      Thread.ofVirtual()
          .start(
              () -> {
                try (OutputStream out = process.getOutputStream()) {
                  out.write(input);
                } catch (IOException e) {
                  // The program did not read to the end; its exit code tells.
                }
              });
      CompletableFuture<byte[]> out = new CompletableFuture<>();
      Thread.ofVirtual().start(() -> out.complete(readAll(process.getInputStream())));
      if (!process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError(command + " took longer than " + DEADLINE);
      }
      return new Result(command, process.exitValue(), out.join(), errors.join());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Starts a program whose output goes to a file, behind what is there. */
  public static Process start(List<String> command, Path log) {
    try {
      return new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] readAll(InputStream in) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      in.transferTo(bytes);
    } catch (IOException e) {
      // Killed: what was read is what there is.
    }
    return bytes.toByteArray();
  }
}
