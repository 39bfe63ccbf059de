package io.lamina.journal.site;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.journal.JournalException;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.PartitionHandler;
import io.lamina.messaging.PartitionScope;
import io.lamina.messaging.Received;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.TransactionFollowed;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.messaging.event.SiteOrigin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows one partition of another site's journal: brings the objects of each transaction here,
 * then asks this site's publisher to publish it. The record counts as done with that request, in
 * one Kafka transaction. Owned by the partition's thread.
 *
 * <p>Source: docs/adr/0063-sites-follow-journals.md.
 */
final class SiteFollower implements PartitionHandler {
  private static final Logger LOG = LoggerFactory.getLogger(SiteFollower.class);

  /** Opens what is needed to follow one repository. */
  @FunctionalInterface
  interface Opener {
    Session open(RepositoryName source, RepositoryName target, PartitionScope scope);
  }

  /** A repository that is followed; closed with the follower. */
  interface Session extends AutoCloseable {
    Following.Outcome follow(TransactionPublished event);

    @Override
    void close();
  }

  private final PartitionScope scope;
  private final SiteSettings settings;
  private final Opener opener;
  private final SiteMetrics metrics;
  private final Map<RepositoryName, Session> open = new HashMap<>();

  SiteFollower(PartitionScope scope, SiteSettings settings, Opener opener, SiteMetrics metrics) {
    this.scope = scope;
    this.settings = settings;
    this.opener = opener;
    this.metrics = metrics;
  }

  @Override
  public void handle(List<Received> batch) {
    List<Received.Position> passed = new ArrayList<>();
    for (Received received : batch) {
      if (scope.isStopping()) {
        break;
      }
      Event event = received.event().orElse(null);
      RepositoryName target =
          event == null ? null : settings.repositories().get(event.repository());
      if (event != null && !(event instanceof TransactionPublished)) {
        scope.setAside(
            received,
            new JournalException.Corrupt(
                event.getClass().getSimpleName() + " is no transaction of a journal"));
      } else if (event instanceof TransactionPublished published && target != null) {
        follow(received, published, target, passed);
      } else {
        passed.add(received.position());
      }
    }
    scope.commit(List.of(), passed);
  }

  private void follow(
      Received received,
      TransactionPublished event,
      RepositoryName target,
      List<Received.Position> passed) {
    metrics.begin(received);
    Session session =
        open.computeIfAbsent(event.repository(), source -> opener.open(source, target, scope));
    Following.Outcome outcome = session.follow(event);
    List<Received.Position> done = new ArrayList<>(passed);
    passed.clear();
    if (outcome.lost().isEmpty()) {
      done.add(received.position());
    } else {
      scope.setAside(received, new JournalException.Corrupt(String.join("; ", outcome.lost())));
    }
    TransactionFollowed followed =
        new TransactionFollowed(
            target,
            new SiteOrigin(
                settings.name(),
                settings.round(),
                event.repository(),
                event.revision(),
                event.root()),
            event.timestampSeconds(),
            outcome.changes());
    scope.commit(List.of(Outgoing.of(followed).causedBy(received)), done);
    metrics.followed(received, outcome);
    LOG.atInfo()
        .addKeyValue("site", settings.name())
        .addKeyValue("source", event.repository())
        .addKeyValue("revision", event.revision())
        .addKeyValue("repository", target)
        .addKeyValue("changes", outcome.changes().size())
        .addKeyValue("unselected", outcome.unselected().size())
        .addKeyValue("lost", outcome.lost().size())
        .log("followed a transaction");
  }

  @Override
  public void close() {
    open.values().forEach(Session::close);
    open.clear();
  }
}
