package io.lamina.cvmfs.compression;

import io.lamina.cvmfs.HashAlgorithm;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The few functions of Intel's C library ISA-L that compress. Immutable.
 *
 * <p>Source: igzip_lib.h, version 2.x (shared object number 2).
 *
 * @param initialize readies a stream for one whole content
 * @param compress compresses a stream's whole content; 0 if it went well
 */
record Isal(MethodHandle initialize, MethodHandle compress) {
  private static final String LIBRARY_NAME = "libisal.so.2";

  /** Loads and tests on first use, once. */
  private static final class Loaded {
    static final @Nullable Isal LIBRARY = tested();

    private static @Nullable Isal tested() {
      Isal library = tryLoad();
      return library != null && worksWith(library) ? library : null;
    }
  }

  /** The library, if this machine has one that works and this JVM may call it. */
  static Optional<Isal> library() {
    return Optional.ofNullable(Loaded.LIBRARY);
  }

  private static @Nullable Isal tryLoad() {
    try {
      SymbolLookup lookup = SymbolLookup.libraryLookup(LIBRARY_NAME, Arena.global());
      Optional<MemorySegment> initialize = lookup.find("isal_deflate_stateless_init");
      Optional<MemorySegment> compress = lookup.find("isal_deflate_stateless");
      if (initialize.isEmpty() || compress.isEmpty()) {
        return null;
      }
      Linker linker = Linker.nativeLinker();
      return new Isal(
          linker.downcallHandle(initialize.get(), FunctionDescriptor.ofVoid(ValueLayout.ADDRESS)),
          linker.downcallHandle(
              compress.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS)));
    } catch (IllegalArgumentException | IllegalCallerException | UnsupportedOperationException e) {
      // Not installed, not allowed, or no linker for this platform: another engine serves.
      return null;
    }
  }

  /**
   * The stream's layout is not part of the library's promises, so it is tried before it is used.
   */
  private static boolean worksWith(Isal library) {
    byte[] probe = ProbeText.bytes();
    for (int level = 1; level <= Compression.Engine.ISAL.maxLevel(); level++) {
      try (IsalCompressor compressor = new IsalCompressor(library, level)) {
        byte[] stream = compressor.compress(probe, HashAlgorithm.SHA1).bytes();
        Decompression.inflateExactly(stream, probe.length);
        if (stream.length > probe.length) {
          return false;
        }
      } catch (RuntimeException e) {
        return false;
      }
    }
    return true;
  }
}
