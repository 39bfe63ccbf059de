package io.lamina.messaging.event;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import java.util.regex.Pattern;

/**
 * A transaction of another site. Immutable.
 *
 * @param site what this site calls the other, 1 to 40 of {@code [a-z0-9-]}
 * @param round set anew, the journal is followed again from its beginning; 1 or more
 * @param source the other site's repository
 * @param revision that the transaction made there
 * @param root that it ended on
 */
public record SiteOrigin(
    String site, int round, RepositoryName source, long revision, ContentHash root) {
  private static final Pattern SITE = Pattern.compile("[a-z0-9-]{1,40}");

  public SiteOrigin {
    if (!isSiteName(site)) {
      throw new IllegalArgumentException(
          "a site's name has 1 to 40 lower-case letters, digits and '-', not '" + site + "'");
    }
    if (round < 1 || revision < 1) {
      throw new IllegalArgumentException(
          "rounds and revisions count from 1, not " + round + " and " + revision);
    }
  }

  public static boolean isSiteName(String text) {
    return SITE.matcher(text).matches();
  }

  /** The same for all transactions that follow one another. */
  public String key() {
    return site + "/" + source;
  }
}
