package io.lamina.cvmfs.signing;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A manifest's lines by their letter, read as what they should be. */
record ManifestLines(Map<Character, String> values) {
  private static final int MAX_DIGITS = 18;

  static ManifestLines split(byte[] body) {
    String text = new String(body, StandardCharsets.ISO_8859_1);
    if (!text.endsWith("\n")) {
      throw new CvmfsException.Corrupt("the manifest's last line is cut off");
    }
    Map<Character, String> values = new HashMap<>();
    for (String line : text.substring(0, text.length() - 1).split("\n", -1)) {
      if (line.isEmpty()) {
        throw new CvmfsException.Corrupt("the manifest has an empty line");
      }
      if (values.put(line.charAt(0), line.substring(1)) != null) {
        throw new CvmfsException.Corrupt("the manifest has two lines " + line.charAt(0));
      }
    }
    return new ManifestLines(values);
  }

  boolean has(char letter) {
    return values.containsKey(letter);
  }

  String text(char letter) {
    String value = values.get(letter);
    if (value == null) {
      throw new CvmfsException.Corrupt("incomplete manifest: no line " + letter);
    }
    return value;
  }

  long number(char letter) {
    String value = text(letter);
    boolean digits = value.chars().allMatch(c -> c >= '0' && c <= '9');
    if (value.isEmpty() || value.length() > MAX_DIGITS || !digits) {
      throw bad(letter, "a number of at most " + MAX_DIGITS + " digits", null);
    }
    return Long.parseLong(value);
  }

  boolean flag(char letter) {
    if (!has(letter)) {
      return false;
    }
    return switch (text(letter)) {
      case "yes" -> true;
      case "no" -> false;
      default -> throw bad(letter, "yes or no", null);
    };
  }

  ContentHash hash(char letter) {
    try {
      return ContentHash.parse(text(letter));
    } catch (CvmfsException.Rejected e) {
      throw bad(letter, "a content hash", e);
    }
  }

  Optional<ContentHash> optionalHash(char letter) {
    return has(letter) ? Optional.of(hash(letter)) : Optional.empty();
  }

  RepositoryName repositoryName(char letter) {
    try {
      return new RepositoryName(text(letter));
    } catch (CvmfsException.Rejected e) {
      throw bad(letter, "a repository name", e);
    }
  }

  private CvmfsException.Corrupt bad(
      char letter, String expected, CvmfsException.@Nullable Rejected e) {
    return new CvmfsException.Corrupt(
        "manifest line " + letter + " is '" + values.get(letter) + "', expected " + expected, e);
  }
}
