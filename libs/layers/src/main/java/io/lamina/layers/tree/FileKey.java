package io.lamina.layers.tree;

import io.lamina.linux.FileStatus;

/** What makes several names one file. Inodes alone do not: layers lie on several file systems. */
public record FileKey(long device, long inode) {
  public static FileKey of(FileStatus status) {
    return new FileKey(status.device(), status.inode());
  }
}
