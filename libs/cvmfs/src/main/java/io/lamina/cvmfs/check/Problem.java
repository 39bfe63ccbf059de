package io.lamina.cvmfs.check;

/**
 * One thing that is wrong.
 *
 * @param path inside the repository with a leading slash, or a file's path below the repository's
 *     root without one
 * @param what is wrong, in the words of the original checker where it has any
 * @param expected what it should be; empty where that does not say more
 * @param found what it is instead; empty where that does not say more
 */
public record Problem(String path, String what, String expected, String found)
    implements Comparable<Problem> {

  @Override
  public int compareTo(Problem other) {
    int byPath = path.compareTo(other.path);
    return byPath != 0 ? byPath : toString().compareTo(other.toString());
  }

  /** One line for people. */
  @Override
  public String toString() {
    boolean values = !expected.isEmpty() || !found.isEmpty();
    return path + ": " + what + (values ? " (expected " + expected + ", found " + found + ")" : "");
  }
}
