package io.lamina.client.fuse;

/**
 * What {@code stat} shows of a node.
 *
 * @param node the number under which the kernel asks for it; 0 for a name that is not there
 * @param inode the number that people see
 * @param mode full {@code st_mode}
 * @param validNanos for how long the kernel may believe it, unless it is told otherwise
 * @param device for character and block devices, as the kernel encodes it; else 0
 */
public record Attributes(
    long node,
    long validNanos,
    long inode,
    long sizeBytes,
    int mode,
    int links,
    int uid,
    int gid,
    int device,
    long mtimeSeconds,
    int mtimeNanos) {
  /** The answer to a name that is not there. */
  public static Attributes absent(long validNanos) {
    return new Attributes(0, validNanos, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }
}
