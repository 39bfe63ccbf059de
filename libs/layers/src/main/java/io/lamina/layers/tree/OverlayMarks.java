package io.lamina.layers.tree;

import io.lamina.linux.Directory;
import io.lamina.linux.FileStatus;
import java.util.Arrays;

/**
 * How a layer's directory says that something below it does not show. Source: docs/layers.md,
 * "Marks".
 */
public final class OverlayMarks {
  /** The attribute of a directory that shows nothing of the layers below. */
  public static final String OPAQUE = "trusted.overlay.opaque";

  private static final String WHITEOUT = "trusted.overlay.whiteout";
  private static final byte[] YES = {'y'};

  private OverlayMarks() {}

  /** Whether an entry only hides what the layers below have under its name. */
  public static boolean isWhiteout(Directory parent, byte[] name, FileStatus status) {
    return status.isWhiteout()
        || status.isRegular()
            && status.sizeBytes() == 0
            && parent.xattr(name, WHITEOUT).isPresent();
  }

  public static boolean isOpaque(Directory parent, byte[] name) {
    return parent.xattr(name, OPAQUE).filter(value -> Arrays.equals(value, YES)).isPresent();
  }

  public static void makeOpaque(Directory parent, byte[] name) {
    parent.setXattr(name, OPAQUE, YES);
  }

  public static void makeOpaque(Directory directory) {
    directory.setXattr(OPAQUE, YES);
  }
}
