package io.lamina.converter;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.image.ImageException;
import io.lamina.repository.RepositoryException;
import io.lamina.storage.StorageException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a failure means for the request or the piece of work that met it: the one table from
 * exceptions to actions. Immutable.
 *
 * <p>Source: docs/operations-converting.md, "What failures mean".
 */
public sealed interface Verdict {
  /** For people: what was attempted and why it failed; one line, at most a thousand characters. */
  String reason();

  /** The reason, and what else people have to know when it is the end of the matter. */
  default String explanation() {
    return reason();
  }

  /** Nothing changes by trying again: the requester is told at once. */
  record Hopeless(String reason) implements Verdict {}

  /**
   * Bytes are not what was promised. A broken mirror or a bad transfer may be behind it, so a few
   * more tries are allowed.
   */
  record Suspect(String reason) implements Verdict {}

  /**
   * A registry, a store or the network fails at the moment.
   *
   * @param retryAfter the pause that the other side asked for
   */
  record Passing(String reason, Optional<Duration> retryAfter) implements Verdict {
    @Override
    public String explanation() {
      return reason
          + retryAfter
              .map(asked -> " (the other side asks to wait " + Lengths.text(asked) + ")")
              .orElse("");
    }
  }

  /** Nobody foresaw it: an error of this program, or a JVM at its limits. */
  record Defect(String reason) implements Verdict {}

  /** The thread was told to stop: the work goes back untouched. */
  record Stopped(String reason) implements Verdict {}

  /** How deep a chain of causes is followed. */
  int MAX_CAUSES = 16;

  /** How many characters of a message are passed on. */
  int MAX_REASON_CHARS = 1000;

  /**
   * The first exception in the chain of causes that belongs to a module of ours decides; an
   * interrupt anywhere in the chain, or pending on this thread, comes before all else.
   */
  static Verdict on(Throwable failure) {
    if (Thread.currentThread().isInterrupted() || hasInterrupt(failure)) {
      return new Stopped(reasonOf(failure));
    }
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < MAX_CAUSES; depth++) {
      Verdict verdict = ofOne(cause);
      if (verdict != null) {
        return verdict;
      }
      cause = cause.getCause();
    }
    return ofForeign(failure);
  }

  private static @Nullable Verdict ofOne(Throwable failure) {
    return switch (failure) {
      case ImageException image -> ofImage(image);
      case StorageException storage -> ofStorage(storage);
      case CvmfsException cvmfs -> ofCvmfs(cvmfs);
      case RepositoryException repository -> ofRepository(repository);
      case ConverterException own -> ofOwn(own);
      default -> null;
    };
  }

  private static Verdict ofImage(ImageException failure) {
    String reason = reasonOf(failure);
    return switch (failure) {
      case ImageException.Rejected _ -> new Hopeless(reason);
      case ImageException.NotFound _ -> new Hopeless(reason);
      case ImageException.Corrupt _ -> new Suspect(reason);
      case ImageException.Retryable passing -> new Passing(reason, passing.retryAfter());
    };
  }

  private static Verdict ofStorage(StorageException failure) {
    String reason = "the repository's storage: " + reasonOf(failure);
    return switch (failure) {
      case StorageException.NotFound _ -> new Hopeless(reason);
      case StorageException.Corrupt _ -> new Suspect(reason);
      // Credentials and room are an operator's to mend, so these are worth a few tries as well.
      case StorageException.Retryable _ -> new Passing(reason, Optional.empty());
      case StorageException.Conflict _ -> new Passing(reason, Optional.empty());
      case StorageException.OutcomeUnknown _ -> new Passing(reason, Optional.empty());
      case StorageException.Rejected _ -> new Passing(reason, Optional.empty());
      case StorageException.Exhausted _ -> new Passing(reason, Optional.empty());
    };
  }

  private static Verdict ofCvmfs(CvmfsException failure) {
    String reason = reasonOf(failure);
    return switch (failure) {
      case CvmfsException.Rejected _ -> new Hopeless(reason);
      case CvmfsException.NotFound _ -> new Hopeless(reason);
      case CvmfsException.Corrupt _ -> new Suspect(reason);
      case CvmfsException.Retryable _ -> new Passing(reason, Optional.empty());
    };
  }

  private static Verdict ofRepository(RepositoryException failure) {
    String reason = reasonOf(failure);
    return switch (failure) {
      case RepositoryException.Rejected _ -> new Hopeless(reason);
      case RepositoryException.NotFound _ -> new Hopeless(reason);
      case RepositoryException.Corrupt _ -> new Suspect(reason);
      case RepositoryException.Retryable _ -> new Passing(reason, Optional.empty());
      case RepositoryException.Conflict _ -> new Passing(reason, Optional.empty());
      case RepositoryException.OutcomeUnknown _ -> new Passing(reason, Optional.empty());
    };
  }

  private static Verdict ofOwn(ConverterException failure) {
    String reason = reasonOf(failure);
    return switch (failure) {
      case ConverterException.Rejected _ -> new Hopeless(reason);
      case ConverterException.Retryable _ -> new Passing(reason, Optional.empty());
    };
  }

  private static Verdict ofForeign(Throwable failure) {
    String name = failure.getClass().getSimpleName();
    return switch (failure) {
      case java.io.IOException _ -> new Passing(name + ": " + reasonOf(failure), Optional.empty());
      case java.io.UncheckedIOException _ ->
          new Passing(name + ": " + reasonOf(failure), Optional.empty());
      default ->
          new Defect(
              "unexpected "
                  + name
                  + " ("
                  + reasonOf(failure)
                  + "); this is a fault of the converter, its log has the trace");
    };
  }

  private static boolean hasInterrupt(Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < MAX_CAUSES; depth++) {
      if (cause instanceof InterruptedException || cause instanceof ClosedByInterruptException) {
        return true;
      }
      cause = cause.getCause();
    }
    return false;
  }

  private static String reasonOf(Throwable failure) {
    String message = failure.getMessage();
    String line =
        (message == null || message.isBlank() ? failure.getClass().getSimpleName() : message)
            .replaceAll("\\p{Cntrl}+", " ")
            .strip();
    return line.length() <= MAX_REASON_CHARS ? line : line.substring(0, MAX_REASON_CHARS) + "…";
  }
}
