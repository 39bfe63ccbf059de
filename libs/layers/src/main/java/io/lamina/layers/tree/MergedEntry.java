package io.lamina.layers.tree;

import io.lamina.linux.Directory;
import io.lamina.linux.FileStatus;
import java.util.List;

/**
 * What several layers together have under one name.
 *
 * @param holders layers' directories that have it, the topmost first; all have a directory if there
 *     are several
 * @param status of the topmost
 * @param whiteout whether it is only a mark that hides what lies below these layers
 * @param replaces whether, being a directory, it shows nothing of what lies below these layers
 */
public record MergedEntry(
    byte[] name, List<Directory> holders, FileStatus status, boolean whiteout, boolean replaces) {
  /** The directory that holds the topmost. */
  public Directory holder() {
    return holders.getFirst();
  }

  public boolean isDirectory() {
    return !whiteout && status.isDirectory();
  }
}
