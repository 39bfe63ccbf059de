package io.lamina.image.layer;

import io.lamina.image.ImageException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The records of one PAX extended header, values raw: names and attributes need not be UTF-8.
 *
 * <p>Source: POSIX.1-2024 "pax", "pax Extended Header"; GNU tar manual, "Storing Sparse Files".
 */
final class PaxRecords {
  private static final String SCHILY_XATTR = "SCHILY.xattr.";
  private static final String LIBARCHIVE_XATTR = "LIBARCHIVE.xattr.";
  private static final int MAX_LENGTH_DIGITS = 10;

  private final Map<String, byte[]> values = new HashMap<>();
  private final SparseMap.Collector sparse00;
  private boolean hasSparse00;
  private long pendingOffset = -1;
  private final LayerLimits limits;

  PaxRecords(LayerLimits limits) {
    this.limits = limits;
    this.sparse00 = new SparseMap.Collector(limits.maxSparseSegments());
  }

  /**
   * Reads {@code LENGTH KEY=VALUE\n} records; a later record replaces an earlier one of its key.
   *
   * @throws ImageException.Rejected if a record is not of this form
   */
  static PaxRecords parse(byte[] body, String entry, LayerLimits limits) {
    PaxRecords records = new PaxRecords(limits);
    int at = 0;
    while (at < body.length) {
      if (body[at] == 0) {
        // Some writers count padding into the header's size.
        break;
      }
      int space = at;
      long length = 0;
      while (space < body.length && body[space] != ' ') {
        int digit = body[space] - '0';
        if (digit < 0 || digit > 9 || space - at >= MAX_LENGTH_DIGITS) {
          throw malformed(entry, at);
        }
        length = length * 10 + digit;
        space++;
      }
      if (length <= space - at + 1 || length > body.length - at) {
        throw malformed(entry, at);
      }
      int end = at + (int) length;
      if (body[end - 1] != '\n') {
        throw malformed(entry, at);
      }
      int equals = space + 1;
      while (equals < end && body[equals] != '=') {
        equals++;
      }
      if (equals == end) {
        throw malformed(entry, at);
      }
      String key = new String(body, space + 1, equals - space - 1, StandardCharsets.ISO_8859_1);
      records.add(key, Arrays.copyOfRange(body, equals + 1, end - 1), entry);
      at = end;
    }
    return records;
  }

  private static ImageException.Rejected malformed(String entry, int at) {
    return new ImageException.Rejected(
        "malformed PAX record at byte " + at + " of the extended header before " + entry);
  }

  private void add(String key, byte[] value, String entry) {
    switch (key) {
      case "GNU.sparse.offset" -> pendingOffset = number(key, value, entry);
      case "GNU.sparse.numbytes" -> {
        if (pendingOffset < 0) {
          throw new ImageException.Rejected("GNU.sparse.numbytes without offset for " + entry);
        }
        sparse00.add(pendingOffset, number(key, value, entry), entry);
        pendingOffset = -1;
        hasSparse00 = true;
      }
      default -> values.put(key, value);
    }
  }

  /** The value; null if the header does not have it or takes it back with an empty one. */
  byte @Nullable [] value(String key) {
    byte[] value = values.get(key);
    return value == null || value.length == 0 ? null : value;
  }

  /** A decimal number, 0 or more; {@code otherwise} if there is none. */
  long number(String key, long otherwise, String entry) {
    byte[] value = value(key);
    return value == null ? otherwise : number(key, value, entry);
  }

  private static long number(String key, byte[] value, String entry) {
    return decimal(value, 0, value.length, "PAX " + key + " of " + entry);
  }

  static long decimal(byte[] digits, int from, int to, String what) {
    long number = 0;
    for (int i = from; i < to; i++) {
      int digit = digits[i] - '0';
      if (digit < 0 || digit > 9 || number > (Long.MAX_VALUE - 9) / 10) {
        throw new ImageException.Rejected(
            what + " is not a number: '" + LayerPath.display(digits) + "'");
      }
      number = number * 10 + digit;
    }
    if (from >= to) {
      throw new ImageException.Rejected(what + " is empty");
    }
    return number;
  }

  /** Seconds and nanoseconds, rounded down, also before 1970. */
  record Time(long seconds, int nanos) {}

  @Nullable Time time(String key, String entry) {
    byte[] value = value(key);
    if (value == null) {
      return null;
    }
    String what = "PAX " + key + " of " + entry;
    boolean negative = value[0] == '-';
    int start = negative ? 1 : 0;
    int dot = start;
    while (dot < value.length && value[dot] != '.') {
      dot++;
    }
    long seconds = decimal(value, start, dot, what);
    int nanos = 0;
    int digits = Math.min(9, value.length - dot - 1);
    if (digits > 0) {
      nanos = (int) decimal(value, dot + 1, dot + 1 + digits, what);
      for (int i = digits; i < 9; i++) {
        nanos *= 10;
      }
    }
    if (!negative) {
      return new Time(seconds, nanos);
    }
    return nanos == 0 ? new Time(-seconds, 0) : new Time(-seconds - 1, 1_000_000_000 - nanos);
  }

  /**
   * Extended attributes; raw ones win over libarchive's encoded copies.
   *
   * @throws ImageException.Rejected if there are more or longer ones than the limits allow
   */
  SortedMap<String, byte[]> xattrs(String entry) {
    SortedMap<String, byte[]> xattrs = new TreeMap<>();
    values.forEach(
        (key, value) -> {
          if (key.startsWith(LIBARCHIVE_XATTR)) {
            xattrs.put(
                percentDecoded(key.substring(LIBARCHIVE_XATTR.length())), base64(value, entry));
          }
        });
    values.forEach(
        (key, value) -> {
          if (key.startsWith(SCHILY_XATTR)) {
            xattrs.put(key.substring(SCHILY_XATTR.length()), value);
          }
        });
    long bytes = 0;
    for (Map.Entry<String, byte[]> xattr : xattrs.entrySet()) {
      if (xattr.getKey().isEmpty() || xattr.getKey().indexOf('\0') >= 0) {
        throw new ImageException.Rejected("an extended attribute without a name on " + entry);
      }
      bytes += xattr.getKey().length() + xattr.getValue().length;
    }
    if (xattrs.size() > limits.maxXattrs() || bytes > limits.maxXattrBytes()) {
      throw new ImageException.Rejected(
          entry
              + " has "
              + xattrs.size()
              + " extended attributes of "
              + bytes
              + " bytes (limits: "
              + limits.maxXattrs()
              + " attributes, "
              + limits.maxXattrBytes()
              + " bytes)");
    }
    return xattrs;
  }

  private static byte[] base64(byte[] value, String entry) {
    try {
      return Base64.getDecoder().decode(value);
    } catch (IllegalArgumentException e) {
      throw new ImageException.Rejected(
          "an extended attribute of " + entry + " is not base64: " + e.getMessage(), e);
    }
  }

  private static String percentDecoded(String name) {
    StringBuilder decoded = new StringBuilder(name.length());
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c == '%' && i + 2 < name.length()) {
        int high = Character.digit(name.charAt(i + 1), 16);
        int low = Character.digit(name.charAt(i + 2), 16);
        if (high >= 0 && low >= 0) {
          decoded.append((char) (high << 4 | low));
          i += 2;
          continue;
        }
      }
      decoded.append(c);
    }
    return decoded.toString();
  }

  boolean isPlain() {
    return values.isEmpty();
  }

  boolean isSparse() {
    return hasSparse00
        || value("GNU.sparse.map") != null
        || value("GNU.sparse.major") != null
        || value("GNU.sparse.size") != null;
  }

  /** Whether the map stands before the data (version 1.0). */
  boolean sparseMapInData(String entry) {
    if (value("GNU.sparse.major") == null) {
      return false;
    }
    long major = number("GNU.sparse.major", 0, entry);
    long minor = number("GNU.sparse.minor", 0, entry);
    if (major == 1 && minor == 0) {
      return true;
    }
    if (major == 0 && minor <= 1) {
      return false;
    }
    throw new ImageException.Rejected(
        "GNU sparse format " + major + "." + minor + " of " + entry + " is not known");
  }

  /** The file's full length. */
  long sparseRealSize(String entry) {
    long size = number("GNU.sparse.realsize", -1, entry);
    size = size >= 0 ? size : number("GNU.sparse.size", -1, entry);
    if (size < 0) {
      throw new ImageException.Rejected("sparse " + entry + " does not tell its size");
    }
    return size;
  }

  /** The segments of versions 0.0 and 0.1. */
  SparseMap.Collector sparseSegments(String entry) {
    byte[] map = value("GNU.sparse.map");
    if (map == null) {
      return sparse00;
    }
    SparseMap.Collector segments = new SparseMap.Collector(limits.maxSparseSegments());
    long pending = -1;
    int start = 0;
    for (int i = 0; i <= map.length; i++) {
      if (i == map.length || map[i] == ',') {
        long number = decimal(map, start, i, "GNU.sparse.map of " + entry);
        if (pending < 0) {
          pending = number;
        } else {
          segments.add(pending, number, entry);
          pending = -1;
        }
        start = i + 1;
      }
    }
    if (pending >= 0) {
      throw new ImageException.Rejected("GNU.sparse.map of " + entry + " has an odd count");
    }
    return segments;
  }
}
