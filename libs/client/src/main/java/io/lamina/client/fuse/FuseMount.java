package io.lamina.client.fuse;

import io.lamina.client.failure.ClientException;
import io.lamina.linux.Errno;
import io.lamina.linux.LinuxException;
import io.lamina.linux.MountTable;
import io.lamina.linux.Mounts;
import io.lamina.linux.OpenFile;
import io.lamina.linux.ThisProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Mounts and unmounts by system calls, as root. */
final class FuseMount {
  private static final Path DEVICE = Path.of("/dev/fuse");

  /** So that {@code findmnt -t fuse.lamina} lists them. */
  private static final String TYPE = "fuse.lamina";

  private static final Logger LOG = LoggerFactory.getLogger(FuseMount.class);

  /** A client that is alive answers at once; one whose servers are slow answers this, too. */
  private static final long PROBE_SECONDS = 5;

  private FuseMount() {}

  /**
   * Mounts read-only, with devices and set-uid programs: what an image holds is to work in its
   * containers.
   *
   * @return the open device
   */
  static OpenFile mount(Path mountPoint, FuseSettings settings) {
    requireFolder(mountPoint);
    OpenFile device = device();
    String options =
        "fd=%d,rootmode=40000,user_id=%d,group_id=%d%s%s"
            .formatted(
                device.number(),
                ThisProcess.effectiveUser(),
                ThisProcess.effectiveGroup(),
                settings.allowsOthers() ? ",allow_other" : "",
                settings.checksPermissions() ? ",default_permissions" : "");
    try {
      Mounts.mount(settings.name(), mountPoint, TYPE, options, Mounts.Restriction.READ_ONLY);
    } catch (LinuxException e) {
      device.close();
      throw new ClientException.Rejected(
          "cannot mount on "
              + mountPoint
              + ": "
              + e.errno()
              + (e instanceof LinuxException.Refused ? "; mounting needs root" : ""),
          e);
    }
    return device;
  }

  private static OpenFile device() {
    try {
      return OpenFile.updating(DEVICE);
    } catch (LinuxException e) {
      throw new ClientException.Rejected(
          e.getMessage() + "; load the kernel module fuse, and in a container pass the device in",
          e);
    }
  }

  private static void requireFolder(Path mountPoint) {
    if (isMounted(mountPoint)) {
      replaceDead(mountPoint);
    }
    if (!Files.isDirectory(mountPoint)) {
      throw new ClientException.Rejected(
          "cannot mount on "
              + mountPoint
              + (Files.exists(mountPoint) ? ": it is no folder" : ": no such folder"));
    }
  }

  /** Asks the kernel's table: touching a mount whose process hangs would hang as well. */
  private static boolean isMounted(Path mountPoint) {
    return MountTable.read().at(mountPoint).filter(mount -> mount.type().equals(TYPE)).isPresent();
  }

  /**
   * Takes away what a killed process left behind. One that was killed while it read from its own
   * mount cannot even end: the force lets it.
   */
  private static void replaceDead(Path mountPoint) {
    CompletableFuture<Boolean> isAlive = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .name("lamina-mount-probe")
        .start(() -> isAlive.complete(Mounts.answers(mountPoint)));
    try {
      if (isAlive.get(PROBE_SECONDS, TimeUnit.SECONDS)) {
        throw new ClientException.Rejected(
            "cannot mount on " + mountPoint + ": another client has mounted a repository there");
      }
    } catch (TimeoutException e) {
      // Nobody answers: the force below ends the wait of the probe, too.
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClientException.Rejected("interrupted while mounting on " + mountPoint, e);
    }
    LOG.atWarn().addKeyValue("mount", mountPoint).log("replacing a dead mount");
    Mounts.abandon(mountPoint);
  }

  static void unmount(Path mountPoint) {
    try {
      Mounts.unmount(mountPoint);
    } catch (LinuxException e) {
      if (e.errno().number() != Errno.EBUSY) {
        throw new ClientException.Broken("cannot unmount", e);
      }
      // Force ends the connection, so that nobody waits for answers that nobody gives.
      Mounts.abandon(mountPoint);
    }
  }
}
