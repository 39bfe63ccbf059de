package io.lamina.cvmfs.reader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.Fixture;
import io.lamina.cvmfs.signing.MasterKeys;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FixtureListingTest {
  private static final long SEED = Long.getLong("lamina.test.seed", 20261122L);
  private static final int SMALL_FILE_BYTES = 64;
  private static final int POSITIONS = 10;
  private static final ReaderSettings SETTINGS =
      ReaderSettings.of(Fixture.NAME, MasterKeys.parse(Fixture.publicKey()), Fixture.CLOCK);
  private static final List<String> LISTING =
      new String(Fixture.resource("listing.jsonl"), StandardCharsets.UTF_8).lines().toList();

  @TempDir Path folder;

  @Test
  void showsExactlyWhatTheOriginalClientShows() {
    Fixture.unpack(Fixture.files(), folder);

    try (RepositoryFiles files = new LocalRepositoryFiles(folder);
        RepositoryReader reader = RepositoryReader.open(files, SETTINGS)) {
      assertThat(Listing.of(reader)).containsExactlyElementsOf(LISTING);
    }
  }

  @Test
  void showsTheSameWithRoomForOneOpenCatalogOnly() {
    MemoryRepositoryFiles files = new MemoryRepositoryFiles(Fixture.files());

    try (RepositoryReader reader = RepositoryReader.open(files, SETTINGS.withOpenCatalogBytes(0))) {
      assertThat(Listing.of(reader)).containsExactlyElementsOf(LISTING);
    }
  }

  @Test
  @DisplayName("refuses the fixture when any one byte of any file is changed (files of the tree)")
  void refusesTheFixtureWhenAnyByteThatTheTreeNeedsIsChanged() {
    Map<String, byte[]> original = Fixture.files();
    MemoryRepositoryFiles untouched = new MemoryRepositoryFiles(original);
    assertThat(read(untouched)).hasSize(61);
    Set<String> needed = untouched.opened();
    Random random = new Random(SEED);

    for (String path : needed) {
      byte[] content = untouched.content(path);
      for (int position : positions(content.length, random)) {
        byte[] changed = content.clone();
        changed[position] ^= (byte) (1 << random.nextInt(8));
        MemoryRepositoryFiles files = new MemoryRepositoryFiles(original);
        files.put(path, changed);
        assertThatThrownBy(() -> read(files))
            .as("byte %d of %s, seed %d", position, path, SEED)
            .isInstanceOf(CvmfsException.class);
      }
    }
    assertThat(needed).hasSizeGreaterThan(30).contains(".cvmfspublished", ".cvmfswhitelist");
  }

  @Test
  void refusesTheFixtureWhenAnyFileThatTheTreeNeedsIsLongerOrShorterOrMissing() {
    Map<String, byte[]> original = Fixture.files();
    MemoryRepositoryFiles untouched = new MemoryRepositoryFiles(original);
    read(untouched);

    for (String path : untouched.opened()) {
      byte[] content = untouched.content(path);
      for (byte[] changed :
          List.of(
              Arrays.copyOf(content, content.length + 1),
              Arrays.copyOf(content, content.length - 1),
              new byte[0])) {
        MemoryRepositoryFiles files = new MemoryRepositoryFiles(original);
        files.put(path, changed);
        assertThatThrownBy(() -> read(files))
            .as("%s with %d bytes", path, changed.length)
            .isInstanceOf(CvmfsException.class);
      }
      MemoryRepositoryFiles files = new MemoryRepositoryFiles(original);
      files.remove(path);
      assertThatThrownBy(() -> read(files))
          .as("%s missing", path)
          .isInstanceOf(CvmfsException.NotFound.class);
    }
  }

  private static List<String> read(RepositoryFiles files) {
    try (RepositoryReader reader = RepositoryReader.open(files, SETTINGS)) {
      return Listing.of(reader);
    }
  }

  private static Set<Integer> positions(int length, Random random) {
    Set<Integer> positions = new TreeSet<>();
    if (length <= SMALL_FILE_BYTES) {
      IntStream.range(0, length).forEach(positions::add);
    } else {
      positions.addAll(List.of(0, length - 1));
      random.ints(POSITIONS, 0, length).forEach(positions::add);
    }
    return positions;
  }
}
