package io.lamina.cvmfs.catalog;

import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Extended attributes of an entry. Immutable; values are copied on the way in and out.
 *
 * <p>Source: docs/format/catalogs.md, "Extended attributes".
 */
public final class Xattrs {
  public static final Xattrs NONE = new Xattrs(new TreeMap<>());

  private final SortedMap<String, byte[]> values;

  private Xattrs(SortedMap<String, byte[]> values) {
    this.values = values;
  }

  /** Names in ISO-8859-1, one character a byte; values raw. Bounds are checked when encoding. */
  public static Xattrs of(Map<String, byte[]> attributes) {
    SortedMap<String, byte[]> copy = new TreeMap<>();
    attributes.forEach((name, value) -> copy.put(name, value.clone()));
    return copy.isEmpty() ? NONE : new Xattrs(copy);
  }

  public boolean isEmpty() {
    return values.isEmpty();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Xattrs that
        && values.keySet().equals(that.values.keySet())
        && values.entrySet().stream()
            .allMatch(each -> Arrays.equals(each.getValue(), that.values.get(each.getKey())));
  }

  @Override
  public int hashCode() {
    return values.keySet().hashCode();
  }

  /** The names only. */
  @Override
  public String toString() {
    return values.keySet().toString();
  }

  /** A copy, sorted by name. */
  public SortedMap<String, byte[]> asMap() {
    SortedMap<String, byte[]> copy = new TreeMap<>();
    values.forEach((name, value) -> copy.put(name, value.clone()));
    return copy;
  }
}
