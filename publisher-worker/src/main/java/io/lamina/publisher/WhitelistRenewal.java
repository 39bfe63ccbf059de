package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import java.time.Clock;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at every repository's whitelist from time to time. {@link #close} is idempotent. */
final class WhitelistRenewal implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WhitelistRenewal.class);

  private final Repositories repositories;
  private final PublisherSettings settings;
  private final Clock clock;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("whitelists").factory());

  WhitelistRenewal(Repositories repositories, PublisherSettings settings, Clock clock) {
    this.repositories = repositories;
    this.settings = settings;
    this.clock = clock;
  }

  void start() {
    timer.scheduleWithFixedDelay(
        this::renewAll, 0, settings.whitelistInterval().toMillis(), TimeUnit.MILLISECONDS);
  }

  void renewAll() {
    try {
      repositories.list().forEach(this::renew);
    } catch (RuntimeException e) { // the thread's top: the next round may do better
      LOG.atError().setCause(e).log("looking at the whitelists failed");
    }
  }

  private void renew(RepositoryName name) {
    try (Repository repository = repositories.open(name)) {
      repository.renewWhitelist(settings.whitelistLeft(), settings.whitelistLife(), clock);
    } catch (RuntimeException e) { // one repository's trouble is not the others'
      LOG.atError()
          .addKeyValue("repository", name)
          .setCause(e)
          .log("the whitelist could not be looked at");
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
