package io.lamina.cvmfs.signing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestTest {
  /** Lines whose hash is known to be ef6bd07c…. */
  private static final String EXAMPLE =
      """
      C6188c8bb25fd256dd2236b1f1ce833043dbd5b62
      B57344
      Rd41d8cd98f00b204e9800998ecf8427e
      D240
      S1
      Gyes
      Ano
      Nlayers.example.org
      Xfd6858ec6e451a6fe9a00ac9c69190f4387e2db1
      T1700000000
      M617bc8295bd75f09ceb732a4c7684ffec7e73e9f
      Y0fbd49db1002d6566f57d4f82425f6fa950ec064
      """;

  @Test
  void readsEveryLine() {
    Manifest manifest = parse(EXAMPLE.replace("T17", "H" + "a".repeat(40) + "\nT17"));

    assertThat(manifest)
        .isEqualTo(
            new Manifest(
                new RepositoryName("layers.example.org"),
                ContentHash.parse("6188c8bb25fd256dd2236b1f1ce833043dbd5b62"),
                57344,
                Duration.ofMinutes(4),
                1,
                true,
                false,
                ContentHash.parse("fd6858ec6e451a6fe9a00ac9c69190f4387e2db1"),
                Optional.of(ContentHash.parse("a".repeat(40))),
                1700000000,
                Optional.of(ContentHash.parse("617bc8295bd75f09ceb732a4c7684ffec7e73e9f")),
                Optional.of(ContentHash.parse("0fbd49db1002d6566f57d4f82425f6fa950ec064"))));
  }

  @Test
  void writesTheLinesInTheOrderOfTheOriginalPublisher() {
    assertThat(new String(parse(EXAMPLE).encode(), StandardCharsets.US_ASCII)).isEqualTo(EXAMPLE);
  }

  @Test
  void readsTheLinesInAnyOrderAndIgnoresUnknownLetters() {
    StringBuilder reversed = new StringBuilder("qsomething new\n");
    EXAMPLE.lines().forEach(line -> reversed.insert(0, line + "\n"));

    assertThat(parse(reversed.toString())).isEqualTo(parse(EXAMPLE));
  }

  @Test
  void readsAManifestWithMandatoryLinesOnly() {
    Manifest manifest = parse(EXAMPLE.replaceAll("(?m)^[BGATMY].*\n", ""));

    assertThat(manifest.rootCatalogSizeBytes()).isZero();
    assertThat(manifest.publishedSeconds()).isZero();
    assertThat(manifest.garbageCollectable()).isFalse();
    assertThat(manifest.metaInfo()).isEmpty();
    assertThat(manifest.reflog()).isEmpty();
    assertThat(manifest.history()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"C", "R", "D", "S", "N", "X"})
  void refusesAManifestWithoutAMandatoryLine(String letter) {
    assertThatThrownBy(() -> parse(EXAMPLE.replaceAll("(?m)^" + letter + ".*\n", "")))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("incomplete manifest: no line " + letter);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Cnothex",
        "B-1",
        "B",
        "Rd41d8cd98f00b204e9800998ecf8427f",
        "D9999999999999999999",
        "S1 ",
        "Gmaybe",
        "A",
        "N../etc",
        "Xfd6858ec6e451a6fe9a00ac9c69190f4387e2db1X",
        "T1e9",
        "MFD6858EC6E451A6FE9A00AC9C69190F4387E2DB1",
        "Y"
      })
  void refusesALineWithABadValue(String line) {
    String letter = line.substring(0, 1);

    assertThatThrownBy(() -> parse(EXAMPLE.replaceAll("(?m)^" + letter + ".*$", line)))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("manifest line " + letter + " is '" + line.substring(1) + "'");
  }

  @Test
  void refusesALineThatComesTwice() {
    assertThatThrownBy(() -> parse(EXAMPLE + "S2\n"))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessage("the manifest has two lines S");
  }

  @Test
  void refusesWindowsLineEnds() {
    assertThatThrownBy(() -> parse(EXAMPLE.replace("\n", "\r\n")))
        .isInstanceOf(CvmfsException.Corrupt.class);
  }

  private static Manifest parse(String lines) {
    return Manifest.parse(lines.getBytes(StandardCharsets.US_ASCII));
  }
}
