package io.lamina.client.fuse;

import io.lamina.client.failure.ClientException;
import io.lamina.client.posix.Libc;
import java.nio.file.Files;
import java.nio.file.Path;

/** Mounts and unmounts by system calls, as root. */
final class FuseMount {
  private static final String DEVICE = "/dev/fuse";

  /** So that {@code findmnt -t fuse.lamina} lists them. */
  private static final String TYPE = "fuse.lamina";

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

  /** A mount that a killed process left behind is taken away first. */
  private static void requireFolder(Path mountPoint) {
    int folder = Libc.open(FuseServer.bytes(mountPoint), Libc.O_RDONLY | Libc.O_CLOEXEC);
    if (folder == -Libc.ENOTCONN) {
      Libc.umount(FuseServer.bytes(mountPoint), Libc.MNT_DETACH);
      folder = Libc.open(FuseServer.bytes(mountPoint), Libc.O_RDONLY | Libc.O_CLOEXEC);
    }
    if (folder < 0) {
      throw new ClientException.Rejected(
          "cannot mount on " + mountPoint + ": " + Libc.meaning(folder));
    }
    Libc.close(folder);
    if (!Files.isDirectory(mountPoint)) {
      throw new ClientException.Rejected("cannot mount on " + mountPoint + ": it is no folder");
    }
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
