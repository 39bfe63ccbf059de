package io.lamina.journal;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.JournalRecord;
import io.lamina.messaging.MessagingException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * Brings a topic's journal up to what another journal says. What the topic has already must be the
 * same and is not said again; what would leave a gap is refused. Interrupted at any point, it can
 * be repeated and goes on. No publisher may publish to the repository meanwhile. Not thread-safe.
 *
 * <p>Source: docs/adr/0060-the-journal-as-a-file.md.
 */
public final class JournalImport {
  private static final int MAX_BATCH = 200;
  private static final long MAX_BATCH_BYTES = 4 << 20;

  private final Journal source;
  private final Journal target;
  private final Appending appending;

  /** Says records, all of them or none. */
  @FunctionalInterface
  public interface Appending {
    void append(List<JournalRecord> records);
  }

  /**
   * What an import did with one repository.
   *
   * @param present transactions that the topic had already
   * @param appended transactions that it was told
   */
  public record Result(RepositorySummary source, long present, long appended) {}

  /**
   * @param target what the topic has now
   * @param appending to the same topic
   */
  public JournalImport(Journal source, Journal target, Appending appending) {
    this.source = source;
    this.target = target;
    this.appending = appending;
  }

  /**
   * Imports one repository.
   *
   * @param allowLaterStart whether a journal that does not begin with revision 1 may begin a
   *     topic's
   * @throws JournalException.NotFound if the source has nothing of it
   * @throws JournalException.Rejected if the topic says something else, or there would be a gap
   */
  public Result run(
      RepositoryName repository, boolean allowLaterStart, Consumer<JournalEntry> progress) {
    RepositorySummary offered =
        RepositorySummary.of(source, repository)
            .orElseThrow(
                () ->
                    new JournalException.NotFound(source + " has no transaction of " + repository));
    Present present = present(repository, offered);
    long next = requireFit(offered, present, allowLaterStart);
    long known =
        Math.max(0, Math.min(next - 1, offered.lastRevision()) - offered.firstRevision() + 1);
    if (next > offered.lastRevision()) {
      return new Result(offered, known, 0);
    }
    Batches batches = new Batches(progress);
    source.read(
        repository,
        entry -> {
          long revision = entry.event().revision();
          present.requireSame(entry);
          if (revision >= next && revision <= offered.lastRevision()) {
            batches.add(entry);
          }
          return true;
        });
    batches.flush();
    return new Result(offered, known, batches.count);
  }

  /**
   * What the topic has.
   *
   * @param atOffered its root at the last revision that is offered, if it has that
   */
  private record Present(Optional<RepositorySummary> summary, Optional<ContentHash> atOffered) {
    /** The chain of roots is the same below where one root is the same. */
    void requireSame(JournalEntry entry) {
      summary
          .filter(there -> there.lastRevision() == entry.event().revision())
          .filter(there -> !there.lastRoot().equals(entry.event().root()))
          .ifPresent(
              there -> {
                throw otherHistory(there, entry.event().root());
              });
    }
  }

  private Present present(RepositoryName repository, RepositorySummary offered) {
    RepositorySummary.Builder summary = new RepositorySummary.Builder(repository);
    AtomicReference<ContentHash> at = new AtomicReference<>();
    target.read(
        repository,
        entry -> {
          summary.add(entry);
          if (entry.event().revision() == offered.lastRevision()) {
            at.set(entry.event().root());
          }
          return true;
        });
    return new Present(summary.build(), Optional.ofNullable(at.get()));
  }

  /** The first revision that is to be said. */
  private long requireFit(RepositorySummary offered, Present present, boolean allowLaterStart) {
    if (present.summary().isEmpty()) {
      if (offered.firstRevision() > 1 && !allowLaterStart) {
        throw new JournalException.Rejected(
            source
                + " begins with revision "
                + offered.firstRevision()
                + " of "
                + offered.repository()
                + ", and "
                + target
                + " has nothing of it: import what comes before first");
      }
      return offered.firstRevision();
    }
    RepositorySummary there = present.summary().get();
    if (there.lastRevision() >= offered.lastRevision()) {
      if (present.atOffered().isPresent()
          && !present.atOffered().get().equals(offered.lastRoot())) {
        throw otherHistory(there, offered.lastRoot());
      }
      if (offered.firstRevision() < there.firstRevision()) {
        throw new JournalException.Rejected(
            target
                + " begins with revision "
                + there.firstRevision()
                + " of "
                + offered.repository()
                + "; what comes before it cannot be said afterwards");
      }
      return offered.lastRevision() + 1;
    }
    if (offered.firstRevision() > there.lastRevision() + 1) {
      throw new JournalException.Rejected(
          target
              + " ends with revision "
              + there.lastRevision()
              + " of "
              + offered.repository()
              + " and "
              + source
              + " begins with "
              + offered.firstRevision()
              + ": what lies between is missing");
    }
    if (offered.firstRevision() == there.lastRevision() + 1
        && !offered.firstBase().equals(there.lastRoot())) {
      throw otherHistory(there, offered.firstBase());
    }
    return there.lastRevision() + 1;
  }

  private static JournalException.Rejected otherHistory(
      RepositorySummary there, ContentHash offered) {
    return new JournalException.Rejected(
        "the journals of "
            + there.repository()
            + " tell different histories: at revision "
            + there.lastRevision()
            + " or before, the topic ended on root "
            + there.lastRoot()
            + " and what is imported says "
            + offered);
  }

  /** Bounded in number and bytes. */
  private final class Batches {
    private final Consumer<JournalEntry> progress;
    private final List<JournalRecord> batch = new ArrayList<>();
    private final List<JournalEntry> entries = new ArrayList<>();
    private long bytes;
    private long count;

    Batches(Consumer<JournalEntry> progress) {
      this.progress = progress;
    }

    void add(JournalEntry entry) {
      batch.add(
          new JournalRecord(
              entry.event().repository().value(), entry.type(), entry.value(), entry.writtenAt()));
      entries.add(entry);
      bytes += entry.value().length;
      if (batch.size() >= MAX_BATCH || bytes >= MAX_BATCH_BYTES) {
        flush();
      }
    }

    void flush() {
      if (batch.isEmpty()) {
        return;
      }
      try {
        appending.append(List.copyOf(batch));
      } catch (MessagingException e) {
        throw new JournalException.Retryable(
            "the import stopped: " + e.getMessage() + "; repeat it, it goes on where it was", e);
      }
      count += batch.size();
      entries.forEach(progress);
      entries.clear();
      batch.clear();
      bytes = 0;
    }
  }
}
