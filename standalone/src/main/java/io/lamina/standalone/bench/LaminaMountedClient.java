package io.lamina.standalone.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The embedded client in one JVM that mounts and unmounts on demand, as a node's plugin does, with
 * the options that the launcher gives {@code lamina mount}.
 */
final class LaminaMountedClient implements MountedClient {
  private static final long END_SECONDS = 60;

  private final Path cache;
  private final Process process;
  private final Writer orders;
  private final BufferedReader answers;

  LaminaMountedClient(MountPlan plan, String server, Path folder, Path mountPoint)
      throws IOException {
    this.cache = folder.resolve("cache");
    this.process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                MountWorker.class.getName(),
                server,
                plan.name().value(),
                plan.key().toString(),
                cache.toString(),
                mountPoint.toString())
            .redirectError(folder.resolve("lamina.log").toFile())
            .start();
    this.orders = process.outputWriter(StandardCharsets.UTF_8);
    this.answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    Files.createDirectories(folder);
  }

  @Override
  public void mount() throws IOException {
    order(MountWorker.MOUNT);
  }

  @Override
  public void unmount() throws IOException {
    order(MountWorker.UNMOUNT);
  }

  private void order(String word) throws IOException {
    orders.write(word + "\n");
    orders.flush();
    String answer = answers.readLine();
    if (!word.equals(answer)) {
      throw new BenchmarkException(
          "the client could not " + word + ": " + (answer == null ? "it has ended" : answer));
    }
  }

  @Override
  public void clear() throws IOException {
    WorkFolder.remove(cache);
  }

  @Override
  public long cpuNanos() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos();
  }

  @Override
  public void close() throws IOException {
    orders.close(); // it unmounts and ends
    try {
      if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    answers.close();
  }
}
