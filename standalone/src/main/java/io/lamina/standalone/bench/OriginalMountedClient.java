package io.lamina.standalone.bench;

import io.lamina.linux.Mounts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The original client, a new process for each mount. Source: docs of CernVM-FS, cvmfs2. */
final class OriginalMountedClient implements MountedClient {
  private static final long END_SECONDS = 60;

  private final Path program;
  private final MountPlan plan;
  private final Path folder;
  private final Path cache;
  private final Path configuration;
  private final Path mountPoint;
  private @Nullable ProcessHandle process;

  OriginalMountedClient(Path program, MountPlan plan, String server, Path folder, Path mountPoint)
      throws IOException {
    this.program = program;
    this.plan = plan;
    this.folder = folder;
    this.cache = folder.resolve("cache");
    this.configuration = folder.resolve("conf");
    this.mountPoint = mountPoint;
    Files.createDirectories(cache);
    Files.write(
        configuration,
        List.of(
            "CVMFS_CACHE_BASE=" + cache,
            "CVMFS_RELOAD_SOCKETS=" + folder,
            "CVMFS_SERVER_URL=" + server,
            "CVMFS_HTTP_PROXY=DIRECT",
            "CVMFS_PUBLIC_KEY=" + plan.key(),
            "CVMFS_CLAIM_OWNERSHIP=no",
            "CVMFS_QUOTA_LIMIT=-1",
            "CVMFS_USYSLOG=" + folder.resolve("log")));
  }

  @Override
  public void mount() throws IOException, InterruptedException {
    Process start =
        new ProcessBuilder(
                program.toString(),
                "-o",
                "config=" + configuration + ",disable_watchdog,simple_options_parsing",
                plan.name().value(),
                mountPoint.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("start.log").toFile())
            .start();
    if (start.waitFor() != 0 || !Mounts.isMounted(mountPoint)) {
      throw new BenchmarkException(
          program
              + " could not mount: "
              + Files.readString(folder.resolve("start.log"), StandardCharsets.ISO_8859_1).strip());
    }
    byte[] pid = (byte[]) Files.getAttribute(mountPoint, "user:pid");
    process =
        ProcessHandle.of(Long.parseLong(new String(pid, StandardCharsets.US_ASCII).strip()))
            .orElse(null);
  }

  @Override
  public void unmount() throws InterruptedException {
    Mounts.unmount(mountPoint);
    ProcessHandle served = process;
    process = null;
    if (served != null) {
      try {
        served.onExit().get(END_SECONDS, TimeUnit.SECONDS);
      } catch (ExecutionException | TimeoutException e) {
        throw new BenchmarkException(program + " did not end after it was unmounted");
      }
    }
  }

  @Override
  public void clear() throws IOException {
    WorkFolder.remove(cache);
    Files.createDirectories(cache);
  }

  @Override
  public long cpuNanos() {
    ProcessHandle serving = process;
    return serving == null ? 0 : serving.info().totalCpuDuration().orElse(Duration.ZERO).toNanos();
  }

  @Override
  public void close() {
    if (process != null) {
      process = null;
      Mounts.detach(mountPoint);
    }
  }
}
