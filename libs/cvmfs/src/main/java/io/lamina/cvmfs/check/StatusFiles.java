package io.lamina.cvmfs.check;

import java.time.DateTimeException;
import java.time.format.DateTimeFormatter;
import java.time.format.ResolverStyle;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The small files in a repository's root that nothing signs or names by hash. Only their form can
 * be checked; in a date, the weekday has to fit.
 *
 * <p>Source: docs/format/check.md, "What cannot be verified".
 */
final class StatusFiles {
  private static final String REPLICATION = ".cvmfs_master_replica";
  private static final String STATUS = ".cvmfs_status.json";
  private static final String SNAPSHOT = ".cvmfs_last_snapshot";
  private static final String REPLICATION_TEXT =
      "This file marks the repository as replicatable to stratum 1 servers";

  private static final String BLANK = "[ \\t\\r\\n]*";
  private static final String FIELD =
      "\"(?:last_gc|last_snapshot)\"" + BLANK + ":" + BLANK + "\"([^\"\\\\]{1,64})\"";
  private static final Pattern STATUS_FORM =
      Pattern.compile(
          BLANK + "\\{" + BLANK + "(?:" + FIELD + BLANK + "(?:," + BLANK + FIELD + BLANK + ")?)?\\}"
              + BLANK);
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE MMM ppd HH:mm:ss 'UTC' uuuu", Locale.ENGLISH)
          .withResolverStyle(ResolverStyle.STRICT);

  private StatusFiles() {}

  static boolean isKnown(String path) {
    return path.equals(REPLICATION) || path.equals(STATUS) || path.equals(SNAPSHOT);
  }

  static Optional<String> problem(String path, String content) {
    return switch (path) {
      case REPLICATION -> replicationProblem(content);
      case STATUS -> statusProblem(content);
      default -> dateProblem(content.endsWith("\n") ? content.stripTrailing() : content);
    };
  }

  private static Optional<String> replicationProblem(String content) {
    boolean usual = content.isEmpty() || content.equals(REPLICATION_TEXT);
    return usual || content.equals(REPLICATION_TEXT + "\n")
        ? Optional.empty()
        : Optional.of("the marker for replication has an unusual text");
  }

  private static Optional<String> statusProblem(String content) {
    Matcher form = STATUS_FORM.matcher(content);
    if (!form.matches()) {
      return Optional.of("the status is not JSON with the dates that are known");
    }
    for (int group = 1; group <= 2; group++) {
      String date = form.group(group);
      if (date != null && dateProblem(date).isPresent()) {
        return dateProblem(date);
      }
    }
    return Optional.empty();
  }

  private static Optional<String> dateProblem(String text) {
    try {
      DATE.parse(text);
      return Optional.empty();
    } catch (DateTimeException e) {
      return Optional.of("not a date: '" + text + "'");
    }
  }
}
