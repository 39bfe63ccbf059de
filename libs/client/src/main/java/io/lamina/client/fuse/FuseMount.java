package io.lamina.client.fuse;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.lamina.client.failure.ClientException;
import io.lamina.client.posix.Libc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Mounts and unmounts by system calls, as root. */
final class FuseMount {
  private static final String DEVICE = "/dev/fuse";

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
  static int mount(Path mountPoint, FuseSettings settings) {
    requireFolder(mountPoint);
    int device = Libc.open(DEVICE, Libc.O_RDWR | Libc.O_CLOEXEC);
    if (device < 0) {
      throw new ClientException.Rejected(
          "cannot open "
              + DEVICE
              + ": "
              + Libc.meaning(device)
              + "; load the kernel module fuse, and in a container pass the device in");
    }
    String options =
        "fd=%d,rootmode=40000,user_id=%d,group_id=%d%s%s"
            .formatted(
                device,
                Libc.effectiveUser(),
                Libc.effectiveGroup(),
                settings.allowsOthers() ? ",allow_other" : "",
                settings.checksPermissions() ? ",default_permissions" : "");
    int result =
        Libc.mount(settings.name(), FuseServer.bytes(mountPoint), TYPE, Libc.MS_RDONLY, options);
    if (result < 0) {
      Libc.close(device);
      throw new ClientException.Rejected(
          "cannot mount on "
              + mountPoint
              + ": "
              + Libc.meaning(result)
              + (result == -Libc.EPERM ? "; mounting needs root" : ""));
    }
    return device;
  }

  private static void requireFolder(Path mountPoint) {
    if (isMounted(mountPoint)) {
      replaceDead(mountPoint);
    }
    int folder = Libc.open(FuseServer.bytes(mountPoint), Libc.O_RDONLY | Libc.O_CLOEXEC);
    if (folder < 0) {
      throw new ClientException.Rejected(
          "cannot mount on " + mountPoint + ": " + Libc.meaning(folder));
    }
    Libc.close(folder);
    if (!Files.isDirectory(mountPoint)) {
      throw new ClientException.Rejected("cannot mount on " + mountPoint + ": it is no folder");
    }
  }

  /** Asks the kernel's table: touching a mount whose process hangs would hang as well. */
  private static boolean isMounted(Path mountPoint) {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/mountinfo"), ISO_8859_1)) {
      String wanted = escaped(mountPoint);
      return lines.anyMatch(
          line -> {
            String[] fields = line.split(" ");
            return fields.length > 4
                && fields[4].equals(wanted)
                && line.contains(" - " + TYPE + " ");
          });
    } catch (IOException | UncheckedIOException e) {
      throw new ClientException.Rejected("cannot read the table of mounts", e);
    }
  }

  /** As the table writes paths: blanks and the like by their octal numbers. */
  private static String escaped(Path mountPoint) {
    StringBuilder text = new StringBuilder();
    for (byte b : FuseServer.bytes(mountPoint)) {
      if (b == ' ' || b == '\t' || b == '\n' || b == '\\') {
        text.append('\\').append("%03o".formatted(b));
      } else {
        text.append((char) (b & 0xff));
      }
    }
    return text.toString();
  }

  /**
   * Takes away what a killed process left behind. One that was killed while it read from its own
   * mount cannot even end: the force lets it.
   */
  private static void replaceDead(Path mountPoint) {
    byte[] path = FuseServer.bytes(mountPoint);
    CompletableFuture<Integer> probe = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .name("lamina-mount-probe")
        .start(
            () -> {
              int result = Libc.open(path, Libc.O_RDONLY | Libc.O_CLOEXEC);
              if (result >= 0) {
                Libc.close(result);
              }
              probe.complete(result);
            });
    try {
      if (probe.get(PROBE_SECONDS, TimeUnit.SECONDS) >= 0) {
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
    Libc.umount(path, Libc.MNT_FORCE | Libc.MNT_DETACH);
  }

  static void unmount(Path mountPoint) {
    byte[] path = FuseServer.bytes(mountPoint);
    int result = Libc.umount(path, 0);
    if (result == -Libc.EBUSY) {
      // Force ends the connection, so that nobody waits for answers that nobody gives.
      Libc.umount(path, Libc.MNT_FORCE | Libc.MNT_DETACH);
    }
  }
}
