package io.lamina.messaging;

/**
 * Says what a worker does about a failure of its handler. Thread-safe.
 *
 * <p>Source: docs/protocol/topics.md, "Failures".
 */
@FunctionalInterface
public interface FailurePolicy {
  /** What to do. */
  enum Verdict {
    /** Try again, a bounded number of times, then set the record aside as a dead letter. */
    RETRY,
    /** Something that the record needs is away: try again until it is back. */
    WAIT,
    /** The record can never succeed: set it aside now. */
    REJECT,
    /** This process cannot go on: stop the worker, keep the record. */
    STOP
  }

  Verdict judge(Throwable failure);

  /**
   * For this module's own failures and for what nobody foresaw: brokers out of reach are waited
   * for, bad records rejected, errors of the JVM stop the worker, all else is retried.
   */
  static FailurePolicy standard() {
    return failure ->
        switch (failure) {
          case MessagingException.Retryable _,
              MessagingException.OutcomeUnknown _,
              MessagingException.PartitionLost _ ->
              Verdict.WAIT;
          case MessagingException.Corrupt _, MessagingException.Rejected _ -> Verdict.REJECT;
          case MessagingException.Fatal _ -> Verdict.STOP;
          case VirtualMachineError _, LinkageError _ -> Verdict.STOP;
          default -> Verdict.RETRY;
        };
  }
}
