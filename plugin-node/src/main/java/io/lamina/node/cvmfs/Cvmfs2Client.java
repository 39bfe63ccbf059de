package io.lamina.node.cvmfs;

import io.lamina.layers.LayersException;
import io.lamina.linux.Directory;
import io.lamina.linux.LinuxException;
import io.lamina.linux.MountTable;
import io.lamina.linux.Mounts;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Mounts repositories with the original client, one process for each, in a folder of its own. Its
 * processes outlive this one and are found again. Thread-safe for different repositories.
 *
 * <p>Nothing passes through a shell, and nothing from an image gets into a settings file: only
 * repositories that the operator named are mounted.
 */
public final class Cvmfs2Client implements RepositoryClient {
  private static final Logger LOG = LoggerFactory.getLogger(Cvmfs2Client.class);
  private static final Duration START = Duration.ofSeconds(60);
  private static final int MAX_OUTPUT_BYTES = 8 << 10;
  private static final int MAX_ANSWER_BYTES = 64 << 10;

  /**
   * How it is run.
   *
   * @param binary by path or by name
   * @param folder for settings, caches and mounts
   * @param cacheMegabytes of each repository
   * @param proxy as {@code CVMFS_HTTP_PROXY}
   */
  public record Settings(String binary, Path folder, long cacheMegabytes, String proxy) {}

  private final Settings settings;
  private final Map<String, KnownRepository> repositories;

  public Cvmfs2Client(Settings settings, List<KnownRepository> repositories) {
    this.settings = settings;
    this.repositories =
        repositories.stream()
            .collect(Collectors.toUnmodifiableMap(known -> known.name().value(), known -> known));
  }

  @Override
  public String name() {
    return "cvmfs2";
  }

  @Override
  public RepositoryMount mount(String repository) {
    KnownRepository known = repositories.get(repository);
    if (known == null) {
      throw new LayersException.Rejected(
          "this node does not know repository "
              + repository
              + "; name it with --repository, or use --client external");
    }
    Path home = settings.folder().resolve(repository);
    Path mountPoint = home.resolve("mount");
    try {
      Files.createDirectories(
          home, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x--x")));
      OpenRoot adopted = adopt(repository, mountPoint);
      if (adopted == null) {
        Files.createDirectories(mountPoint);
        start(known, home, mountPoint);
        adopted = OpenRoot.open(repository, mountPoint);
      }
      return new Mounted(repository, home, adopted);
    } catch (IOException e) {
      throw new LayersException.Unavailable(
          "the folder of repository " + repository + " cannot be used: " + e, e);
    }
  }

  /** Null if there is none that answers; a dead one is taken away. */
  private static @Nullable OpenRoot adopt(String repository, Path mountPoint) {
    if (MountTable.read().at(mountPoint).isEmpty()) {
      return null;
    }
    try {
      OpenRoot root = OpenRoot.open(repository, mountPoint);
      try {
        root.revision();
        LOG.atInfo().addKeyValue("repository", repository).log("found mounted by cvmfs2");
        return root;
      } catch (LayersException.Unavailable e) {
        root.close();
        throw e;
      }
    } catch (LayersException.Unavailable e) {
      LOG.atWarn()
          .addKeyValue("repository", repository)
          .addKeyValue("cause", e.getMessage())
          .log("dead mount of cvmfs2 taken away");
      detachAll(mountPoint);
      return null;
    }
  }

  private static void detachAll(Path mountPoint) {
    try {
      while (MountTable.read().at(mountPoint).isPresent() && Mounts.detach(mountPoint)) {
        LOG.atDebug().addKeyValue("mount", mountPoint).log("unmounted");
      }
    } catch (LinuxException e) {
      LOG.atWarn().addKeyValue("mount", mountPoint).setCause(e).log("cannot unmount");
    }
  }

  private void start(KnownRepository known, Path home, Path mountPoint) throws IOException {
    String repository = known.name().value();
    Path cache = Files.createDirectories(home.resolve("cache"));
    Path config = home.resolve("cvmfs.conf");
    Files.writeString(
        config,
        String.join(
            "\n",
            "CVMFS_SERVER_URL=" + String.join(";", known.servers()),
            "CVMFS_PUBLIC_KEY=" + known.key(),
            "CVMFS_HTTP_PROXY=" + settings.proxy(),
            "CVMFS_CACHE_BASE=" + cache,
            "CVMFS_RELOAD_SOCKETS=" + cache,
            "CVMFS_QUOTA_LIMIT=" + settings.cacheMegabytes(),
            "CVMFS_USYSLOG=" + home.resolve("log"),
            "CVMFS_CLAIM_OWNERSHIP=no",
            "CVMFS_MAGIC_XATTRS_VISIBILITY=rootonly",
            ""));
    Path output = home.resolve("start.log");
    Process process =
        new ProcessBuilder(
                settings.binary(),
                "-o",
                "config=" + config + ",simple_options_parsing,allow_other,cvmfs_suid,libfuse=3",
                repository,
                mountPoint.toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      // It goes into the background once it is mounted.
      if (!process.waitFor(START.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new LayersException.Unavailable(
            "cvmfs2 did not mount repository "
                + repository
                + " within "
                + START.toSeconds()
                + " s");
      }
      if (process.exitValue() != 0) {
        throw new LayersException.Unavailable(
            "cvmfs2 could not mount repository "
                + repository
                + " (exit code "
                + process.exitValue()
                + "): "
                + lastLine(output));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      process.destroyForcibly();
      throw new LayersException.Cancelled("interrupted while cvmfs2 mounted " + repository);
    }
  }

  private static String lastLine(Path output) throws IOException {
    try (InputStream in = Files.newInputStream(output)) {
      String text =
          new String(in.readNBytes(MAX_OUTPUT_BYTES), StandardCharsets.UTF_8)
              .strip()
              .replaceAll("\\p{Cntrl}+", "; ");
      return text.isEmpty() ? "it said nothing" : text;
    }
  }

  @Override
  public void close() {}

  /** A mount by one process of the original client. */
  private static final class Mounted implements RepositoryMount {
    private final String repository;
    private final Path home;
    private final OpenRoot root;

    Mounted(String repository, Path home, OpenRoot root) {
      this.repository = repository;
      this.home = home;
      this.root = root;
    }

    @Override
    public Path root() {
      return root.path();
    }

    @Override
    public long check() {
      return root.revision();
    }

    /** As {@code cvmfs_talk}: one command on the client's socket, the answer up to its end. */
    @Override
    public long refresh() {
      Path folder = home.resolve("cache").resolve(repository);
      String socket = "cvmfs_io." + repository;
      String answer;
      // An address has 108 bytes at most, which the path to the cache may exceed.
      try (Directory near = Directory.open(folder);
          SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
        channel.connect(UnixDomainSocketAddress.of(near.shortPath().resolve(socket)));
        ByteBuffer command = ByteBuffer.wrap("remount sync".getBytes(StandardCharsets.US_ASCII));
        while (command.hasRemaining()) {
          channel.write(command);
        }
        InputStream in = Channels.newInputStream(channel);
        answer = new String(in.readNBytes(MAX_ANSWER_BYTES), StandardCharsets.UTF_8).strip();
      } catch (IOException | UncheckedIOException | LinuxException e) {
        throw new LayersException.Unavailable(
            "the client of repository "
                + repository
                + " cannot be asked at "
                + folder.resolve(socket)
                + ": "
                + e,
            e);
      }
      // "Catalog up to date", "New revision applied" and the like; failures begin differently.
      if (answer.toLowerCase(Locale.ROOT).contains("fail")) {
        throw new LayersException.Unavailable(
            "the client of repository " + repository + " could not remount: " + answer);
      }
      LOG.atDebug()
          .addKeyValue("repository", repository)
          .addKeyValue("said", answer)
          .log("remount");
      return root.revision();
    }

    @Override
    public void close() {
      root.close();
      detachAll(root.path());
    }
  }
}
