package io.lamina.cvmfs.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.Fixture;
import io.lamina.cvmfs.check.CheckSettings.Depth;
import io.lamina.cvmfs.reader.LocalRepositoryFiles;
import io.lamina.cvmfs.reader.MemoryRepositoryFiles;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.signing.MasterKeys;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FixtureCheckTest {
  private static final CheckSettings SETTINGS =
      CheckSettings.everyObject(
          ReaderSettings.of(Fixture.NAME, MasterKeys.parse(Fixture.publicKey()), Fixture.CLOCK));

  @TempDir Path folder;

  @Test
  void findsNothingWrongWithWhatTheOriginalToolsPublished() {
    Fixture.unpack(Fixture.files(), folder);
    List<CheckCounts> told = new ArrayList<>();

    CheckReport report =
        new RepositoryCheck(new LocalRepositoryFiles(folder), SETTINGS, told::add).run();

    assertThat(report.problems()).isEmpty();
    assertThat(report.isClean()).isTrue();
    assertThat(report.counts().catalogs()).isEqualTo(12);
    assertThat(report.counts().objects()).isEqualTo(Fixture.files().size() - 5);
    assertThat(report.counts().contentBytes()).isGreaterThan(1_200_000);
    assertThat(told).last().isEqualTo(report.counts());
  }

  @Test
  void countsWhatTheLastRevisionHolds() {
    CheckReport report = check(Fixture.files(), SETTINGS.withDepth(Depth.PRESENCE));

    assertThat(report.problems()).isEmpty();
    assertThat(report.counts().catalogs()).isEqualTo(7);
    // Every path of the listing, and mountpoints once more as the roots of their catalogs.
    assertThat(report.counts().entries()).isEqualTo(61 + 6);
    assertThat(report.counts().contentBytes()).isZero();
  }

  @Test
  void findsWhatDoesNotBelongAmongTheObjects() throws Exception {
    Fixture.unpack(Fixture.files(), folder);
    Path objects = folder.resolve("data/eb");
    Files.writeString(objects.resolve("notes.txt"), "x");
    Files.writeString(objects.resolve("0".repeat(38)), "x");
    Files.createDirectory(objects.resolve("sub"));
    Files.createDirectory(folder.resolve("data/zz"));
    Files.createSymbolicLink(objects.resolve("link"), Path.of("notes.txt"));
    Files.createDirectories(folder.resolve("data/txn"));
    Files.writeString(folder.resolve("data/txn/half-written"), "x");

    CheckReport report =
        new RepositoryCheck(new LocalRepositoryFiles(folder), SETTINGS, counts -> {}).run();

    assertThat(report.problems())
        .extracting(Problem::path, Problem::what)
        .satisfiesExactly(
            first -> assertThat(first.toList().toString()).contains("stored object damaged"),
            link -> assertThat(link.toList()).contains("neither file nor folder among the objects"),
            notes -> assertThat(notes.toList()).contains("unexpected file name among the objects"),
            sub -> assertThat(sub.toList()).contains("unexpected folder among the objects"),
            zz -> assertThat(zz.toList()).contains("unexpected folder among the objects"));
  }

  @Test
  void keepsABoundedListButCountsAllProblems() {
    Map<String, byte[]> files = Fixture.files();
    files.keySet().removeIf(path -> path.endsWith("P"));

    CheckReport report =
        check(files, new CheckSettings(SETTINGS.reader(), Depth.EVERY_OBJECT, 2, 3));

    assertThat(report.problems()).hasSize(3);
    assertThat(report.counts().problems()).isEqualTo(11);
  }

  private static CheckReport check(Map<String, byte[]> files, CheckSettings settings) {
    return new RepositoryCheck(new MemoryRepositoryFiles(files), settings, counts -> {}).run();
  }
}
