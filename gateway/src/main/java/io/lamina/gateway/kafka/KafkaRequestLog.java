package io.lamina.gateway.kafka;

import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.request.RequestLog;
import io.lamina.gateway.request.TraceContext;
import io.lamina.messaging.EventTransactions;
import io.lamina.messaging.MessagingException;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.event.Event;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log on Kafka's topics. Each append waits for its transaction on a virtual thread of its own;
 * how many wait at once is bounded, more are refused. Thread-safe.
 */
public final class KafkaRequestLog implements RequestLog, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaRequestLog.class);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(2);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);

  private final EventTransactions transactions;
  private final int maxWaiting;
  private final Semaphore room;
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("gateway-log-", 0).factory());

  /**
   * @param transactions not closed here
   * @param maxWaiting appends that may wait at once
   */
  public KafkaRequestLog(EventTransactions transactions, int maxWaiting) {
    this.transactions = transactions;
    this.maxWaiting = maxWaiting;
    this.room = new Semaphore(maxWaiting);
  }

  @Override
  public CompletionStage<Void> append(List<Event> events, TraceContext trace) {
    if (!room.tryAcquire()) {
      return CompletableFuture.failedStage(
          new GatewayException.Refused(
              ProblemType.TOO_MANY_REQUESTS,
              maxWaiting + " requests wait to be written, which is the bound; try again later",
              RETRY_AFTER));
    }
    List<Outgoing> records =
        events.stream()
            .map(e -> Outgoing.of(e).tracedAs(Optional.of(trace.traceparent())))
            .toList();
    CompletableFuture<Void> result = new CompletableFuture<>();
    try {
      threads.execute(() -> write(records, trace, result));
    } catch (RejectedExecutionException e) {
      room.release();
      result.completeExceptionally(new GatewayException.Retryable("the gateway is stopping", e));
    }
    return result;
  }

  private void write(List<Outgoing> records, TraceContext trace, CompletableFuture<Void> result) {
    GatewayException failure = null;
    try {
      transactions.send(records);
    } catch (MessagingException e) {
      LOG.atWarn()
          .addKeyValue("trace", trace.traceId())
          .addKeyValue("cause", e.getMessage())
          .log("request was not written to the log");
      failure = translate(e);
    } finally {
      room.release();
    }
    if (failure == null) {
      result.complete(null);
    } else {
      result.completeExceptionally(failure);
    }
  }

  private static GatewayException translate(MessagingException e) {
    return switch (e) {
      case MessagingException.Rejected r ->
          new GatewayException.Refused(
              ProblemType.TOO_LARGE, "the request cannot be written to the log: too large");
      case MessagingException.Fatal f ->
          new GatewayException.Retryable("the log refuses this gateway; its operator must look", f);
      case MessagingException.Retryable r -> unreachable(r);
      case MessagingException.OutcomeUnknown u -> unreachable(u);
      case MessagingException.Corrupt c -> unreachable(c);
      case MessagingException.PartitionLost p -> unreachable(p);
    };
  }

  private static GatewayException unreachable(MessagingException e) {
    return new GatewayException.Retryable("the log did not acknowledge the request in time", e);
  }

  @Override
  public void close() {
    threads.shutdown();
    try {
      threads.awaitTermination(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
