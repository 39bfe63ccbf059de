package io.lamina.journal.replay;

import java.util.concurrent.atomic.LongAdder;

/** How much was copied so far. Thread-safe. */
public final class CopyFigures {
  private final LongAdder objects = new LongAdder();
  private final LongAdder bytes = new LongAdder();
  private final LongAdder present = new LongAdder();

  void copied(long sizeBytes) {
    objects.increment();
    bytes.add(sizeBytes);
  }

  void present() {
    present.increment();
  }

  public long objectsCopied() {
    return objects.sum();
  }

  public long bytesCopied() {
    return bytes.sum();
  }

  /** Trees and objects that were there already. */
  public long objectsPresent() {
    return present.sum();
  }
}
