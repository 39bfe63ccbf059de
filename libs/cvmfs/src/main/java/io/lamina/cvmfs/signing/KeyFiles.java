package io.lamina.cvmfs.signing;

import io.lamina.cvmfs.CvmfsException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Key files on disk. Messages name the file, never its content. */
final class KeyFiles {
  static final String SECRET = "r--------";
  static final String PUBLIC = "r--r--r--";

  private KeyFiles() {}

  static byte[] read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(Pem.MAX_BYTES + 1);
      if (bytes.length > Pem.MAX_BYTES) {
        throw new CvmfsException.Rejected(file + " is too long for a key file");
      }
      return bytes;
    } catch (NoSuchFileException e) {
      throw new CvmfsException.NotFound("there is no key file " + file);
    } catch (IOException e) {
      throw new CvmfsException.Rejected("cannot read the key file " + file, e);
    }
  }

  /** Makes a file that must not exist, durable, with these permissions from its first moment. */
  static void create(Path file, byte[] content, String permissions) {
    Set<PosixFilePermission> mode = PosixFilePermissions.fromString(permissions);
    try (FileChannel channel =
        FileChannel.open(
            file,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(mode))) {
      ByteBuffer buffer = ByteBuffer.wrap(content);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      channel.force(true);
      Files.setPosixFilePermissions(file, mode); // the umask may have taken some
    } catch (FileAlreadyExistsException e) {
      throw new CvmfsException.Rejected(file + " exists already; keys are never overwritten", e);
    } catch (IOException e) {
      throw new CvmfsException.Rejected("cannot write the key file " + file, e);
    }
  }
}
