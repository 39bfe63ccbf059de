package io.lamina.cvmfs.compression;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * The bytes of an object as they are stored, and the name that follows from them.
 *
 * <p>Source: docs/format/objects.md, "Names follow from the stored bytes". The array belongs to the
 * caller; nobody else writes to it.
 *
 * @param hash of {@code bytes}
 * @param bytes one zlib stream, or plain content for {@link CompressionAlgorithm#NONE}
 */
public record CompressedObject(ContentHash hash, byte[] bytes) {
  private static final byte[] EMPTY_STREAM = HexFormat.of().parseHex("789c030000000001");

  /** Names bytes that are stored as they are. */
  public static CompressedObject ofStored(byte[] bytes, HashAlgorithm algorithm) {
    MessageDigest digest = algorithm.newDigest();
    return new CompressedObject(ContentHash.of(algorithm, digest.digest(bytes)), bytes);
  }

  /**
   * The object of empty content: the same for every compressor and level. Each nested catalog names
   * it, so it has to lie in the store before the first one does.
   */
  public static CompressedObject empty(HashAlgorithm algorithm) {
    return ofStored(EMPTY_STREAM.clone(), algorithm);
  }
}
