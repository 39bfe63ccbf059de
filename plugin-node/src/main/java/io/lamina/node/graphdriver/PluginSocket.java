package io.lamina.node.graphdriver;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket's file: its folder, what a dead process left there, and its removal. A file that
 * nobody serves makes an engine wait for 15 s in many commands. One thread at a time.
 */
final class PluginSocket {
  private static final Logger LOG = LoggerFactory.getLogger(PluginSocket.class);

  /** The kernel's bound of a socket's path, without the end mark. */
  private static final int MAX_PATH_BYTES = 107;

  private final Path path;
  private @Nullable Object key;

  PluginSocket(Path path) {
    this.path = path.toAbsolutePath().normalize();
    if (this.path.toString().getBytes(StandardCharsets.UTF_8).length > MAX_PATH_BYTES) {
      throw new DriverException.Fatal(
          "the socket's path is longer than " + MAX_PATH_BYTES + " bytes: " + this.path);
    }
  }

  Path path() {
    return path;
  }

  /**
   * Makes the folder and removes a file that nobody serves.
   *
   * @throws DriverException.Fatal if somebody serves it, or it is no socket, or others may write
   *     the folder
   */
  void prepare() {
    Path folder = Objects.requireNonNull(path.getParent());
    try {
      Files.createDirectories(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      PosixFileAttributes attributes = Files.readAttributes(folder, PosixFileAttributes.class);
      if (attributes.permissions().contains(PosixFilePermission.OTHERS_WRITE)
          || attributes.permissions().contains(PosixFilePermission.GROUP_WRITE)) {
        throw new DriverException.Fatal(
            "others may write the socket's folder "
                + folder
                + " ("
                + PosixFilePermissions.toString(attributes.permissions())
                + "); make it rwx------");
      }
      PosixFileAttributes left =
          Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      if (!left.isOther()) {
        throw new DriverException.Fatal(path + " is there and is no socket; move it away");
      }
      if (isServed()) {
        throw new DriverException.Fatal(
            "another process serves "
                + path
                + "; stop it, or start this one under another name (--name)");
      }
      Files.delete(path);
      LOG.atInfo().addKeyValue("socket", path).log("removed the socket of a process that is gone");
    } catch (NoSuchFileException e) {
      // Nothing was left.
    } catch (IOException e) {
      throw new DriverException.Fatal("cannot prepare the socket " + path + ": " + e, e);
    }
  }

  private boolean isServed() {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return channel.connect(UnixDomainSocketAddress.of(path));
    } catch (IOException e) {
      return false;
    }
  }

  /** To be called once it is bound. */
  void bound() {
    try {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
      key = key();
    } catch (IOException e) {
      throw new DriverException.Fatal("cannot protect the socket " + path + ": " + e, e);
    }
  }

  /** Removes the file, unless another process has put its own there. */
  void remove() {
    try {
      if (key != null && key.equals(key())) {
        Files.delete(path);
      }
    } catch (NoSuchFileException e) {
      // Somebody was faster.
    } catch (IOException e) {
      LOG.atWarn().addKeyValue("socket", path).setCause(e).log("socket stays behind");
    }
  }

  private @Nullable Object key() throws IOException {
    return Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .fileKey();
  }
}
