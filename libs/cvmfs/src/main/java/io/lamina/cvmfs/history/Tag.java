package io.lamina.cvmfs.history;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import java.util.regex.Pattern;

/**
 * A name for a revision.
 *
 * <p>Source: docs/format/history.md, "Tags". Immutable.
 *
 * @param name 1 to 255 letters, digits, and {@code - _ . / :}
 * @param branch empty for the main branch
 */
public record Tag(String name, Snapshot snapshot, String description, String branch) {
  /** Follows the head. */
  public static final String TRUNK = "trunk";

  /** Follows the revision before the head: what an undo goes back to. */
  public static final String TRUNK_PREVIOUS = "trunk-previous";

  static final int MAX_DESCRIPTION_CHARS = 64 * 1024;
  private static final Pattern BRANCH = Pattern.compile("[A-Za-z0-9_./@-]{0,255}");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_./:-]{1,255}");

  public Tag {
    if (!NAME.matcher(name).matches()) {
      throw new CvmfsException.Rejected(
          "not a tag name: '"
              + name
              + "'; use at most 255 letters, digits, '-', '_', '.', '/' and ':'");
    }
    if (description.length() > MAX_DESCRIPTION_CHARS) {
      throw new CvmfsException.Rejected(
          "the description of tag '"
              + name
              + "' has more than "
              + MAX_DESCRIPTION_CHARS
              + " characters");
    }
  }

  /** A tag on the main branch. */
  public static Tag of(String name, Snapshot snapshot, String description) {
    return new Tag(name, snapshot, description, "");
  }

  /** Whether a branch may have this name; the main one's is empty. */
  public static boolean isValidBranch(String name) {
    return BRANCH.matcher(name).matches();
  }

  /**
   * One published state of a repository.
   *
   * @param rootSizeBytes uncompressed size of the root catalog
   * @param publishedSeconds since the epoch
   */
  public record Snapshot(
      ContentHash root, long rootSizeBytes, long revision, long publishedSeconds) {}
}
