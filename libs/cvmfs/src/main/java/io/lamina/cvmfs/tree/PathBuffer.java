package io.lamina.cvmfs.tree;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.RepositoryPath;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/** The path at which a walk stands, and its hash, without an object for each. Not thread-safe. */
final class PathBuffer {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final int DIGEST_BYTES = 16;

  private final byte[] bytes = new byte[RepositoryPath.MAX_BYTES];
  private final byte[] digest = new byte[DIGEST_BYTES];
  private final MessageDigest md5;
  private int length;

  PathBuffer(RepositoryPath start) {
    byte[] raw = start.bytes();
    System.arraycopy(raw, 0, bytes, 0, raw.length);
    length = raw.length;
    try {
      md5 = MessageDigest.getInstance("MD5");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has MD5", e);
    }
  }

  int length() {
    return length;
  }

  /**
   * Goes on to an entry of the directory.
   *
   * @throws CvmfsException.Rejected if the path grows too long
   */
  void enter(byte[] name) {
    if (length + 1 + name.length > bytes.length) {
      throw new CvmfsException.Rejected(
          "path longer than "
              + bytes.length
              + " bytes: "
              + new String(bytes, 0, length, StandardCharsets.UTF_8)
              + "/"
              + new String(name, StandardCharsets.UTF_8));
    }
    bytes[length] = '/';
    System.arraycopy(name, 0, bytes, length + 1, name.length);
    length += 1 + name.length;
  }

  /** Goes back to a directory on the way, by its {@link #length}. */
  void leaveTo(int earlierLength) {
    length = earlierLength;
  }

  PathHash hash() {
    md5.update(bytes, 0, length);
    try {
      md5.digest(digest, 0, DIGEST_BYTES);
    } catch (DigestException e) {
      throw new IllegalStateException("an MD5 has 16 bytes", e);
    }
    return new PathHash((long) LONGS.get(digest, 0), (long) LONGS.get(digest, Long.BYTES));
  }

  RepositoryPath path() {
    return RepositoryPath.ofBytes(Arrays.copyOf(bytes, length));
  }
}
