package io.lamina.standalone.bench;

import java.io.IOException;

/** A client in a process of its own, whose mount is measured. One thread. */
interface MountedClient extends AutoCloseable {
  /** Mounts with whatever the cache holds; returns when the root can be read. */
  void mount() throws IOException, InterruptedException;

  /** Unmounts; returns when the client has given up its cache. */
  void unmount() throws IOException, InterruptedException;

  /** Empties the cache; nothing is mounted. */
  void clear() throws IOException;

  /** Processor time of the client so far, of what was mounted since it began. */
  long cpuNanos();

  /** Unmounts if need be, and ends the process. */
  @Override
  void close() throws IOException;
}
