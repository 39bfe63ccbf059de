package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.CvmfsException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Extended attributes as the {@code xattr} column holds them.
 *
 * <p>Source: docs/format/catalogs.md, "Extended attributes".
 */
public final class XattrCodec {
  /** Most attributes of one entry. */
  public static final int MAX_ATTRIBUTES = 255;

  /** Longest name, and longest value, in bytes. */
  public static final int MAX_PART_BYTES = 255;

  private static final int VERSION = 1;

  private XattrCodec() {}

  /** Whether a catalog can hold this attribute; a longer one has to be left out. */
  public static boolean isStorable(String name, byte[] value) {
    return !name.isEmpty()
        && name.length() <= MAX_PART_BYTES
        && value.length <= MAX_PART_BYTES
        && name.chars().allMatch(c -> c > 0 && c <= 0xff);
  }

  /**
   * The column's value; null where there are no attributes.
   *
   * @throws CvmfsException.Rejected if an attribute is not {@linkplain #isStorable storable} or
   *     there are more than {@link #MAX_ATTRIBUTES}
   */
  public static byte @Nullable [] encode(Xattrs xattrs) {
    if (xattrs.isEmpty()) {
      return null;
    }
    Map<String, byte[]> sorted = xattrs.asMap();
    if (sorted.size() > MAX_ATTRIBUTES) {
      throw new CvmfsException.Rejected(
          sorted.size() + " extended attributes on one entry; a catalog holds " + MAX_ATTRIBUTES);
    }
    ByteArrayOutputStream blob = new ByteArrayOutputStream();
    blob.write(VERSION);
    blob.write(sorted.size());
    sorted.forEach(
        (name, value) -> {
          if (!isStorable(name, value)) {
            throw new CvmfsException.Rejected(
                "extended attribute '"
                    + name
                    + "' with "
                    + value.length
                    + " bytes does not fit into a catalog: name and value have at most "
                    + MAX_PART_BYTES
                    + " bytes each");
          }
          blob.write(name.length());
          blob.write(value.length);
          blob.writeBytes(name.getBytes(StandardCharsets.ISO_8859_1));
          blob.writeBytes(value);
        });
    return blob.toByteArray();
  }

  /**
   * Reads the column's value.
   *
   * @throws CvmfsException.Corrupt if it is anything but a list of version 1; clients show such an
   *     entry without attributes
   */
  public static Xattrs decode(byte @Nullable [] blob) {
    if (blob == null) {
      return Xattrs.NONE;
    }
    if (blob.length < 2 || blob[0] != VERSION) {
      throw new CvmfsException.Corrupt("extended attributes are not a list of version 1");
    }
    int count = blob[1] & 0xff;
    Map<String, byte[]> attributes = new HashMap<>();
    int position = 2;
    for (int i = 0; i < count; i++) {
      int nameEnd = position + 2 + (position < blob.length ? blob[position] & 0xff : 0);
      int end = nameEnd + (position + 1 < blob.length ? blob[position + 1] & 0xff : 0);
      if (end > blob.length || nameEnd == position + 2) {
        throw new CvmfsException.Corrupt(
            "extended attribute " + i + " of " + count + " is cut off");
      }
      String name =
          new String(blob, position + 2, nameEnd - position - 2, StandardCharsets.ISO_8859_1);
      if (name.indexOf('\0') >= 0) {
        // Lists of names end each by a NUL: this one would count as two.
        throw new CvmfsException.Corrupt("the name of extended attribute " + i + " holds a NUL");
      }
      attributes.put(name, Arrays.copyOfRange(blob, nameEnd, end));
      position = end;
    }
    if (position != blob.length) {
      throw new CvmfsException.Corrupt("bytes follow the last extended attribute");
    }
    return Xattrs.of(attributes);
  }
}
