package io.lamina.cvmfs.compression;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import java.util.Locale;

/**
 * Which compressor makes file objects and catalogs, and how hard it tries. Immutable.
 *
 * <p>Names of objects follow from their compressed bytes, so two workers only find each other's
 * objects if they agree on this: {@link #identity} tells.
 *
 * <p>Source: docs/format/objects.md, "Compression".
 *
 * @param level 1 (fast) to {@link Engine#maxLevel} (small)
 */
public record Compression(Engine engine, int level) {
  /** Chosen by measurement: docs/format/objects.md, "Which level". */
  public static final int DEFAULT_LEVEL = 3;

  /** A library that writes zlib streams. */
  public enum Engine {
    /** The C library libdeflate, through the foreign-function API. */
    LIBDEFLATE(12),
    /** The zlib that the JDK carries. */
    JDK(9);

    private final int maxLevel;

    Engine(int maxLevel) {
      this.maxLevel = maxLevel;
    }

    public int maxLevel() {
      return maxLevel;
    }

    /** Whether this JVM on this machine can use it. */
    public boolean isAvailable() {
      return this == JDK || Libdeflate.library().isPresent();
    }
  }

  /**
   * @throws CvmfsException.Rejected if the engine lacks the level
   */
  public Compression {
    if (level < 1 || level > engine.maxLevel()) {
      throw new CvmfsException.Rejected(
          "compression level "
              + level
              + " of "
              + engine
              + " is not within 1.."
              + engine.maxLevel());
    }
  }

  /** Libdeflate where it is there, else the JDK; the level is brought into the engine's range. */
  public static Compression fastest(int level) {
    Engine engine = Engine.LIBDEFLATE.isAvailable() ? Engine.LIBDEFLATE : Engine.JDK;
    return new Compression(engine, Math.min(level, engine.maxLevel()));
  }

  /** {@link #fastest} at the level that serves most. */
  public static Compression byDefault() {
    return fastest(DEFAULT_LEVEL);
  }

  /**
   * A compressor; the caller closes it.
   *
   * @throws CvmfsException.Rejected if the engine is not available here
   */
  public ObjectCompressor newCompressor() {
    return switch (engine) {
      case JDK -> new JdkCompressor(level);
      case LIBDEFLATE ->
          new LibdeflateCompressor(
              Libdeflate.library()
                  .orElseThrow(
                      () ->
                          new CvmfsException.Rejected(
                              "libdeflate.so.0 cannot be loaded; install the package libdeflate0"
                                  + " or choose the engine JDK")),
              level);
    };
  }

  /**
   * Engine, level and eight hex digits that stand for what this version of the engine makes of a
   * fixed text: equal identities give equal objects. Costs a few milliseconds.
   */
  public String identity() {
    try (ObjectCompressor compressor = newCompressor()) {
      CompressedObject probe = compressor.compress(ProbeText.bytes(), HashAlgorithm.SHA1);
      return engine.name().toLowerCase(Locale.ROOT)
          + "-"
          + level
          + "-"
          + probe.hash().hex().substring(0, 8);
    }
  }
}
