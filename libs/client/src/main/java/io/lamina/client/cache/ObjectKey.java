package io.lamina.client.cache;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.util.Optional;

/**
 * Names the content of an object. The hash is that of the stored bytes, so how they are compressed
 * belongs to the name: otherwise one repository could leave a stored form where another looks for
 * the content. Immutable.
 */
public record ObjectKey(ContentHash hash, ObjectKind kind, CompressionAlgorithm compression) {
  private static final int FAN_OUT_CHARS = 2;
  private static final String PLAIN = "-plain";

  /** A catalog, certificate or history: always compressed. */
  public static ObjectKey compressed(ContentHash hash, ObjectKind kind) {
    return new ObjectKey(hash, kind, CompressionAlgorithm.ZLIB);
  }

  /** The first byte of the hash, 0 to 255. */
  int shard() {
    return hash.digest()[0] & 0xff;
  }

  /** The rest of the hash, and what the object is. */
  String fileName() {
    return hash.hex().substring(FAN_OUT_CHARS)
        + hash.algorithm().textSuffix()
        + (compression == CompressionAlgorithm.NONE ? PLAIN : "")
        + kind.suffix();
  }

  /** What {@link #fileName} made; empty for any other name. */
  static Optional<ObjectKey> parse(String folder, String fileName) {
    String text = folder + fileName;
    ObjectKind kind = ObjectKind.FILE;
    for (ObjectKind each : ObjectKind.values()) {
      if (!each.suffix().isEmpty() && text.endsWith(each.suffix())) {
        kind = each;
        text = text.substring(0, text.length() - each.suffix().length());
        break;
      }
    }
    CompressionAlgorithm compression = CompressionAlgorithm.ZLIB;
    if (text.endsWith(PLAIN)) {
      compression = CompressionAlgorithm.NONE;
      text = text.substring(0, text.length() - PLAIN.length());
    }
    try {
      return Optional.of(new ObjectKey(ContentHash.parse(text), kind, compression));
    } catch (CvmfsException.Rejected e) {
      return Optional.empty();
    }
  }
}
