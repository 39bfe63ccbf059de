package io.lamina.layers.overlay;

import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayersException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One layer while the storage is open. Fields are guarded by {@link #lock} but for {@code record},
 * which others read without, and what {@link #use} and {@link #release} guard by the monitor.
 */
final class Layer {
  final LayerId id;
  final ReentrantLock lock = new ReentrantLock();
  final @Nullable Layer parent;

  private volatile LayerRecord record;

  /** Set once it is removed, or its making has failed; whoever waited for the lock looks. */
  private volatile boolean gone;

  int uses;
  final List<CvmfsRoots.Lease> leases = new ArrayList<>();

  /** A mount of an earlier process whose CVMFS folders do not answer any more. */
  volatile boolean broken;

  private int readers;
  private @Nullable Runnable whenUnused;

  Layer(LayerRecord record, @Nullable Layer parent) {
    this.id = record.id();
    this.record = record;
    this.parent = parent;
  }

  LayerRecord record() {
    return record;
  }

  void record(LayerRecord changed) {
    record = changed;
  }

  boolean isGone() {
    return gone;
  }

  void markGone() {
    gone = true;
  }

  /**
   * Waits for the lock.
   *
   * @throws LayersException.Cancelled if this thread is interrupted
   */
  Locked locked() {
    try {
      lock.lockInterruptibly();
      return lock::unlock;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LayersException.Cancelled("interrupted while waiting for layer " + id);
    }
  }

  /** A lock that is held. */
  interface Locked extends AutoCloseable {
    @Override
    void close();
  }

  /** Somebody reads or writes the layer's files without its lock: they are kept meanwhile. */
  synchronized void use() {
    readers++;
  }

  void release() {
    Runnable last = null;
    synchronized (this) {
      if (--readers == 0) {
        last = whenUnused;
        whenUnused = null;
      }
    }
    if (last != null) {
      last.run();
    }
  }

  /** Runs the action now, or with the last {@link #release}. */
  void whenUnused(Runnable action) {
    synchronized (this) {
      if (readers > 0) {
        whenUnused = action;
        return;
      }
    }
    action.run();
  }
}
