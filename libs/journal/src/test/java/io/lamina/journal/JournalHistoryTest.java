package io.lamina.journal;

import static io.lamina.journal.TestJournals.ONE;
import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.journal.JournalHistory.ImageChange;
import io.lamina.messaging.event.Event.TransactionPublished;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalHistoryTest {
  private static final String DEBIAN = "docker.io/library/debian:12";
  private static final String OTHER = "docker.io/library/debian:12-slim";
  private static final String ID = "ab".repeat(32);
  private static final String NEXT_ID = "cd".repeat(32);

  @TempDir Path folder;

  private static CatalogChange link(String name, String id) {
    return new CatalogChange.PutSymlink(
        RepositoryPath.of("/" + name), "../../.flat/" + id.substring(0, 2) + "/" + id);
  }

  private static CatalogChange manifest(String folder) {
    return new CatalogChange.PutFile(
        RepositoryPath.of(folder + "/manifest.json"), TestJournals.root(ONE, 99), 3);
  }

  private static CatalogChange remove(String path) {
    return new CatalogChange.Remove(RepositoryPath.of(path));
  }

  private Journal journal(List<List<CatalogChange>> transactions) {
    List<JournalEntry> entries = new ArrayList<>();
    for (List<CatalogChange> changes : transactions) {
      TransactionPublished plain = TestJournals.event(ONE, entries.size() + 1);
      entries.add(
          TestJournals.entry(
              new TransactionPublished(
                  ONE,
                  plain.revision(),
                  plain.timestampSeconds(),
                  plain.previousRoot(),
                  plain.root(),
                  plain.rootSizeBytes(),
                  changes,
                  plain.requests())));
    }
    return TestJournals.write(folder, TestJournals.file(entries));
  }

  private static List<JournalHistory.Revision> read(Journal journal, Optional<String> image) {
    List<JournalHistory.Revision> revisions = new ArrayList<>();
    JournalHistory.read(journal, ONE, image, revisions::add);
    return revisions;
  }

  @Test
  void saysWhatAnImageShowedFromWhichRevisionOn() {
    Journal journal =
        journal(
            List.of(
                List.of(manifest("/.metadata/" + DEBIAN), link(DEBIAN, ID)),
                List.of(link(OTHER, ID)),
                List.of(link(DEBIAN, NEXT_ID)),
                List.of(remove("/docker.io/library")),
                List.of(remove("/.layers/ab"))));

    List<JournalHistory.Revision> all = read(journal, Optional.empty());
    List<JournalHistory.Revision> debian = read(journal, Optional.of(DEBIAN));

    assertThat(all)
        .extracting(JournalHistory.Revision::revision)
        .containsExactly(1L, 2L, 3L, 4L, 5L);
    assertThat(all.getLast().images()).isEmpty();
    assertThat(all.getLast().changes()).isEqualTo(1);
    assertThat(debian).extracting(JournalHistory.Revision::revision).containsExactly(1L, 3L, 4L);
    assertThat(debian.getFirst().images())
        .containsExactly(
            new ImageChange(
                DEBIAN, Optional.of(ID), Optional.of(TestJournals.root(ONE, 99)), true, false));
    assertThat(debian.get(1).images())
        .containsExactly(
            new ImageChange(DEBIAN, Optional.of(NEXT_ID), Optional.empty(), true, false));
    assertThat(debian.get(2).images())
        .containsExactly(
            new ImageChange("docker.io/library", Optional.empty(), Optional.empty(), false, true));
    assertThat(debian.getFirst().requests()).hasToString("[request-1]");
    assertThat(debian.getFirst().writtenAt())
        .isEqualTo(TestJournals.entry(TestJournals.event(ONE, 1)).writtenAt());
  }

  @Test
  void takesNoPartOfANameForTheName() {
    Journal journal = journal(List.of(List.of(link(OTHER, ID), remove("/docker.io/lib"))));

    assertThat(read(journal, Optional.of(DEBIAN))).isEmpty();
  }

  @Test
  void showsImagesForSeveralPlatformsWithoutAnId() {
    Journal journal =
        journal(
            List.of(
                List.of(
                    manifest("/.metadata/.multiarch/arm64/" + DEBIAN),
                    manifest("/.metadata/" + DEBIAN),
                    new CatalogChange.PutSymlink(
                        RepositoryPath.of("/.multiarch/arm64/" + DEBIAN), "../.flat/" + ID),
                    new CatalogChange.PutSymlink(
                        RepositoryPath.of("/" + DEBIAN),
                        "../../.multiarch/$(CVMFS_ARCH:-amd64)/" + DEBIAN))));

    assertThat(read(journal, Optional.of(DEBIAN)).getFirst().images())
        .containsExactly(
            new ImageChange(
                DEBIAN, Optional.empty(), Optional.of(TestJournals.root(ONE, 99)), true, false));
  }
}
