package io.lamina.converter.layer;

import java.nio.charset.StandardCharsets;

/**
 * Extended attributes by which a layer's catalog tells a merge what the layer alone cannot hold.
 * Incoming layers cannot bring them along: they are dropped when a layer is read.
 *
 * <p>Source: docs/conversion.md, "Marks for merging".
 */
public final class Markers {
  /** All names of this program's own. */
  public static final String PREFIX = "trusted.lamina.";

  /**
   * On a symbolic link: the path, relative to the layer's root, of the file in a lower layer of
   * which it is a hard link.
   */
  public static final String HARD_LINK = PREFIX + "hardlink";

  /**
   * On a directory that the layer does not describe: its attributes were made up, those of a lower
   * layer's directory are right.
   */
  public static final String IMPLICIT = PREFIX + "implicit";

  private static final byte[] YES = "y".getBytes(StandardCharsets.US_ASCII);

  private Markers() {}

  static byte[] yes() {
    return YES.clone();
  }
}
