package io.lamina.converter;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Tasks on virtual threads that begin and end together: the first failure, the deadline or an
 * interrupt of the owner cancels the rest. For one owner thread.
 *
 * @param <T> what each task gives
 */
public final class TaskScope<T> implements AutoCloseable {
  /** How long closing waits for tasks that were told to stop. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  private final String name;
  private final ExecutorService threads;
  private final CompletionService<T> finished;
  private final List<Future<T>> forked = new ArrayList<>();

  /**
   * @param name of what the tasks do together, for threads and messages
   */
  public TaskScope(String name) {
    this.name = name;
    threads = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name(name + "-", 0).factory());
    finished = new ExecutorCompletionService<>(threads);
  }

  /** One task with a time limit. */
  public static <T> T within(Duration limit, String name, Callable<T> task)
      throws InterruptedException {
    try (TaskScope<T> scope = new TaskScope<>(name)) {
      scope.fork(task);
      return scope.join(limit).getFirst();
    }
  }

  public void fork(Callable<T> task) {
    forked.add(finished.submit(task));
  }

  /**
   * The tasks' results in the order of their forks.
   *
   * @throws ConverterException.Retryable if they are not done within {@code limit}
   * @throws RuntimeException the first failure, as the task threw it
   */
  public List<T> join(Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    try {
      for (int done = 0; done < forked.size(); done++) {
        Future<T> next = finished.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        if (next == null) {
          throw new ConverterException.Retryable(name + ": not done within " + Lengths.text(limit));
        }
        next.get();
      }
      List<T> results = new ArrayList<>();
      for (Future<T> task : forked) {
        results.add(task.resultNow());
      }
      return results;
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        case InterruptedException interrupt -> throw interrupt;
        case null, default -> throw new IllegalStateException(e.getCause());
      }
    } finally {
      forked.forEach(task -> task.cancel(true));
    }
  }

  /** Interrupts what still runs and waits a few seconds; a task that ignores it is left behind. */
  @Override
  public void close() {
    threads.shutdownNow();
    boolean interrupted = false;
    try {
      threads.awaitTermination(GRACE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
