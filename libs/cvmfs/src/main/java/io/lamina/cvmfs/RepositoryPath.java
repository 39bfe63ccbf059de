package io.lamina.cvmfs;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * An absolute path inside a repository as raw bytes: the root is empty, any other starts with a
 * slash and has no empty, {@code .} or {@code ..} component, no NUL, and names of at most 255
 * bytes.
 *
 * <p>Source: docs/format/catalogs.md, "Path hashes". Immutable.
 */
public final class RepositoryPath implements Comparable<RepositoryPath> {
  /** The longest path that Linux resolves, in bytes. */
  public static final int MAX_BYTES = 4095;

  /** The longest name that a directory may hold, in bytes. */
  public static final int MAX_NAME_BYTES = 255;

  public static final RepositoryPath ROOT = new RepositoryPath(new byte[0]);

  private final byte[] bytes;

  private RepositoryPath(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * Reads an absolute path in UTF-8; {@code ""} and {@code "/"} are the root.
   *
   * @throws CvmfsException.Rejected if a component is empty, {@code .}, {@code ..} or too long
   */
  public static RepositoryPath of(String path) {
    return ofBytes(path.getBytes(StandardCharsets.UTF_8));
  }

  /** As {@link #of}, of raw bytes. */
  public static RepositoryPath ofBytes(byte[] path) {
    if (path.length == 0 || (path.length == 1 && path[0] == '/')) {
      return ROOT;
    }
    if (path[0] != '/') {
      throw new CvmfsException.Rejected("not an absolute path: '" + display(path) + "'");
    }
    RepositoryPath result = ROOT;
    int start = 1;
    for (int i = 1; i <= path.length; i++) {
      if (i == path.length || path[i] == '/') {
        result = result.resolve(Arrays.copyOfRange(path, start, i));
        start = i + 1;
      }
    }
    return result;
  }

  /**
   * The path of the entry {@code name} in this directory.
   *
   * @throws CvmfsException.Rejected if the name is empty, {@code .}, {@code ..}, too long, or holds
   *     a slash or NUL, or the path grows too long
   */
  public RepositoryPath resolve(byte[] name) {
    boolean dots =
        (name.length == 1 || name.length == 2) && name[0] == '.' && name[name.length - 1] == '.';
    if (name.length == 0 || name.length > MAX_NAME_BYTES || dots) {
      throw new CvmfsException.Rejected(
          "not a name for a directory entry: '" + display(name) + "'");
    }
    for (byte b : name) {
      if (b == '/' || b == 0) {
        throw new CvmfsException.Rejected("slash or NUL in the name '" + display(name) + "'");
      }
    }
    if (bytes.length + 1 + name.length > MAX_BYTES) {
      throw new CvmfsException.Rejected(
          "path longer than " + MAX_BYTES + " bytes below '" + this + "'");
    }
    byte[] child = Arrays.copyOf(bytes, bytes.length + 1 + name.length);
    child[bytes.length] = '/';
    System.arraycopy(name, 0, child, bytes.length + 1, name.length);
    return new RepositoryPath(child);
  }

  /** The path of the entry with this UTF-8 name. */
  public RepositoryPath resolve(String name) {
    return resolve(name.getBytes(StandardCharsets.UTF_8));
  }

  public boolean isRoot() {
    return bytes.length == 0;
  }

  /**
   * The directory that holds this entry.
   *
   * @throws IllegalStateException on the root
   */
  public RepositoryPath parent() {
    if (isRoot()) {
      throw new IllegalStateException("the root has no parent");
    }
    return new RepositoryPath(Arrays.copyOf(bytes, lastSlash()));
  }

  /** The last component; empty for the root. */
  public byte[] name() {
    return isRoot() ? new byte[0] : Arrays.copyOfRange(bytes, lastSlash() + 1, bytes.length);
  }

  /** Whether this is {@code ancestor} or lies below it. */
  public boolean startsWith(RepositoryPath ancestor) {
    byte[] prefix = ancestor.bytes;
    return bytes.length >= prefix.length
        && Arrays.equals(bytes, 0, prefix.length, prefix, 0, prefix.length)
        && (bytes.length == prefix.length || bytes[prefix.length] == '/');
  }

  /** A copy of the raw bytes; no bytes for the root. */
  public byte[] bytes() {
    return bytes.clone();
  }

  /** The hash under which catalogs file this path. */
  public PathHash hash() {
    try {
      ByteBuffer digest =
          ByteBuffer.wrap(MessageDigest.getInstance("MD5").digest(bytes))
              .order(ByteOrder.LITTLE_ENDIAN);
      return new PathHash(digest.getLong(), digest.getLong());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has MD5", e);
    }
  }

  /** The hash of the parent directory; {@link PathHash#NONE} for the root. */
  public PathHash parentHash() {
    return isRoot() ? PathHash.NONE : parent().hash();
  }

  private int lastSlash() {
    int i = bytes.length - 1;
    while (bytes[i] != '/') {
      i--;
    }
    return i;
  }

  private static String display(byte[] raw) {
    return new String(raw, StandardCharsets.UTF_8);
  }

  @Override
  public int compareTo(RepositoryPath other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RepositoryPath that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /**
   * For people: bytes that are not UTF-8 show as the replacement character; the root as {@code /}.
   */
  @Override
  public String toString() {
    return isRoot() ? "/" : display(bytes);
  }
}
