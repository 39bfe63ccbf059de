package io.lamina.standalone.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkFolderTest {
  @TempDir Path folder;

  @Test
  void takesAwayAllThatItHoldsAndNothingElse() throws IOException {
    Path kept = Files.writeString(folder.resolve("kept"), "mine");
    try (WorkFolder work = WorkFolder.in(folder)) {
      Path deep = Files.createDirectories(work.path().resolve("a/b"));
      Files.writeString(deep.resolve("file"), "x");
      Files.createSymbolicLink(deep.resolve("link"), kept);
      assertThat(work.path()).startsWith(folder.toRealPath());
    }

    try (var left = Files.list(folder)) {
      assertThat(left).containsExactly(kept);
    }
    assertThat(kept).hasContent("mine");
  }

  @Test
  void makesTheFolderAboveAndKeepsIt() throws IOException {
    Path above = folder.resolve("new");
    WorkFolder.in(above).close();

    assertThat(above).isEmptyDirectory();
  }
}
