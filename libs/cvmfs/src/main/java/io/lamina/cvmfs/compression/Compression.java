package io.lamina.cvmfs.compression;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import java.util.Arrays;
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
  /** A library that writes zlib streams; the fastest first. */
  public enum Engine {
    /** Intel's C library ISA-L, through the foreign-function API. */
    ISAL(2, 2),
    /** The C library libdeflate, through the foreign-function API. */
    LIBDEFLATE(12, 3),
    /** The zlib that the JDK carries. */
    JDK(9, 3);

    private final int maxLevel;
    private final int defaultLevel;

    Engine(int maxLevel, int defaultLevel) {
      this.maxLevel = maxLevel;
      this.defaultLevel = defaultLevel;
    }

    public int maxLevel() {
      return maxLevel;
    }

    /** Chosen by measurement: docs/format/objects.md, "Which engine and level". */
    public int defaultLevel() {
      return defaultLevel;
    }

    /** Whether this JVM on this machine can use it. */
    public boolean isAvailable() {
      return switch (this) {
        case ISAL -> Isal.library().isPresent();
        case LIBDEFLATE -> Libdeflate.library().isPresent();
        case JDK -> true;
      };
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

  /** The fastest engine that is there, at its default level. */
  public static Compression byDefault() {
    return Arrays.stream(Engine.values())
        .filter(Engine::isAvailable)
        .findFirst()
        .map(engine -> new Compression(engine, engine.defaultLevel()))
        .orElseThrow();
  }

  /**
   * Reads {@code ENGINE-LEVEL}, such as {@code libdeflate-6}, or an engine's name for its default
   * level, or {@code fastest}.
   *
   * @throws CvmfsException.Rejected if the text is none of these; the message says what is
   */
  public static Compression parse(String text) {
    if (text.equals("fastest")) {
      return byDefault();
    }
    int dash = text.indexOf('-');
    String name = dash < 0 ? text : text.substring(0, dash);
    for (Engine engine : Engine.values()) {
      if (engine.name().toLowerCase(Locale.ROOT).equals(name)) {
        if (dash < 0) {
          return new Compression(engine, engine.defaultLevel());
        }
        String level = text.substring(dash + 1);
        if (level.matches("[0-9]{1,2}")) {
          return new Compression(engine, Integer.parseInt(level));
        }
      }
    }
    throw new CvmfsException.Rejected(
        "compression '" + text + "' is none of fastest, isal-1..2, libdeflate-1..12, jdk-1..9");
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return engine.name().toLowerCase(Locale.ROOT) + "-" + level;
  }

  /**
   * A compressor; the caller closes it.
   *
   * @throws CvmfsException.Rejected if the engine is not available here
   */
  public ObjectCompressor newCompressor() {
    return switch (engine) {
      case ISAL ->
          new IsalCompressor(
              Isal.library()
                  .orElseThrow(
                      () ->
                          new CvmfsException.Rejected(
                              "libisal.so.2 cannot be loaded; install the package libisal2 or"
                                  + " choose another engine")),
              level);
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
      return this + "-" + probe.hash().hex().substring(0, 8);
    }
  }
}
