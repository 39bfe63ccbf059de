package io.lamina.client.fuse;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A read-only file system that the kernel asks by node numbers; the root is node 1. Nobody is told
 * of files that are opened: the kernel keeps the node of an open file, which is all that reading
 * needs. Methods are called by many threads at once and may block; where they fail they throw
 * {@link FuseError}, and anything else becomes an input/output error.
 */
public interface FuseFileSystem {
  long ROOT = 1;

  /**
   * The entry of a directory, or {@link Attributes#absent}; counts one reference of the kernel's to
   * the node.
   */
  Attributes lookup(long directory, byte[] name);

  /** The kernel gives back references to a node. */
  void forget(long node, long references);

  Attributes attributes(long node);

  byte[] readLink(long node);

  /** Fills the start of the target; fewer bytes than it has only at the end of the file. */
  long read(long node, MemorySegment target, long offset);

  /**
   * Adds entries from the one with this number on, until one does not fit; counts one reference for
   * each node whose attributes are added.
   *
   * @param from 0 for the first, else what an entry before named as next
   */
  void readDirectory(long node, long from, DirectoryBuffer entries);

  /** The value; null if there is no such attribute. */
  byte @Nullable [] extendedAttribute(long node, byte[] name);

  /** All names, each followed by NUL. */
  byte[] extendedAttributes(long node);

  FileSystemSize size();

  /** What {@code statfs} shows, in blocks of 4 KiB. */
  record FileSystemSize(long blocks, long freeBlocks, long files) {}

  /** No request comes any more. */
  void destroyed();
}
