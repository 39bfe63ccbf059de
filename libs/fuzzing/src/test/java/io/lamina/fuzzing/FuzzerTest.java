package io.lamina.fuzzing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FuzzerTest {
  private static final String FOLDER = "lamina.fuzz.folder";
  private static final FuzzTarget.Limits LIMITS = new FuzzTarget.Limits(1 << 20, 64, 10, 1);

  @TempDir Path folder;

  @BeforeEach
  void keepInputsHere() {
    System.setProperty(FOLDER, folder.toString());
  }

  @AfterEach
  void forget() {
    System.clearProperty(FOLDER);
  }

  @Test
  void givesTheSameInputsForTheSameSeed() {
    List<Integer> first = new ArrayList<>();
    List<Integer> second = new ArrayList<>();
    List<Integer> other = new ArrayList<>();

    run(target(input -> add(first, input)), 1, 2000);
    run(target(input -> add(second, input)), 1, 2000);
    run(target(input -> add(other, input)), 2, 2000);

    assertThat(first).isEqualTo(second).isNotEqualTo(other).hasSizeGreaterThan(2000);
    assertThat(first.stream().distinct().count()).isGreaterThan(1000);
  }

  @Test
  void findsAFaultBehindSeveralRefusals() throws Exception {
    FuzzTarget.Reader fragile =
        input -> {
          String text = new String(input, StandardCharsets.ISO_8859_1);
          if (!text.startsWith("size=")) {
            throw new IllegalArgumentException("no size");
          }
          int end = text.indexOf(';');
          if (end < 0) {
            throw new IllegalArgumentException("no end");
          }
          return new byte[Math.min(8, Integer.parseInt(text.substring(5, end)))].length;
        };

    assertThatThrownBy(() -> run(target(fragile), 1, 200_000))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("reader threw java.lang.NegativeArraySizeException")
        .hasMessageContaining("seed 1");
    try (var files = Files.list(folder)) {
      assertThat(files).hasSize(1);
    }
  }

  @Test
  void noticesMemoryThatGrowsFasterThanTheInput() {
    FuzzTarget.Reader greedy = input -> new byte[input.length * 1000].length / 1000;

    assertThatThrownBy(() -> run(target(greedy), 1, 20_000))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("allocated");
  }

  @Test
  void noticesResultsThatGrowFasterThanTheInput() {
    assertThatThrownBy(() -> run(target(input -> input.length * 2L + 11), 1, 100))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("things");
  }

  private static long add(List<Integer> seen, byte[] input) {
    seen.add(Arrays.hashCode(input));
    return 0;
  }

  private static Fuzzer.Report run(FuzzTarget target, long seed, long runs) {
    return Fuzzer.run(target, seed, done -> done >= runs);
  }

  private static FuzzTarget target(FuzzTarget.Reader reader) {
    return new FuzzTarget(
        "reader",
        reader,
        Set.of(NumberFormatException.class, IllegalArgumentException.class),
        List.of("size=5;".getBytes(StandardCharsets.US_ASCII)),
        List.of(),
        UnaryOperator.identity(),
        LIMITS);
  }
}
