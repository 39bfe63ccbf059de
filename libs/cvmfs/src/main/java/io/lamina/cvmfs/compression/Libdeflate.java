package io.lamina.cvmfs.compression;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The few functions of the C library libdeflate that are called here. Immutable.
 *
 * <p>Source: libdeflate.h, version 1.0 and later (shared object number 0).
 *
 * @param allocate makes a compressor for a level; null if there is no memory
 * @param release frees a compressor
 * @param compressHeap compresses between heap arrays; holds up the collector while it runs
 * @param compressNative compresses between off-heap segments
 * @param bound the longest stream that so much content can give
 */
record Libdeflate(
    MethodHandle allocate,
    MethodHandle release,
    MethodHandle compressHeap,
    MethodHandle compressNative,
    MethodHandle bound) {
  private static final List<String> LIBRARY_NAMES =
      List.of("libdeflate.so.0", "libdeflate.0.dylib");

  /** Loads on first use, once. */
  private static final class Loaded {
    static final @Nullable Libdeflate LIBRARY = tryLoad();
  }

  /** The library, if this machine has it and this JVM may call it. */
  static Optional<Libdeflate> library() {
    return Optional.ofNullable(Loaded.LIBRARY);
  }

  private static @Nullable Libdeflate tryLoad() {
    for (String name : LIBRARY_NAMES) {
      try {
        return bind(SymbolLookup.libraryLookup(name, Arena.global()));
      } catch (IllegalArgumentException
          | IllegalCallerException
          | UnsupportedOperationException e) {
        // Not installed, not allowed, or no linker for this platform: the JDK's zlib serves.
        continue;
      }
    }
    return null;
  }

  private static @Nullable Libdeflate bind(SymbolLookup lookup) {
    Linker linker = Linker.nativeLinker();
    Optional<MemorySegment> allocate = lookup.find("libdeflate_alloc_compressor");
    Optional<MemorySegment> release = lookup.find("libdeflate_free_compressor");
    Optional<MemorySegment> compress = lookup.find("libdeflate_zlib_compress");
    Optional<MemorySegment> bound = lookup.find("libdeflate_zlib_compress_bound");
    if (allocate.isEmpty() || release.isEmpty() || compress.isEmpty() || bound.isEmpty()) {
      return null;
    }
    FunctionDescriptor compressShape =
        FunctionDescriptor.of(
            ValueLayout.JAVA_LONG,
            ValueLayout.ADDRESS,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_LONG,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_LONG);
    return new Libdeflate(
        linker.downcallHandle(
            allocate.get(), FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT)),
        linker.downcallHandle(release.get(), FunctionDescriptor.ofVoid(ValueLayout.ADDRESS)),
        linker.downcallHandle(compress.get(), compressShape, Linker.Option.critical(true)),
        linker.downcallHandle(compress.get(), compressShape),
        linker.downcallHandle(
            bound.get(),
            FunctionDescriptor.of(
                ValueLayout.JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG)));
  }
}
