package io.lamina.storage;

import static io.lamina.storage.ObjectStoreContract.key;
import static io.lamina.storage.ObjectStoreContract.random;
import static io.lamina.storage.ObjectStoreContract.streaming;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a folder looks like after the worst moments. */
class LocalObjectStoreFaultIT {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;

  private LocalObjectStore open(Path root) {
    return LocalObjectStore.open(
        root, LocalObjectStore.Settings.STANDARD, Clock.systemUTC(), new Random(1));
  }

  private static List<Path> temporaryFiles(Path root) throws IOException {
    try (Stream<Path> files = Files.list(root.resolve("data/txn"))) {
      return files.filter(f -> f.getFileName().toString().startsWith("tmp-")).toList();
    }
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  /** Stores random objects under their hash and counts in a mutable file, until it is killed. */
  static final class Writer {
    private Writer() {}

    public static void main(String[] arguments) throws Exception {
      Random random = new Random(Long.parseLong(arguments[1]));
      LocalObjectStore store =
          LocalObjectStore.open(
              Path.of(arguments[0]), LocalObjectStore.Settings.STANDARD, Clock.systemUTC(), random);
      for (int i = 0; ; i++) {
        byte[] bytes = new byte[random.nextInt(200_000)];
        random.nextBytes(bytes);
        String hash = sha256(bytes);
        store.putIfAbsent(
            key("data/" + hash.substring(0, 2) + "/" + hash.substring(2)),
            streaming(bytes, bytes.length));
        var before = store.readMutable(key("count"), 1000);
        store.swap(
            key("count"),
            before.map(ObjectStore.Versioned::version),
            (i + " ".repeat(random.nextInt(500)) + ".").getBytes(StandardCharsets.UTF_8));
        System.out.println(hash);
      }
    }
  }

  @Test
  void holdsOnlyWholeFilesHoweverTheWriterIsKilled() throws Exception {
    Random moments = new Random(11);
    List<String> acknowledged = new ArrayList<>();
    for (int round = 0; round < 5; round++) {
      Path out = folder.resolve("out-" + round);
      Process writer =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "--enable-native-access=ALL-UNNAMED",
                  "-cp",
                  System.getProperty("java.class.path"),
                  Writer.class.getName(),
                  folder.resolve("store").toString(),
                  String.valueOf(round))
              .redirectOutput(out.toFile())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      while (Files.size(out) == 0 && writer.isAlive()) {
        TimeUnit.MILLISECONDS.sleep(5);
      }
      TimeUnit.MICROSECONDS.sleep(moments.nextInt(300_000));
      writer.destroyForcibly().waitFor();
      String[] lines = Files.readString(out).split("\n", -1);
      // What follows the last line end may be half a hash.
      acknowledged.addAll(List.of(lines).subList(0, lines.length - 1));
    }

    LocalObjectStore store = open(folder.resolve("store"));
    List<String> found = new ArrayList<>();
    store.list(
        "data/",
        stat -> {
          String hash = stat.key().value().replace("data", "").replace("/", "");
          try {
            assertThat(sha256(store.read(stat.key(), MIB))).isEqualTo(hash);
          } catch (Exception e) {
            throw new AssertionError(e);
          }
          found.add(hash);
        });
    assertThat(acknowledged).isNotEmpty();
    assertThat(found).containsAll(acknowledged);
    assertThat(new String(store.read(key("count"), 1000), StandardCharsets.UTF_8))
        .matches("[0-9]+ *\\.");
  }

  @Test
  @Tag("root")
  void leavesNothingBehindWhenTheDiskIsFull() throws Exception {
    Path disk = Files.createDirectory(folder.resolve("disk"));
    mount(disk);
    try {
      LocalObjectStore store = open(disk);
      store.putIfAbsent(key("data/ab/fits"), Content.of(random(MIB, 1)));
      ObjectStore.Version version = store.swap(key("manifest"), Optional.empty(), random(1000, 2));

      assertThatThrownBy(
              () -> store.putIfAbsent(key("data/ab/large"), Content.of(random(4 * MIB, 3))))
          .isInstanceOf(StorageException.Exhausted.class)
          .hasMessageContaining("data/ab/large");
      assertThatThrownBy(
              () ->
                  store.putIfAbsent(key("data/ab/large"), streaming(random(4 * MIB, 3), 4L * MIB)))
          .isInstanceOf(StorageException.Exhausted.class);
      assertThatThrownBy(
              () -> store.swap(key("manifest"), Optional.of(version), random(4 * MIB, 4)))
          .isInstanceOf(StorageException.Exhausted.class);

      assertThat(store.head(key("data/ab/large"))).isEmpty();
      assertThat(store.read(key("manifest"), 1000)).isEqualTo(random(1000, 2));
      assertThat(temporaryFiles(disk)).isEmpty();
      assertThat(store.putIfAbsent(key("data/ab/next"), Content.of(random(1000, 5))))
          .isEqualTo(ObjectStore.PutOutcome.STORED);
    } finally {
      run("umount", disk.toString());
    }
  }

  private static void mount(Path disk) throws Exception {
    boolean mounted =
        Files.isExecutable(Path.of("/bin/mount"))
            && run("/bin/mount", "-t", "tmpfs", "-o", "size=3m", "lamina-test", disk.toString())
                == 0;
    Assumptions.assumeTrue(mounted, "skipped: only root may mount a small file system");
  }

  private static int run(String... command) throws Exception {
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }
}
