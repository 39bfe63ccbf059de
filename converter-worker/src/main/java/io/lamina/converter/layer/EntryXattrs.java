package io.lamina.converter.layer;

import io.lamina.converter.layer.ConversionReport.Decision;
import io.lamina.cvmfs.catalog.Xattrs;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which of an entry's extended attributes a catalog gets.
 *
 * <p>Source: docs/conversion.md, "Extended attributes".
 */
final class EntryXattrs {
  private static final int MAX_BYTES = 255;
  private static final int MAX_ATTRIBUTES = 255;

  private EntryXattrs() {}

  /**
   * Attributes that fit, with the converter's own marks.
   *
   * @param path for the report
   */
  static Xattrs of(
      SortedMap<String, byte[]> attributes,
      SortedMap<String, byte[]> marks,
      Object path,
      ConversionReport.Collector report) {
    if (attributes.isEmpty() && marks.isEmpty()) {
      return Xattrs.NONE;
    }
    SortedMap<String, byte[]> kept = new TreeMap<>(marks);
    for (Map.Entry<String, byte[]> attribute : attributes.entrySet()) {
      String name = attribute.getKey();
      int length = attribute.getValue().length;
      if (isReserved(name)) {
        drop(report, path, name, "only the converter sets it");
      } else if (name.length() > MAX_BYTES || length > MAX_BYTES) {
        drop(report, path, name, length + " bytes; CVMFS holds " + MAX_BYTES);
      } else if (kept.size() == MAX_ATTRIBUTES) {
        drop(report, path, name, "CVMFS holds " + MAX_ATTRIBUTES + " attributes");
      } else {
        kept.put(name, attribute.getValue());
      }
    }
    return Xattrs.of(kept);
  }

  /** Names by which a layer could make overlayfs look elsewhere, or deceive a merge. */
  private static boolean isReserved(String name) {
    return name.startsWith("trusted.overlay.")
        || name.startsWith("user.overlay.")
        || name.startsWith(Markers.PREFIX);
  }

  private static void drop(
      ConversionReport.Collector report, Object path, String name, String reason) {
    report.add(Decision.ATTRIBUTE_DROPPED, path, name + ": " + reason);
  }
}
