package io.lamina.journal.replay;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalEntry;
import io.lamina.journal.JournalException;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.repository.Committed;
import io.lamina.repository.ObjectUploads;
import io.lamina.repository.PublisherBackend;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Rebuilds a repository from a journal: copies the objects that a window of transactions names,
 * commits these transactions, and insists on the root that the journal says for each before it
 * becomes visible. The repository's own revision says how far it is: whatever ends a replay, the
 * next one goes on from there. While a window is committed the objects of the next are copied.
 *
 * <p>Source: docs/adr/0061-replay.md. One use by one thread.
 */
public final class Replay {
  private static final int MAX_KEPT_MISSING = 100_000;

  /**
   * How much is done at once.
   *
   * @param objectsAtOnce objects that are copied at the same time
   * @param windowTransactions transactions whose objects are copied before they are committed
   * @param windowBytes of their events, held in memory
   */
  public record Settings(int objectsAtOnce, int windowTransactions, long windowBytes) {
    public static final Settings STANDARD = new Settings(16, 64, 16L << 20);

    public Settings {
      if (objectsAtOnce < 1 || objectsAtOnce > 1024 || windowTransactions < 1 || windowBytes < 1) {
        throw new JournalException.Rejected(
            "a replay copies 1 to 1024 objects at once, not " + objectsAtOnce);
      }
    }

    public Settings withObjectsAtOnce(int other) {
      return new Settings(other, windowTransactions, windowBytes);
    }

    public Settings withWindow(int transactions) {
      return new Settings(objectsAtOnce, transactions, windowBytes);
    }
  }

  /** How far a replay is. Immutable. */
  public record Progress(
      long revision,
      long lastRevision,
      long objectsCopied,
      long bytesCopied,
      long objectsPresent,
      long objectsMissing) {}

  /**
   * What a replay works with.
   *
   * @param remaker for what the sources lack
   * @param stopped asked often, by several threads; a replay that is told so ends soon
   * @param listener told after each window and each committed transaction, by several threads in
   *     turn
   * @param figures of all that is copied
   */
  public record Means(
      ObjectSources sources,
      Remaker remaker,
      Settings settings,
      BooleanSupplier stopped,
      Consumer<Progress> listener,
      CopyFigures figures) {
    public Means(
        ObjectSources sources,
        Remaker remaker,
        Settings settings,
        BooleanSupplier stopped,
        Consumer<Progress> listener) {
      this(sources, remaker, settings, stopped, listener, new CopyFigures());
    }

    TreeCopy copyInto(ObjectUploads target) {
      return new TreeCopy(
          sources, target, target::contains, settings.objectsAtOnce(), stopped, figures);
    }
  }

  /** How it ended. */
  public sealed interface Outcome {
    Progress progress();

    /**
     * The repository shows the last revision.
     *
     * @param unshown missing objects that only earlier revisions show
     */
    record Done(Progress progress, List<MissingObject> unshown) implements Outcome {}

    /** It was asked to stop; another run goes on. */
    record Stopped(Progress progress) implements Outcome {}

    /**
     * Objects that the last revision shows are in no source: the repository was left at the
     * revision before the first that needs one. Another run goes on when they are there.
     */
    record Incomplete(Progress progress, List<MissingObject> missing) implements Outcome {}
  }

  /** It ended before there was a repository. */
  public static final class Ended extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient Outcome outcome;

    Ended(Outcome outcome) {
      this.outcome = outcome;
    }

    public Outcome outcome() {
      return outcome;
    }
  }

  private final Journal journal;
  private final ReplayPlan plan;
  private final Repository target;
  private final Means means;
  private final List<MissingObject> missing = new ArrayList<>();
  private final List<MissingObject> unshown = new ArrayList<>();
  private final LongAdder missingCount = new LongAdder();
  private volatile long committed;

  /**
   * @param target at a revision of the same history, or new
   */
  public Replay(Journal journal, ReplayPlan plan, Repository target, Means means) {
    this.journal = journal;
    this.plan = plan;
    this.target = target;
    this.means = means;
  }

  /**
   * Goes on from the target's revision to the plan's last.
   *
   * @throws JournalException.Rejected if the target shows something else than the journal at its
   *     revision, or a transaction comes to another root; what is visible is as the journal says
   * @throws JournalException.Retryable and {@link io.lamina.repository.RepositoryException} for
   *     passing failures: another run goes on
   */
  public Outcome run() {
    try (RepositoryWriter writer =
            target.writerOfMany(catalog -> Optional.ofNullable(plan.removed().get(catalog)));
        TreeCopy copy = means.copyInto(target.uploads());
        ExecutorService committer =
            Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name("replay-" + target.name()).factory())) {
      Manifest head = writer.head();
      requireStart(head);
      // A replay that was killed may have left the record of what is said already.
      writer.forgetRecord(head.rootCatalog());
      committed = head.revision();
      Run run = new Run(writer, copy, committer, head);
      boolean wasStopped = run.go();
      writer.settle();
      Progress progress = progress();
      if (!missing.isEmpty()) {
        return new Outcome.Incomplete(progress, List.copyOf(missing));
      }
      return wasStopped
          ? new Outcome.Stopped(progress)
          : new Outcome.Done(progress, List.copyOf(unshown));
    }
  }

  private void requireStart(Manifest head) {
    if (head.revision() > plan.lastRevision()) {
      throw new JournalException.Rejected(
          target.name()
              + " is at revision "
              + head.revision()
              + " already; the journal is to be replayed up to "
              + plan.lastRevision());
    }
    if (head.revision() < plan.firstRevision() - 1) {
      throw new JournalException.Rejected(
          target.name()
              + " is at revision "
              + head.revision()
              + ", and "
              + journal
              + " begins with "
              + plan.firstRevision()
              + ": what lies between is missing");
    }
    if (head.revision() == plan.firstRevision() - 1
        && !head.rootCatalog().equals(plan.firstBase())) {
      throw differs(head, plan.firstBase());
    }
  }

  private JournalException.Rejected differs(Manifest head, ContentHash said) {
    return new JournalException.Rejected(
        target.name()
            + " shows root "
            + head.rootCatalog()
            + " at revision "
            + head.revision()
            + ", and "
            + journal
            + " says "
            + said
            + ": it is another repository, or was made at another time or with another time to"
            + " live; nothing was changed");
  }

  private Progress progress() {
    return new Progress(
        committed,
        plan.lastRevision(),
        means.figures().objectsCopied(),
        means.figures().bytesCopied(),
        means.figures().objectsPresent(),
        missingCount.sum());
  }

  /** The windows of one run. */
  private final class Run {
    private final RepositoryWriter writer;
    private final TreeCopy copy;
    private final Bringing bringing;
    private final ExecutorService committer;
    private final Manifest head;
    private List<TransactionPublished> window = new ArrayList<>();
    private long windowBytes;
    private @Nullable Future<?> commit;

    Run(RepositoryWriter writer, TreeCopy copy, ExecutorService committer, Manifest head) {
      this.writer = writer;
      this.copy = copy;
      this.bringing =
          new Bringing(
              copy,
              means.remaker(),
              target.store(),
              needed -> Bringing.isWorthMaking(needed, plan.shown().contains(needed.hash())));
      this.committer = committer;
      this.head = head;
    }

    /** Whether it was stopped. */
    boolean go() {
      try {
        journal.read(plan.source(), this::take);
        hand();
        join();
        return committed < plan.lastRevision() && missing.isEmpty();
      } catch (TreeCopy.Stopped e) {
        try {
          join();
        } catch (TreeCopy.Stopped both) {
          return true;
        }
        return true;
      } catch (RuntimeException | Error e) {
        try {
          join();
        } catch (RuntimeException second) {
          e.addSuppressed(second);
        }
        throw e;
      }
    }

    private boolean take(JournalEntry entry) {
      TransactionPublished event = entry.event();
      if (event.revision() == head.revision() && !event.root().equals(head.rootCatalog())) {
        throw differs(head, event.root());
      }
      if (event.revision() <= head.revision()) {
        noteAgain(event);
        return true;
      }
      if (event.revision() > plan.lastRevision()) {
        return false;
      }
      window.add(event);
      windowBytes += entry.value().length;
      if (window.size() >= means.settings().windowTransactions()
          || windowBytes >= means.settings().windowBytes()) {
        hand();
      }
      return event.revision() < plan.lastRevision();
    }

    /** Replays that were killed may have left some revisions out of the reflog. */
    private void noteAgain(TransactionPublished event) {
      writer.note(
          new Tag.Snapshot(
              event.root(), event.rootSizeBytes(), event.revision(), event.timestampSeconds()));
    }

    /** Copies what the window needs, and lets it be committed when the one before is. */
    private void hand() {
      List<TransactionPublished> full = window;
      window = new ArrayList<>();
      windowBytes = 0;
      List<Needed> needed = full.stream().flatMap(e -> Needed.of(e).stream()).toList();
      bringing.bring(needed).forEach(this::note);
      means.listener().accept(progress());
      join();
      // Once something is missing that the end needs, the rest is only looked at: all that is
      // missing is to be known at once.
      if (missing.isEmpty() && !full.isEmpty()) {
        commit = committer.submit(() -> commit(full));
      }
    }

    private void note(MissingObject object) {
      missingCount.increment();
      List<MissingObject> list = isShown(object) ? missing : unshown;
      if (list.size() < MAX_KEPT_MISSING) {
        list.add(object);
      }
    }

    private boolean isShown(MissingObject object) {
      return plan.shown().contains(object.tree());
    }

    private void join() {
      Future<?> running = commit;
      commit = null;
      if (running == null) {
        return;
      }
      try {
        running.get();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof RuntimeException cause) {
          throw cause;
        }
        if (e.getCause() instanceof Error cause) {
          throw cause;
        }
        throw new IllegalStateException("committing failed", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new JournalException.Retryable("interrupted while committing", e);
      }
    }

    private void commit(List<TransactionPublished> events) {
      try {
        events.forEach(this::commit);
      } catch (RuntimeException e) {
        try {
          writer.settle();
        } catch (RuntimeException second) {
          e.addSuppressed(second);
        }
        throw e;
      }
      writer.settle();
    }

    private void commit(TransactionPublished event) {
      if (means.stopped().getAsBoolean()) {
        throw new TreeCopy.Stopped();
      }
      Check check = new Check(event);
      Committed result = writer.commit(event.changes(), event.timestampSeconds(), check);
      if (!result.isPublished()) {
        throw new JournalException.Rejected(
            "revision "
                + event.revision()
                + " of "
                + event.repository()
                + " changes nothing here: the repository shows all of it already, at root "
                + result.root());
      }
      writer.forgetRecord(result.root());
      committed = result.revision();
      means.listener().accept(progress());
    }
  }

  /** Looks at what is about to be committed, before it is. */
  private record Check(TransactionPublished said) implements PublisherBackend.Recorder {
    @Override
    public byte[] record(Committed about) {
      if (!about.previousRoot().equals(said.previousRoot())
          || about.revision() != said.revision()) {
        throw new JournalException.Rejected(
            "somebody else publishes to the repository: it is at revision "
                + (about.revision() - 1)
                + ", root "
                + about.previousRoot()
                + ", and the journal's next transaction makes revision "
                + said.revision()
                + " of root "
                + said.previousRoot());
      }
      if (!about.root().equals(said.root())) {
        throw new JournalException.Rejected(
            "revision "
                + said.revision()
                + " of "
                + said.repository()
                + " comes to root "
                + about.root()
                + " ("
                + about.rootSizeBytes()
                + " bytes), and the journal says "
                + said.root()
                + " ("
                + said.rootSizeBytes()
                + " bytes); "
                + difference(about)
                + ". Nothing of it was published");
      }
      return new byte[0];
    }

    private String difference(Committed about) {
      if (!about.effective().equals(said.changes())) {
        for (int i = 0; i < Math.max(about.effective().size(), said.changes().size()); i++) {
          String here = i < about.effective().size() ? about.effective().get(i).toString() : "none";
          String there = i < said.changes().size() ? said.changes().get(i).toString() : "none";
          if (!here.equals(there)) {
            return "change " + (i + 1) + " is " + here + " here and " + there + " there";
          }
        }
      }
      return about.timestampSeconds() != said.timestampSeconds()
          ? "its time is "
              + about.timestampSeconds()
              + " here, "
              + said.timestampSeconds()
              + " there"
          : "its changes are the same, so the release that published it writes catalogs differently";
    }
  }
}
