package io.lamina.cvmfs.compression;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import java.util.zip.Deflater;

/**
 * Compresses certificates and meta information exactly as zlib at level 6 does. A replica
 * compresses both again with zlib and stores the result under the name that the manifest gives, so
 * one differing byte breaks every replica of the repository.
 *
 * <p>Source: docs/format/objects.md, "Objects with a prescribed compressor". Thread-safe.
 */
public final class ReferenceZlib {
  private static final int LEVEL = 6;

  /** SHA-1 of what zlib 1.2.13 makes of {@link ProbeText} at level 6. */
  private static final String PROBE_HASH = "f83e00dd1ebbcfbe9f685df68f0f55e5557537d3";

  /** Runs the self test on first use, once. */
  private static final class SelfTest {
    static final String FOUND_HASH =
        CompressedObject.ofStored(deflate(ProbeText.bytes()), HashAlgorithm.SHA1).hash().hex();
  }

  private ReferenceZlib() {}

  /**
   * @throws CvmfsException.Rejected if this JVM's zlib is not the reference's equal
   */
  public static CompressedObject compress(byte[] content, HashAlgorithm algorithm) {
    requireReferenceZlib();
    return CompressedObject.ofStored(deflate(content), algorithm);
  }

  /**
   * The self test; processes that sign call it at start.
   *
   * @throws CvmfsException.Rejected if this JVM's zlib is not the reference's equal
   */
  public static void requireReferenceZlib() {
    if (!SelfTest.FOUND_HASH.equals(PROBE_HASH)) {
      throw new CvmfsException.Rejected(
          "the zlib of this JVM ("
              + System.getProperty("java.vendor")
              + " "
              + System.getProperty("java.version")
              + ") gives other bytes at level 6 than zlib itself (probe "
              + SelfTest.FOUND_HASH
              + ", expected "
              + PROBE_HASH
              + "); replicas would reject the certificate. Use a JDK that is not linked to zlib-ng");
    }
  }

  private static byte[] deflate(byte[] content) {
    Deflater deflater = new Deflater(LEVEL);
    try {
      return JdkCompressor.deflate(deflater, content, 0, content.length);
    } finally {
      deflater.end();
    }
  }
}
