package io.lamina.journal.site;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.event.SiteOrigin;
import java.util.Map;
import java.util.TreeMap;

/**
 * How one other site is followed. Immutable.
 *
 * @param name what it is called here
 * @param topic the copy of its journal in this site's cluster
 * @param round raised to follow it again from the beginning
 * @param repositories which of its repositories, and the repository of this site that each goes to
 * @param selection which images of them
 * @param objectsAtOnce how many objects are copied at the same time, in each partition
 */
public record SiteSettings(
    String name,
    String topic,
    int round,
    Map<RepositoryName, RepositoryName> repositories,
    SiteSelection selection,
    int objectsAtOnce) {
  private static final String TOPIC = "[A-Za-z0-9._-]{1,249}";

  public SiteSettings {
    repositories = Map.copyOf(repositories);
    if (!SiteOrigin.isSiteName(name)) {
      throw new IllegalArgumentException(
          "a site's name has 1 to 40 lower-case letters, digits and '-', not '" + name + "'");
    }
    if (!topic.matches(TOPIC)) {
      throw new IllegalArgumentException("not a topic's name: '" + topic + "'");
    }
    if (round < 1 || objectsAtOnce < 1) {
      throw new IllegalArgumentException(
          "rounds and objects at once are at least 1: " + round + ", " + objectsAtOnce);
    }
    if (repositories.isEmpty()) {
      throw new IllegalArgumentException("site " + name + " is followed in no repository");
    }
    if (repositories.values().stream().distinct().count() < repositories.size()) {
      throw new IllegalArgumentException(
          "two repositories of site "
              + name
              + " go to the same one: "
              + new TreeMap<>(repositories));
    }
  }

  /** The consumer group that follows; one that follows again is another. */
  public String group() {
    return "lamina.site." + name + "." + round;
  }
}
