package io.lamina.image.layer;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;

/**
 * The decompressor of Intel's ISA-L, about twice as fast as zlib. Used where the library is
 * installed and passes a test against the JDK's own compressor; never required.
 *
 * <p>Source: igzip_lib.h, struct inflate_state, version 2.x (shared object number 2). Owned by the
 * thread that made it.
 */
final class IsalInflate implements RawInflate {
  private static final String LIBRARY_NAME = "libisal.so.2";
  private static final int BUFFER_BYTES = 1 << 18;

  /** The library's own size is below 88 kB; room for what later versions may add. */
  private static final int STATE_BYTES = 1 << 18;

  private static final int NEXT_OUT = 0;
  private static final int AVAILABLE_OUT = 8;
  private static final int NEXT_IN = 16;
  private static final int AVAILABLE_IN = 32;
  private static final int BUFFERED_BITS = 36;
  private static final int BLOCK_STATE = 21160;
  private static final int FINISHED = 5;

  /** Two functions of the library. */
  private record Library(MethodHandle initialize, MethodHandle inflate) {}

  /** Loads and tests on first use, once. */
  private static final class Loaded {
    static final @Nullable Library LIBRARY = tested();

    private static @Nullable Library tested() {
      Library library = tryLoad();
      return library != null && worksWith(library) ? library : null;
    }
  }

  private final Library library;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment state = arena.allocate(STATE_BYTES, 64);
  private final MemorySegment in = arena.allocate(BUFFER_BYTES, 64);
  private final MemorySegment out = arena.allocate(BUFFER_BYTES, 64);
  private boolean started;

  IsalInflate() {
    this(loaded());
  }

  private IsalInflate(Library library) {
    this.library = library;
    reset();
  }

  static boolean isAvailable() {
    return Loaded.LIBRARY != null;
  }

  private static Library loaded() {
    Library library = Loaded.LIBRARY;
    if (library == null) {
      throw new IllegalStateException(LIBRARY_NAME + " is not available");
    }
    return library;
  }

  private static @Nullable Library tryLoad() {
    try {
      SymbolLookup lookup = SymbolLookup.libraryLookup(LIBRARY_NAME, Arena.global());
      Optional<MemorySegment> initialize = lookup.find("isal_inflate_init");
      Optional<MemorySegment> inflate = lookup.find("isal_inflate");
      if (initialize.isEmpty() || inflate.isEmpty()) {
        return null;
      }
      Linker linker = Linker.nativeLinker();
      return new Library(
          linker.downcallHandle(initialize.get(), FunctionDescriptor.ofVoid(ValueLayout.ADDRESS)),
          linker.downcallHandle(
              inflate.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS)));
    } catch (IllegalArgumentException | IllegalCallerException | UnsupportedOperationException e) {
      // Not installed, not allowed, or no linker for this platform: the JDK's zlib serves.
      return null;
    }
  }

  /** Whether streams of all block types, with something behind them, come back in odd pieces. */
  private static boolean worksWith(Library library) {
    byte[] content = new byte[300_000];
    new Random(1).nextBytes(content);
    Arrays.fill(content, 50_000, 120_000, (byte) 'x');
    for (int i = 120_000; i < 250_000; i++) {
      content[i] &= 7;
    }
    for (int length : new int[] {content.length, 200_000, 100_000, 50_000, 10, 0}) {
      if (!restores(library, Arrays.copyOf(content, length))) {
        return false;
      }
    }
    return true;
  }

  private static boolean restores(Library library, byte[] content) {
    Deflater deflater = new Deflater(6, true);
    deflater.setInput(content);
    deflater.finish();
    byte[] packed = new byte[content.length + 1000];
    int length = deflater.deflate(packed);
    deflater.end();
    int behind = 9;
    try (IsalInflate inflate = new IsalInflate(library)) {
      for (int step : new int[] {977, length + behind}) {
        inflate.reset();
        byte[] restored = new byte[content.length + 1];
        int done = 0;
        int at = 0;
        while (!inflate.finished()) {
          int n = inflate.inflate(restored, done, Math.min(70_001, restored.length - done));
          done += n;
          if (n == 0 && !inflate.finished()) {
            int next = Math.min(step, length + behind - at);
            if (next == 0) {
              return false;
            }
            inflate.input(packed, at, next);
            at += next;
          }
        }
        if (done != content.length
            || at - inflate.remaining() != length
            || !Arrays.equals(restored, 0, done, content, 0, done)) {
          return false;
        }
      }
      return true;
    } catch (DataFormatException e) {
      return false;
    }
  }

  @Override
  public void reset() {
    try {
      library.initialize().invokeExact(state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
    set(NEXT_IN, in, AVAILABLE_IN, 0);
    started = false;
  }

  @Override
  public void input(byte[] bytes, int offset, int length) {
    if (length > BUFFER_BYTES) {
      throw new IllegalArgumentException("input of " + length + " bytes");
    }
    MemorySegment.copy(bytes, offset, in, ValueLayout.JAVA_BYTE, 0, length);
    set(NEXT_IN, in, AVAILABLE_IN, length);
    started |= length > 0;
  }

  private void set(int pointer, MemorySegment buffer, int available, int length) {
    state.set(ValueLayout.ADDRESS, pointer, buffer);
    state.set(ValueLayout.JAVA_INT, available, length);
  }

  @Override
  public int inflate(byte[] target, int offset, int length) throws DataFormatException {
    if (finished() || !started) {
      return 0;
    }
    int room = Math.min(length, BUFFER_BYTES);
    set(NEXT_OUT, out, AVAILABLE_OUT, room);
    int result;
    try {
      result = (int) library.inflate().invokeExact(state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
    if (result < 0) {
      throw new DataFormatException("invalid compressed data (code " + result + ")");
    }
    int n = room - state.get(ValueLayout.JAVA_INT, AVAILABLE_OUT);
    MemorySegment.copy(out, ValueLayout.JAVA_BYTE, 0, target, offset, n);
    return n;
  }

  @Override
  public boolean finished() {
    return state.get(ValueLayout.JAVA_INT, BLOCK_STATE) == FINISHED;
  }

  @Override
  public int remaining() {
    // The library reads up to eight bytes ahead and does not always give them back.
    return state.get(ValueLayout.JAVA_INT, AVAILABLE_IN)
        + (finished() ? state.get(ValueLayout.JAVA_INT, BUFFERED_BITS) / 8 : 0);
  }

  private static IllegalStateException unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return new IllegalStateException("calling " + LIBRARY_NAME + " failed", e);
  }

  @Override
  public void close() {
    arena.close();
  }
}
