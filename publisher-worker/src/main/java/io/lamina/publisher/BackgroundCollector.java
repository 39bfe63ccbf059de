package io.lamina.publisher;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.messaging.MessagingException;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.CollectionFinished;
import io.lamina.messaging.event.Event.CollectionRequested;
import io.lamina.repository.PublisherBackend;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.collection.CollectionReport;
import io.lamina.repository.collection.CollectionRoots;
import io.lamina.repository.collection.ObjectCollection;
import io.lamina.storage.StorageException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does collections on a thread of its own, one after the other. One that is stopped says nothing:
 * whoever owns the repository then begins it anew. Thread-safe; close it after all that started
 * collections.
 *
 * <p>Source: docs/adr/0071-old-objects-are-condemned-by-age.md.
 */
final class BackgroundCollector implements Collector, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BackgroundCollector.class);

  private final CollectionRules rules;
  private final Consumer<Event> said;
  private final Clock clock;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("collections").factory());

  /**
   * @param said takes the events that tell of collections' ends; may block
   */
  BackgroundCollector(CollectionRules rules, Consumer<Event> said, Clock clock) {
    this.rules = rules;
    this.said = said;
    this.clock = clock;
  }

  /** Whether it is to stop, and a lock that is held while it runs. */
  private static final class Job implements Running {
    final AtomicBoolean stopped = new AtomicBoolean();
    final ReentrantLock running = new ReentrantLock();
    volatile Future<?> task = java.util.concurrent.CompletableFuture.completedFuture(null);

    void checkGoesOn() {
      if (stopped.get()) {
        throw new Stopped();
      }
    }

    @Override
    public void stop() {
      stopped.set(true);
      task.cancel(true);
      running.lock();
      running.unlock();
    }
  }

  /** The repository has another owner now, or the process ends. */
  private static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Stopped() {
      super("stopped", null, false, false);
    }
  }

  @Override
  public Running start(
      CollectionRequested request,
      Repository repository,
      PublisherBackend backend,
      CollectionRoots roots) {
    Job job = new Job();
    job.task = thread.submit(() -> run(job, request, repository, backend, roots));
    return job;
  }

  private void run(
      Job job,
      CollectionRequested request,
      Repository repository,
      PublisherBackend backend,
      CollectionRoots roots) {
    job.running.lock();
    try {
      job.checkGoesOn();
      CollectionFinished end = collect(job, request, repository, backend, roots);
      job.checkGoesOn();
      said.accept(end);
    } catch (Stopped e) {
      LOG.atInfo()
          .addKeyValue("repository", request.repository())
          .addKeyValue("request", request.request())
          .log("a collection was stopped; the repository's next owner begins it anew");
    } catch (MessagingException e) {
      LOG.atError()
          .addKeyValue("repository", request.repository())
          .addKeyValue("request", request.request())
          .addKeyValue("reason", e.getMessage())
          .log("the end of a collection could not be told; cancel it and ask again");
    } finally {
      job.running.unlock();
    }
  }

  private CollectionFinished collect(
      Job job,
      CollectionRequested request,
      Repository repository,
      PublisherBackend backend,
      CollectionRoots roots) {
    if (!repository.definition().settings().garbageCollectable()) {
      return failed(request, "the repository's definition says that nothing of it is collected");
    }
    try (ObjectCollection collection =
        new ObjectCollection(
            repository.store(),
            backend,
            rules.in(repository.workFolder().resolve("collections")),
            clock,
            request.dryRun())) {
      CollectionReport report = collection.run(roots, job::checkGoesOn);
      if (!request.dryRun()) {
        CollectionMark.write(repository.store(), clock.instant());
      }
      LOG.atInfo()
          .addKeyValue("repository", request.repository())
          .addKeyValue("request", request.request())
          .addKeyValue("dryRun", report.dryRun())
          .addKeyValue("removed", report.removed())
          .addKeyValue("kept", report.kept())
          .addKeyValue("revisions", report.revisions())
          .log("collected");
      return new CollectionFinished(
          request.repository(), request.request(), true, report.toString());
    } catch (RepositoryException
        | StorageException
        | CvmfsException
        | UncheckedIOException
        | IllegalArgumentException e) {
      job.checkGoesOn();
      LOG.atError()
          .addKeyValue("repository", request.repository())
          .addKeyValue("request", request.request())
          .addKeyValue("reason", e.getMessage())
          .log("a collection broke off; what is referred to is all there");
      return failed(request, String.valueOf(e.getMessage()));
    }
  }

  private static CollectionFinished failed(CollectionRequested request, String reason) {
    return new CollectionFinished(request.repository(), request.request(), false, reason);
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
