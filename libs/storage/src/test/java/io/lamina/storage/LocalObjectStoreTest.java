package io.lamina.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.storage.LocalObjectStore.Settings;
import io.lamina.storage.ObjectStore.PutOutcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalObjectStoreTest extends ObjectStoreContract {
  private static final Instant NOW = Instant.parse("2026-02-03T04:05:06Z");

  @TempDir Path folder;

  @Override
  ObjectStore openEmpty() {
    return open(Settings.STANDARD);
  }

  private LocalObjectStore open(Settings settings) {
    return LocalObjectStore.open(folder, settings, Clock.fixed(NOW, ZoneOffset.UTC), new Random(1));
  }

  private long temporaryFiles() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("data/txn"))) {
      return files.filter(f -> f.getFileName().toString().startsWith("tmp-")).count();
    }
  }

  @Test
  void makesFilesAndFoldersThatAWebServerCanRead() throws IOException {
    store.putIfAbsent(key("data/ab/x"), Content.of(bytes("x")));
    store.swap(key("pub/y"), Optional.empty(), bytes("y"));

    for (String file : new String[] {"data/ab/x", "pub/y"}) {
      assertThat(Files.getPosixFilePermissions(folder.resolve(file)))
          .isEqualTo(PosixFilePermissions.fromString("rw-r--r--"));
    }
    for (String directory : new String[] {"data", "data/ab", "pub"}) {
      assertThat(Files.getPosixFilePermissions(folder.resolve(directory)))
          .isEqualTo(PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  @Test
  void countsAnOldObjectThatAWriterFindsAsWrittenNow() throws IOException {
    Path file = folder.resolve("data/ab/x");
    store.putIfAbsent(key("data/ab/x"), Content.of(bytes("x")));
    Files.setLastModifiedTime(file, FileTime.from(NOW.minus(Duration.ofDays(9))));

    assertThat(store.putIfAbsent(key("data/ab/x"), Content.of(bytes("x"))))
        .isEqualTo(PutOutcome.ALREADY_PRESENT);

    assertThat(Files.getLastModifiedTime(file).toInstant()).isEqualTo(NOW);
    assertThat(store.deleteIfOlder(key("data/ab/x"), NOW.getEpochSecond())).isFalse();
  }

  @Test
  void leavesTheTimeOfAnObjectThatIsYoung() throws IOException {
    Path file = folder.resolve("data/ab/x");
    store.putIfAbsent(key("data/ab/x"), Content.of(bytes("x")));
    Instant young = NOW.minus(Duration.ofHours(23));
    Files.setLastModifiedTime(file, FileTime.from(young));

    store.putIfAbsent(key("data/ab/x"), Content.of(bytes("x")));

    assertThat(Files.getLastModifiedTime(file).toInstant()).isEqualTo(young);
  }

  @Test
  void putsBackWhatSomebodySetAsideAndDied() throws IOException {
    store.putIfAbsent(key("data/ab/x"), Content.of(bytes("x")));
    store.putIfAbsent(key("data/ab/y"), Content.of(bytes("y")));
    Path temporary = folder.resolve("data/txn");
    Files.move(folder.resolve("data/ab/x"), temporary.resolve("aside-data+ab+x"));
    Files.copy(folder.resolve("data/ab/y"), temporary.resolve("aside-data+ab+y"));
    Files.writeString(temporary.resolve("aside-..+..+z"), "z");

    ObjectStore next = open(Settings.STANDARD);

    assertThat(next.read(key("data/ab/x"), 9)).isEqualTo(bytes("x"));
    assertThat(next.read(key("data/ab/y"), 9)).isEqualTo(bytes("y"));
    try (Stream<Path> left = Files.list(temporary)) {
      assertThat(left.map(f -> f.getFileName().toString()).filter(f -> f.startsWith("aside-")))
          .containsExactly("aside-..+..+z");
    }
  }

  @Test
  void leavesNoTemporaryFilesBehind() throws IOException {
    store.putIfAbsent(key("data/ab/x"), Content.of(bytes("x")));
    store.putIfAbsent(key("data/ab/x"), Content.of(bytes("x")));
    store.swap(key("y"), Optional.empty(), bytes("y"));
    assertThatThrownBy(() -> store.swap(key("y"), Optional.empty(), bytes("z")))
        .isInstanceOf(StorageException.Conflict.class);
    assertThatThrownBy(() -> store.putIfAbsent(key("data/ab/y"), streaming(bytes("x"), 2)))
        .isInstanceOf(StorageException.Corrupt.class);

    assertThat(temporaryFiles()).isZero();
  }

  @Test
  void removesOnlyOldLeftoversOfDeadWriters() throws IOException {
    Path old = Files.writeString(folder.resolve("data/txn/tmp-1-a-1"), "half");
    Path young = Files.writeString(folder.resolve("data/txn/tmp-1-a-2"), "half");
    Path foreign = Files.writeString(folder.resolve("data/txn/other"), "half");
    Files.setLastModifiedTime(old, FileTime.from(NOW.minus(Duration.ofHours(25))));
    Files.setLastModifiedTime(young, FileTime.from(NOW.minus(Duration.ofHours(23))));
    Files.setLastModifiedTime(foreign, FileTime.from(NOW.minus(Duration.ofHours(25))));

    open(Settings.STANDARD).close();

    assertThat(old).doesNotExist();
    assertThat(young).exists();
    assertThat(foreign).exists();
  }

  @Test
  void writesAnObjectAgainThatAPowerFailureTore() throws IOException {
    store.putIfAbsent(key("data/ab/torn"), Content.of(bytes("whole")));
    Files.writeString(folder.resolve("data/ab/torn"), "");

    assertThat(store.putIfAbsent(key("data/ab/torn"), Content.of(bytes("whole"))))
        .isEqualTo(PutOutcome.STORED);

    assertThat(store.read(key("data/ab/torn"), 10)).isEqualTo(bytes("whole"));
  }

  @Test
  void neverFollowsLinks(@TempDir Path outside) throws IOException {
    Files.writeString(outside.resolve("secret"), "secret");
    Files.createSymbolicLink(folder.resolve("out"), outside);
    Files.createSymbolicLink(folder.resolve("file"), outside.resolve("secret"));

    assertThatThrownBy(() -> store.read(key("out/secret"), 100))
        .isInstanceOf(StorageException.Rejected.class)
        .hasMessageContaining("symbolic link");
    assertThatThrownBy(() -> store.putIfAbsent(key("out/new"), Content.of(bytes("x"))))
        .isInstanceOf(StorageException.Rejected.class);
    assertThatThrownBy(() -> store.swap(key("out/new"), Optional.empty(), bytes("x")))
        .isInstanceOf(StorageException.Rejected.class);
    assertThatThrownBy(() -> store.delete(key("out/secret")))
        .isInstanceOf(StorageException.Rejected.class);
    assertThatThrownBy(() -> store.read(key("file"), 100))
        .isInstanceOf(StorageException.NotFound.class);
    assertThat(store.head(key("file"))).isEmpty();
    assertThat(listed("")).isEmpty();
    store.swap(key("file"), Optional.empty(), bytes("mine"));

    assertThat(outside.resolve("new")).doesNotExist();
    assertThat(outside.resolve("secret")).hasContent("secret");
    assertThat(Files.isRegularFile(folder.resolve("file"), LinkOption.NOFOLLOW_LINKS)).isTrue();
  }

  @Test
  void refusesKeysInTheTemporaryFolder() {
    assertThatThrownBy(() -> store.putIfAbsent(key("data/txn/x"), Content.of(bytes("x"))))
        .isInstanceOf(StorageException.Rejected.class)
        .hasMessageContaining("data/txn");
  }

  @Test
  void writesIntoAFolderThatWasRemovedMeanwhile() throws IOException {
    store.putIfAbsent(key("data/ab/1"), Content.of(bytes("x")));
    Files.delete(folder.resolve("data/ab/1"));
    Files.delete(folder.resolve("data/ab"));

    assertThat(store.putIfAbsent(key("data/ab/2"), Content.of(bytes("x"))))
        .isEqualTo(PutOutcome.STORED);
  }

  @Test
  void flushesFileByFileWhereThatIsWanted() {
    LocalObjectStore other =
        open(new Settings("data/txn", Duration.ofHours(24), Settings.Flushing.FILE_BY_FILE));
    for (int i = 0; i < 50; i++) {
      other.putIfAbsent(key("data/" + i % 3 + "/" + i), Content.of(random(100, i)));
    }
    other.delete(key("data/0/0"));

    other.flush();
    other.flush();

    assertThat(listed("data/")).hasSize(49);
  }

  @Test
  void storesCopiesOfFiles(@TempDir Path elsewhere) throws IOException {
    Path file = Files.write(elsewhere.resolve("f"), random(100_000, 3));

    store.putIfAbsent(key("data/ab/file"), Content.of(file));

    assertThat(store.read(key("data/ab/file"), 100_000)).isEqualTo(random(100_000, 3));
  }

  @Test
  void sharesAFolderWithOtherInstances() {
    LocalObjectStore other = open(Settings.STANDARD);
    var version = store.swap(key("m"), Optional.empty(), bytes("1"));

    other.swap(key("m"), Optional.of(version), bytes("2"));

    assertThatThrownBy(() -> store.swap(key("m"), Optional.of(version), bytes("3")))
        .isInstanceOf(StorageException.Conflict.class);
  }
}
