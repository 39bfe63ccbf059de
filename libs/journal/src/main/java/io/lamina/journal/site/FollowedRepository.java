package io.lamina.journal.site;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.journal.JournalException;
import io.lamina.journal.replay.CopyFigures;
import io.lamina.journal.replay.MissingObject;
import io.lamina.journal.replay.Needed;
import io.lamina.journal.replay.TreeCopy;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.repository.GraftCheck;
import io.lamina.repository.ObjectUploads;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryView;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** One of this site's repositories and the one of another site that it follows. For one thread. */
final class FollowedRepository implements SiteFollower.Session, Following.Here, Following.Copy {
  /**
   * An object that is there and older is stored again: nothing may refer to it any more, and then a
   * collection may be about to remove it. A tree's objects are at most so much older than its
   * catalog, and a collection leaves a day; see docs/storage.md, "Removing old objects".
   */
  private static final Duration FRESH = Duration.ofHours(8);

  private final SiteProcess.Source source;
  private final Repository repository;
  private final RepositoryView view;
  private final TreeCopy copy;
  private final CopyFigures figures = new CopyFigures();
  private final GraftCheck check;
  private final Following following;
  private final SiteMetrics metrics;

  FollowedRepository(
      SiteProcess.Source source,
      Repository repository,
      SiteSettings settings,
      SiteMetrics metrics,
      Clock clock,
      BooleanSupplier stopped) {
    this.source = source;
    this.repository = repository;
    this.view = repository.view();
    this.check = new GraftCheck(repository.store());
    this.metrics = metrics;
    ObjectUploads uploads = repository.uploads();
    this.copy =
        new TreeCopy(
            source.objects(),
            uploads,
            (kind, hash) -> uploads.isFresh(kind, hash, clock.instant().minus(FRESH)),
            settings.objectsAtOnce(),
            stopped,
            figures);
    this.following =
        new Following(
            settings.selection(),
            new SourceRepository(source.objects(), source.head(), source.keys()),
            this,
            this);
  }

  @Override
  public Following.Outcome follow(TransactionPublished event) {
    view.refresh();
    try {
      Following.Outcome outcome = following.follow(event);
      metrics.reachable(true);
      return outcome;
    } catch (JournalException.Retryable | JournalException.Rejected e) {
      metrics.reachable(false);
      throw e;
    }
  }

  @Override
  public Optional<ContentHash> catalogAt(RepositoryPath path) {
    return view.catalogAt(path);
  }

  @Override
  public boolean exists(RepositoryPath path) {
    return view.lookup(path).isPresent();
  }

  @Override
  public List<MissingObject> copy(List<Needed> wanted) {
    long objects = figures.objectsCopied();
    long bytes = figures.bytesCopied();
    try {
      return copy.copy(wanted);
    } finally {
      metrics.copied(figures.objectsCopied() - objects, figures.bytesCopied() - bytes);
    }
  }

  @Override
  public Optional<String> difference(Graft graft) {
    return check.difference(graft);
  }

  @Override
  public void close() {
    copy.close();
    view.close();
    repository.close();
    source.close();
  }
}
