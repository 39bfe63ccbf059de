package io.lamina.fuzzing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.zip.CRC32;

/**
 * Gives a reader changed inputs and checks what it promises: only documented exceptions, bounded
 * memory, bounded results. Inputs that lead to an answer not seen before are changed further. The
 * same seed and number of runs give the same inputs. One thread.
 *
 * <p>Source: docs/security.md, "Fuzzing".
 */
public final class Fuzzer {
  /** How many inputs are kept to be changed further. */
  private static final int MAX_KEPT = 4096;

  private static final int MAX_SIGNATURES = 100_000;
  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** What was done. */
  public record Report(
      String target, long seed, long runs, long answers, int signatures, long maxAllocatedBytes) {
    @Override
    public String toString() {
      return "fuzz "
          + target
          + ": seed "
          + seed
          + ", "
          + runs
          + " inputs, "
          + answers
          + " read to the end, "
          + signatures
          + " different outcomes, at most "
          + (maxAllocatedBytes >> 10)
          + " KiB allocated for one";
    }
  }

  /** When to stop: asked before each input. */
  @FunctionalInterface
  public interface Until {
    boolean isOver(long runs);

    /** After this many inputs, or, with the system property, after so many seconds. */
    static Until standard(long runs) {
      String seconds = System.getProperty("lamina.fuzz.seconds", "");
      if (seconds.isEmpty()) {
        return done -> done >= runs;
      }
      long deadline = System.nanoTime() + Long.parseLong(seconds) * 1_000_000_000L;
      return done -> System.nanoTime() - deadline >= 0;
    }
  }

  private final FuzzTarget target;
  private final long seed;
  private final Random random;
  private final Mutator mutator;
  private final List<byte[]> kept = new ArrayList<>();
  private final Set<String> signatures = new HashSet<>();
  private long answers;
  private long maxAllocatedBytes;

  private Fuzzer(FuzzTarget target, long seed) {
    this.target = target;
    this.seed = seed;
    this.random = new Random(seed);
    this.mutator = new Mutator(random, target.words());
  }

  /** The seed of the system property {@code lamina.fuzz.seed}, or one that is always the same. */
  public static long seed() {
    return Long.getLong("lamina.fuzz.seed", 20_260_101L);
  }

  /**
   * @throws AssertionError naming the input that a promise was broken for, and where it was kept
   */
  public static Report run(FuzzTarget target, long seed, Until until) {
    return new Fuzzer(target, seed).run(until);
  }

  private Report run(Until until) {
    long runs = 0;
    // Classes are loaded and caches filled by the first inputs, which are read twice.
    target.corpus().forEach(this::warmUp);
    for (byte[] input : target.corpus()) {
      check(input, runs++);
    }
    while (!until.isOver(runs)) {
      byte[] input = mutator.change(any(), any());
      check(random.nextBoolean() ? target.repair().apply(input) : input, runs++);
    }
    return new Report(target.name(), seed, runs, answers, signatures.size(), maxAllocatedBytes);
  }

  private void warmUp(byte[] input) {
    try {
      target.reader().read(input);
    } catch (Throwable e) {
      // The same input is judged right after.
    }
  }

  private byte[] any() {
    boolean isKept = !kept.isEmpty() && random.nextBoolean();
    List<byte[]> from = isKept ? kept : target.corpus();
    return from.get(random.nextInt(from.size()));
  }

  private void check(byte[] input, long run) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    long things = 0;
    String signature;
    try {
      things = target.reader().read(input.clone());
      signature = "read " + Long.numberOfTrailingZeros(Long.highestOneBit(things + 1));
      answers++;
    } catch (Throwable e) {
      if (e instanceof ThreadDeath
          || target.documented().stream().noneMatch(type -> type.isInstance(e))) {
        throw broken("threw " + e, input, run, e);
      }
      signature = signature(e);
    }
    long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
    maxAllocatedBytes = Math.max(maxAllocatedBytes, allocated);
    FuzzTarget.Limits limits = target.limits();
    long mayAllocate =
        limits.allocatedBytes() + (long) limits.allocatedBytesPerInputByte() * input.length;
    if (allocated > mayAllocate) {
      throw broken("allocated " + allocated + " bytes, more than " + mayAllocate, input, run, null);
    }
    long mayMake = limits.things() + (long) limits.thingsPerInputByte() * input.length;
    if (things > mayMake) {
      throw broken("made " + things + " things, more than " + mayMake, input, run, null);
    }
    if (signatures.size() < MAX_SIGNATURES && signatures.add(signature)) {
      if (kept.size() < MAX_KEPT) {
        kept.add(input);
      } else {
        kept.set(random.nextInt(kept.size()), input);
      }
    }
  }

  /** Where it came from and what kind of thing was said, without what was said of the input. */
  private static String signature(Throwable e) {
    StackTraceElement[] trace = e.getStackTrace();
    StringBuilder text = new StringBuilder(e.getClass().getName());
    for (int i = 0; i < Math.min(6, trace.length); i++) {
      text.append(' ').append(trace[i].getMethodName()).append(trace[i].getLineNumber());
    }
    return text.toString();
  }

  private AssertionError broken(
      String what, byte[] input, long run, @org.jspecify.annotations.Nullable Throwable cause) {
    CRC32 crc = new CRC32();
    crc.update(input);
    String name = target.name().replaceAll("[^A-Za-z0-9-]+", "-");
    Path file =
        Path.of(System.getProperty("lamina.fuzz.folder", "target"))
            .resolve("fuzz-" + name + "-" + Long.toHexString(crc.getValue()));
    String kept = file.toString();
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Files.write(file, input);
    } catch (IOException | UncheckedIOException e) {
      kept = "not kept: " + e;
    }
    byte[] start = java.util.Arrays.copyOf(input, Math.min(input.length, 64));
    return new AssertionError(
        target.name()
            + " "
            + what
            + "; seed "
            + seed
            + ", input "
            + run
            + " of "
            + input.length
            + " bytes ("
            + kept
            + "), which begins with "
            + HexFormat.of().formatHex(start),
        cause);
  }
}
