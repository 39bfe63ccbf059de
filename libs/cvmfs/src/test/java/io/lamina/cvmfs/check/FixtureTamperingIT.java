package io.lamina.cvmfs.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.Fixture;
import io.lamina.cvmfs.reader.MemoryRepositoryFiles;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.signing.MasterKeys;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Some hundred full checks of a repository with one file damaged. */
class FixtureTamperingIT {
  private static final long SEED = Long.getLong("lamina.test.seed", 20261122L);
  private static final int SMALL_FILE_BYTES = 32;
  private static final int POSITIONS = 4;

  /** Of the two files that nothing signs or names by hash: each of their bytes is tried. */
  private static final Set<Integer> STATUS_BYTES = Set.of(48, 68);

  private static final CheckSettings SETTINGS =
      CheckSettings.everyObject(
          ReaderSettings.of(Fixture.NAME, MasterKeys.parse(Fixture.publicKey()), Fixture.CLOCK));

  @Test
  @DisplayName("refuses the fixture when any one byte of any file is changed (every file)")
  void refusesTheFixtureWhenAnyByteIsChanged() {
    Map<String, byte[]> original = Fixture.files();
    Random random = new Random(SEED);

    for (String path : original.keySet()) {
      byte[] content = Fixture.file(path);
      for (int position : positions(content.length, random)) {
        if (isTimeOfDay(path, position)) {
          continue;
        }
        byte[] changed = content.clone();
        changed[position] ^= (byte) (1 << random.nextInt(8));
        original.put(path, changed);
        assertThat(check(original, SETTINGS).problems())
            .as("byte %d of %s, seed %d", position, path, SEED)
            .isNotEmpty();
      }
      original.put(path, content);
    }
  }

  @Test
  void findsEveryMissingFileThatTheRepositoryNeeds() {
    Map<String, byte[]> original = Fixture.files();
    Set<String> optional = Set.of(".cvmfs_master_replica", ".cvmfs_status.json");

    for (String path : Fixture.files().keySet()) {
      byte[] content = Fixture.file(path);
      original.remove(path);
      boolean needed = !optional.contains(path);
      assertThat(check(original, SETTINGS).isClean()).as(path).isEqualTo(!needed);
      original.put(path, content);
    }
  }

  private static CheckReport check(Map<String, byte[]> files, CheckSettings settings) {
    return new RepositoryCheck(new MemoryRepositoryFiles(files), settings, counts -> {}).run();
  }

  /** Hours, minutes and seconds of the status' only date: nothing says what they should be. */
  private static boolean isTimeOfDay(String path, int position) {
    int start = 27;
    return path.equals(".cvmfs_status.json") && position >= start && position < start + 8;
  }

  private static Set<Integer> positions(int length, Random random) {
    Set<Integer> positions = new TreeSet<>();
    if (length <= SMALL_FILE_BYTES || STATUS_BYTES.contains(length)) {
      IntStream.range(0, length).forEach(positions::add);
    } else {
      positions.addAll(List.of(0, length - 1));
      random.ints(POSITIONS, 0, length).forEach(positions::add);
    }
    return positions;
  }
}
