package io.lamina.cvmfs;

import java.util.regex.Pattern;

/**
 * A fully qualified repository name, such as {@code unpacked.cern.ch}.
 *
 * @param value at most 60 characters of {@code [A-Za-z0-9_.-]}, first one alphanumeric
 */
public record RepositoryName(String value) implements Comparable<RepositoryName> {
  private static final Pattern VALID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,59}");

  public RepositoryName {
    if (!VALID.matcher(value).matches() || value.contains("..")) {
      throw new CvmfsException.Rejected(
          "not a repository name: '"
              + value
              + "'; use at most 60 letters, digits, '_', '.' and '-', starting with a letter or digit");
    }
  }

  @Override
  public int compareTo(RepositoryName other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
