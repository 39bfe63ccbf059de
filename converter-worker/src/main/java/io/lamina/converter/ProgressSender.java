package io.lamina.converter;

import io.lamina.messaging.EventProducer;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.event.Event.WorkProgress;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;

/**
 * Sends progress reports on a thread of its own, so that no conversion waits for a broker; where
 * they do not get away fast enough, reports are dropped and counted ({@code
 * converter.progress.dropped}). Thread-safe.
 */
final class ProgressSender implements Consumer<WorkProgress>, AutoCloseable {
  private static final int MAX_WAITING = 256;

  private final EventProducer producer;
  private final Counter dropped;
  private final BlockingQueue<WorkProgress> waiting = new ArrayBlockingQueue<>(MAX_WAITING);
  private final Thread thread = Thread.ofVirtual().name("progress").unstarted(this::run);

  /**
   * @param producer closed by the caller, afterwards
   */
  ProgressSender(EventProducer producer, MeterRegistry meters) {
    this.producer = producer;
    this.dropped = meters.counter("converter.progress.dropped");
  }

  void start() {
    thread.start();
  }

  @Override
  public void accept(WorkProgress report) {
    if (!waiting.offer(report)) {
      dropped.increment();
    }
  }

  private void run() {
    try {
      while (true) {
        producer
            .sendAsync(Outgoing.of(waiting.take()))
            .whenComplete(
                (_, failure) -> {
                  if (failure != null) {
                    dropped.increment();
                  }
                });
      }
    } catch (InterruptedException e) {
      // The process stops; what is left is only for people.
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
