package io.lamina.storage;

/**
 * Name of a stored file, relative to the store's root, with slashes. Immutable.
 *
 * @param value 1 to 1024 characters; no leading or trailing slash, no empty, {@code .} or {@code
 *     ..} component, no control character
 */
public record ObjectKey(String value) implements Comparable<ObjectKey> {
  private static final int MAX_CHARS = 1024;

  public ObjectKey {
    if (value.isEmpty() || value.length() > MAX_CHARS) {
      throw new StorageException.Rejected(
          "a key has 1 to " + MAX_CHARS + " characters: '" + value + "'");
    }
    for (String part : value.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..")) {
        throw new StorageException.Rejected("component '" + part + "' in key '" + value + "'");
      }
    }
    if (value.chars().anyMatch(c -> c < 0x20 || c == 0x7f || c == '\\')) {
      throw new StorageException.Rejected("control character or backslash in key '" + value + "'");
    }
  }

  @Override
  public int compareTo(ObjectKey other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
