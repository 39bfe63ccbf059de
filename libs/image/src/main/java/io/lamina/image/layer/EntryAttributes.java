package io.lamina.image.layer;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What an archive says of an entry beside its name and content. Immutable.
 *
 * @param permissions the lower twelve mode bits
 * @param uid 0 to 4,294,967,294
 * @param gid 0 to 4,294,967,294
 * @param mtimeSeconds since the epoch, may be negative
 * @param mtimeNanos 0 to 999,999,999
 * @param xattrs raw values by name (ISO-8859-1, one character a byte); values are not copied and
 *     must not be changed
 */
public record EntryAttributes(
    int permissions,
    long uid,
    long gid,
    long mtimeSeconds,
    int mtimeNanos,
    SortedMap<String, byte[]> xattrs) {
  public EntryAttributes {
    if ((permissions & ~07777) != 0 || mtimeNanos < 0 || mtimeNanos > 999_999_999) {
      throw new IllegalArgumentException("not the attributes of an entry");
    }
    xattrs =
        xattrs.isEmpty()
            ? Collections.emptySortedMap()
            : Collections.unmodifiableSortedMap(new TreeMap<>(xattrs));
  }
}
