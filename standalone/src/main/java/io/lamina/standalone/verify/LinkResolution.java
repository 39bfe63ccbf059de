package io.lamina.standalone.verify;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.reader.FileStat;
import io.lamina.cvmfs.reader.RepositoryReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/** Resolves symbolic links within a repository, never out of it. */
public final class LinkResolution {
  private static final int MAX_LINKS = 40;

  private LinkResolution() {}

  /**
   * The path with every link on the way replaced by what it leads to.
   *
   * @throws CvmfsException.Rejected if a link is absolute, leaves the repository, or they run in a
   *     circle
   * @throws CvmfsException.NotFound if there is no such entry
   */
  public static RepositoryPath follow(RepositoryReader reader, RepositoryPath path) {
    Deque<String> left = new ArrayDeque<>();
    pushAll(left, path.bytes());
    RepositoryPath at = RepositoryPath.ROOT;
    int links = 0;
    while (!left.isEmpty()) {
      String name = left.pop();
      if (name.isEmpty() || name.equals(".")) {
        continue;
      }
      if (name.equals("..")) {
        if (at.isRoot()) {
          throw new CvmfsException.Rejected(
              "a link on the way to " + path + " leaves the repository");
        }
        at = at.parent();
        continue;
      }
      RepositoryPath next = at.resolve(name.getBytes(StandardCharsets.ISO_8859_1));
      FileStat stat = reader.stat(next);
      if (!stat.entry().isSymlink()) {
        at = next;
        continue;
      }
      byte[] target = stat.linkTarget();
      if (++links > MAX_LINKS || (target.length > 0 && target[0] == '/')) {
        throw new CvmfsException.Rejected(
            "the link "
                + next
                + " -> "
                + new String(target, StandardCharsets.UTF_8)
                + " cannot be followed within the repository");
      }
      pushAll(left, target);
    }
    return at;
  }

  private static void pushAll(Deque<String> left, byte[] path) {
    String[] parts = new String(path, StandardCharsets.ISO_8859_1).split("/");
    Arrays.asList(parts).reversed().forEach(left::push);
  }
}
