package io.lamina.converter.work;

import io.lamina.converter.layer.ObjectSink;
import io.lamina.messaging.event.Event.LayerConverted;
import io.lamina.messaging.event.Event.LayerRequested;
import java.io.InputStream;

/** Turns a layer's blob into objects and a catalog. Thread-safe. */
@FunctionalInterface
public interface LayerConversion {
  /**
   * Returns when blob and archive are verified and all objects are durable.
   *
   * @param blob raw bytes from the first on; closed by the callee, or by the caller again
   */
  LayerConverted convert(
      LayerRequested work, InputStream blob, ObjectSink sink, Jobs.Progress progress)
      throws InterruptedException;
}
