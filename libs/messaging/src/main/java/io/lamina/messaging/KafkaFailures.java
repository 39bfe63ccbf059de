package io.lamina.messaging;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.ApplicationRecoverableException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/** The one table from Kafka's exceptions to this module's. Stateless. */
final class KafkaFailures {
  private KafkaFailures() {}

  static MessagingException translate(String attempted, Throwable failure) {
    Throwable e =
        failure instanceof ExecutionException wrapped && wrapped.getCause() != null
            ? wrapped.getCause()
            : failure;
    String message = "could not " + attempted + ": " + e.getMessage();
    return switch (e) {
      case MessagingException ours -> ours;
      case AuthenticationException _, AuthorizationException _ ->
          new MessagingException.Fatal(message, e);
      case RecordTooLargeException _, RecordBatchTooLargeException _, SerializationException _ ->
          new MessagingException.Rejected(message, e);
      case UnsupportedVersionException _, InvalidConfigurationException _ ->
          new MessagingException.Fatal(message, e);
      // A timeout of an acknowledged write says nothing about the write.
      case org.apache.kafka.common.errors.TimeoutException _ ->
          new MessagingException.OutcomeUnknown(message, e);
      case RetriableException _ -> new MessagingException.Retryable(message, e);
      case ApplicationRecoverableException _ -> new MessagingException.Retryable(message, e);
      default -> new MessagingException.Retryable(message, e);
    };
  }

  /**
   * The answer to an administrator's question or order that may be repeated.
   *
   * @throws MessagingException.Retryable if none came in time, or the broker asks for patience
   * @throws MessagingException.Rejected if the broker refuses
   */
  static <T> T await(String attempted, KafkaFuture<T> answer, Duration timeout) {
    try {
      return answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MessagingException.Retryable("interrupted while waiting to " + attempted, e);
    } catch (TimeoutException e) {
      throw new MessagingException.Retryable(
          "could not " + attempted + " within " + timeout.toSeconds() + " s; are the brokers up?",
          e);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      String message = "could not " + attempted + ": " + cause.getMessage();
      throw cause instanceof RetriableException
          ? new MessagingException.Retryable(message, cause)
          : new MessagingException.Rejected(message, cause);
    }
  }
}
