package io.lamina.node.host;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of a unix socket: its folder, what a dead process left there, and its removal. A file
 * that nobody serves makes a Docker engine wait for 15 s in many commands. One thread at a time.
 */
public final class HostSocket {
  private static final Logger LOG = LoggerFactory.getLogger(HostSocket.class);

  /** The kernel's bound of a socket's path, without the end mark. */
  private static final int MAX_PATH_BYTES = 107;

  private final Path path;
  private @Nullable Object key;

  /**
   * @throws IOException if a socket cannot have this path
   */
  public HostSocket(Path path) throws IOException {
    this.path = path.toAbsolutePath().normalize();
    if (this.path.toString().getBytes(StandardCharsets.UTF_8).length > MAX_PATH_BYTES) {
      throw new IOException(
          "the socket's path is longer than " + MAX_PATH_BYTES + " bytes: " + this.path);
    }
  }

  public Path path() {
    return path;
  }

  /**
   * Makes the folder and removes a file that nobody serves.
   *
   * @throws IOException if somebody serves it, or it is no socket, or others may write the folder
   */
  public void prepare() throws IOException {
    Path folder = Objects.requireNonNull(path.getParent());
    try {
      Files.createDirectories(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      PosixFileAttributes attributes = Files.readAttributes(folder, PosixFileAttributes.class);
      if (attributes.permissions().contains(PosixFilePermission.OTHERS_WRITE)
          || attributes.permissions().contains(PosixFilePermission.GROUP_WRITE)) {
        throw new IOException(
            "others may write the socket's folder "
                + folder
                + " ("
                + PosixFilePermissions.toString(attributes.permissions())
                + "); make it rwx------");
      }
      PosixFileAttributes left =
          Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      if (!left.isOther()) {
        throw new IOException(path + " is there and is no socket; move it away");
      }
      if (isServed()) {
        throw new IOException(
            "another process serves "
                + path
                + "; stop it, or start this one under another name (--name)");
      }
      Files.delete(path);
      LOG.atInfo().addKeyValue("socket", path).log("removed the socket of a process that is gone");
    } catch (NoSuchFileException e) {
      // Nothing was left.
    } catch (FileSystemException e) {
      throw new IOException("cannot prepare the socket " + path + ": " + e, e);
    }
  }

  private boolean isServed() {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return channel.connect(UnixDomainSocketAddress.of(path));
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Another free path in the same folder, to be bound before {@link #shownFrom}. No longer than the
   * socket's own.
   */
  public Path hidden() throws IOException {
    Path hidden = path.resolveSibling("." + path.getFileName().toString().substring(1));
    Files.deleteIfExists(hidden);
    return hidden;
  }

  /** Gives the socket that was bound elsewhere its path: from now on others can connect. */
  public void shownFrom(Path hidden) throws IOException {
    Files.setPosixFilePermissions(hidden, PosixFilePermissions.fromString("rw-------"));
    Files.move(hidden, path, StandardCopyOption.ATOMIC_MOVE);
    bound();
  }

  /** To be called once it is bound. */
  public void bound() throws IOException {
    try {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
      key = key();
    } catch (IOException e) {
      throw new IOException("cannot protect the socket " + path + ": " + e, e);
    }
  }

  /** Removes the file, unless another process has put its own there. */
  public void remove() {
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
