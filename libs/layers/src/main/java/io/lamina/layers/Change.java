package io.lamina.layers;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One difference between a layer and its parent. Immutable.
 *
 * @param path raw, from the container's root, with a leading slash and without a trailing one; not
 *     to be changed
 */
public record Change(byte[] path, Kind kind) {
  /** What happened to the entry. */
  public enum Kind {
    MODIFIED,
    ADDED,
    DELETED
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Change that && kind == that.kind && Arrays.equals(path, that.path);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(path) + kind.hashCode();
  }

  /** For people: a letter and the path, bytes that are not UTF-8 replaced. */
  @Override
  public String toString() {
    return kind.name().charAt(0) + " " + new String(path, StandardCharsets.UTF_8);
  }
}
