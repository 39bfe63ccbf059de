package io.lamina.client.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.lamina.client.EmbeddedClient;
import io.lamina.client.MountedRepository;
import io.lamina.client.RepositorySettings;
import io.lamina.client.TestRepository;
import io.lamina.client.TestServer;
import io.lamina.client.failure.ClientException;
import io.lamina.cvmfs.Fixture;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.cvmfs.tree.FileTree;
import io.lamina.linux.Directory;
import io.lamina.linux.FileStatus;
import io.lamina.linux.Mounts;
import io.lamina.linux.Overlay;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With the kernel's FUSE; skipped, with the reason, where there is none. */
class MountIT {
  private static final byte[] LARGE = new byte[3_000_000];

  static {
    new Random(5).nextBytes(LARGE);
  }

  @TempDir Path folder;
  private MountFixture mounts;
  private final TestRepository repository = new TestRepository("m.example.org");
  private final TestServer server = new TestServer(repository.files());

  @BeforeEach
  void start() {
    mounts = new MountFixture(folder);
  }

  @AfterEach
  void stop() {
    server.close();
    if (mounts != null) {
      mounts.close();
    }
  }

  @Test
  void showsExactlyWhatTheOriginalClientShows() {
    Path files = folder.resolve("fixture");
    Fixture.unpack(Fixture.files(), files);
    RepositorySettings fixture =
        new RepositorySettings(
            Fixture.NAME, List.of(files.toString()), MasterKeys.parse(Fixture.publicKey()));
    List<String> listing =
        new String(Fixture.resource("listing.jsonl"), StandardCharsets.UTF_8).lines().toList();

    // The listing was taken with the client's variables switched off.
    Map<String, String> unchanged = Map.of("CVMFS_ARCH", "$(CVMFS_ARCH:-amd64)");
    try (EmbeddedClient client = mounts.client(Fixture.CLOCK, unchanged);
        MountedRepository mounted = client.mount(fixture, mounts.point("m"))) {
      assertThat(MountedListing.of(mounted.mountPoint())).containsExactlyElementsOf(listing);
      assertThat(MountedListing.of(mounted.mountPoint())).containsExactlyElementsOf(listing);
    }
    assertThat(Mounts.isMounted(folder.resolve("m"))).isFalse();
  }

  @Test
  void readsWhatOurWriterWrote() throws Exception {
    FileTree tree = TestRepository.tree();
    tree.put(path("/dir/small"), repository.file("small"));
    tree.put(path("/dir/empty"), repository.file(""));
    tree.put(path("/large"), repository.chunked(LARGE, 700_001));
    tree.put(
        path("/program"), repository.file("#!/bin/sh\n".getBytes(StandardCharsets.UTF_8), 04755));
    tree.put(path("/link"), CatalogEntry.symlink("dir/small".getBytes(StandardCharsets.UTF_8), 5));
    tree.put(path("/pipe"), special(CatalogEntry.FIFO | 0600, 0));
    tree.put(
        path("/disk"),
        special(CatalogEntry.BLOCK_DEVICE | 0660, CatalogEntry.deviceNumber(259, 300)));
    tree.link(path("/dir/small"), path("/dir/again"));
    repository.with("tree", tree).publish();

    try (EmbeddedClient client = mounts.client(Clock.systemUTC());
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"));
        Directory root = MountFixture.open(mounted.mountPoint().resolve("tree"))) {
      Path below = mounted.mountPoint().resolve("tree");
      assertThat(Files.readString(below.resolve("link"))).isEqualTo("small");
      assertThat(Files.readAllBytes(below.resolve("large"))).isEqualTo(LARGE);
      assertThat(Files.readAllBytes(below.resolve("dir/empty"))).isEmpty();
      try (Directory dir = MountFixture.open(below.resolve("dir"))) {
        FileStatus small = dir.status(bytes("small")).orElseThrow();
        assertThat(small.links()).isEqualTo(2);
        assertThat(dir.status(bytes("again")).orElseThrow().inode()).isEqualTo(small.inode());
        assertThat(dir.status(bytes("empty")).orElseThrow().inode()).isNotEqualTo(small.inode());
      }
      assertThat(root.status(bytes("program")).orElseThrow().permissions()).isEqualTo(04755);
      FileStatus disk = root.status(bytes("disk")).orElseThrow();
      assertThat(disk.deviceMajor()).isEqualTo(259);
      assertThat(disk.deviceMinor()).isEqualTo(300);
      assertThat(Files.getFileStore(below).getTotalSpace()).isPositive();
    }
  }

  @Test
  void isReadOnly() {
    repository.withRoot("file", repository.file("x")).publish();
    try (EmbeddedClient client = mounts.client(Clock.systemUTC());
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"))) {
      Path root = mounted.mountPoint();
      assertThatThrownBy(() -> Files.writeString(root.resolve("new"), "x"))
          .isInstanceOf(FileSystemException.class)
          .hasMessageContaining("Read-only file system");
      assertThatThrownBy(() -> Files.delete(root.resolve("file")))
          .hasMessageContaining("Read-only file system");
      assertThatThrownBy(() -> Files.writeString(root.resolve("file"), "x"))
          .hasMessageContaining("Read-only file system");
    }
  }

  @Test
  void tellsOfTheRepositoryInExtendedAttributes() {
    repository
        .withRoot("file", repository.file("x"))
        .withRoot("chunked", repository.chunked(new byte[30], 10))
        .publish(17);
    try (EmbeddedClient client = mounts.client(Clock.systemUTC());
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"));
        Directory root = MountFixture.open(mounted.mountPoint())) {
      assertThat(text(root, "file", "user.revision")).isEqualTo("17");
      assertThat(text(root, "file", "user.fqrn")).isEqualTo("m.example.org");
      assertThat(text(root, "file", "user.root_hash"))
          .isEqualTo(mounted.statistics().rootHash().toString());
      assertThat(text(root, "file", "user.hash"))
          .isEqualTo(String.valueOf(repository.file("x").hash()));
      assertThat(text(root, "file", "user.chunks")).isEqualTo("1");
      assertThat(root.xattr(bytes("chunked"), "user.hash")).isEmpty();
      assertThat(text(root, "chunked", "user.chunk_list").lines()).hasSize(4);
      assertThat(root.xattrs(bytes("file"))).isEmpty();
      assertThat(root.xattrs(bytes("."))).contains("user.revision", "user.expires", "user.nclg");
    }
  }

  @Test
  void showsANewRevisionWhileOldFilesAreOpen() throws Exception {
    FileTree before = TestRepository.tree();
    before.put(path("/changes"), repository.file("first"));
    before.put(path("/goes"), repository.file("gone soon"));
    before.put(path("/stays"), repository.file("the same"));
    before.put(path("/dir/file"), repository.file("below"));
    FileTree kept = TestRepository.tree();
    kept.put(path("/file"), repository.file("kept"));
    repository.with("tree", before).with("kept", kept).publish();

    try (EmbeddedClient client = mounts.client(Clock.systemUTC());
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"))) {
      Path tree = mounted.mountPoint().resolve("tree");
      MountedListing.of(mounted.mountPoint());
      assertThat(tree.resolve("new")).doesNotExist();
      assertThat(mounted.mountPoint().resolve("late")).doesNotExist();
      long inode = inode(tree.resolve("stays"));
      try (InputStream open = Files.newInputStream(tree.resolve("changes"));
          InputStream going = Files.newInputStream(tree.resolve("goes"));
          Directory inside = MountFixture.open(tree.resolve("dir"))) {
        FileTree after = TestRepository.tree();
        after.put(path("/changes"), repository.file("second"));
        after.put(path("/stays"), repository.file("the same"));
        after.put(path("/new"), repository.file("new"));
        FileTree late = TestRepository.tree();
        late.put(path("/file"), repository.file("late"));
        repository.with("tree", after).with("late", late).publish();
        assertThat(mounted.refresh(2)).isEqualTo(2);

        assertThat(Files.readString(tree.resolve("changes"))).isEqualTo("second");
        assertThat(Files.readString(tree.resolve("new"))).isEqualTo("new");
        assertThat(Files.readString(mounted.mountPoint().resolve("late/file"))).isEqualTo("late");
        assertThat(Files.readString(mounted.mountPoint().resolve("kept/file"))).isEqualTo("kept");
        assertThat(tree.resolve("goes")).doesNotExist();
        assertThat(tree.resolve("dir")).doesNotExist();
        assertThat(names(tree)).contains("changes", "new", "stays").doesNotContain("goes", "dir");
        assertThat(inode(tree.resolve("stays"))).isEqualTo(inode);
        assertThat(new String(open.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("first");
        assertThat(new String(going.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("gone soon");
        // Who stands in a directory that is gone still sees it.
        assertThat(inside.list(10))
            .extracting(each -> new String(each.name(), StandardCharsets.UTF_8))
            .containsExactly("file");
      }
    }
  }

  @Test
  void takesANewRevisionWhenTheTimeToLiveIsOver() throws Exception {
    repository.withRoot("file", repository.file("first")).publish();
    try (EmbeddedClient client = mounts.clientThatAsksEverySecond();
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"))) {
      Path file = mounted.mountPoint().resolve("file");
      assertThat(Files.readString(file)).isEqualTo("first");
      repository.withRoot("file", repository.file("second")).publish();

      assertTimeoutPreemptively(
          Duration.ofMinutes(2),
          () -> {
            while (!Files.readString(file).equals("second")) {
              Thread.onSpinWait();
            }
          });
      assertThat(mounted.revision()).isEqualTo(2);
    }
  }

  @Test
  void theKernelAsksForNothingTwice() throws Exception {
    FileTree tree = TestRepository.tree();
    tree.put(path("/small"), repository.file("small"));
    tree.put(path("/large"), repository.chunked(LARGE, 700_001));
    repository.with("tree", tree).publish();
    try (EmbeddedClient client = mounts.client(Clock.systemUTC());
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"))) {
      Path below = mounted.mountPoint().resolve("tree");
      assertThat(Files.readString(below.resolve("small"))).isEqualTo("small");
      assertThat(Files.readAllBytes(below.resolve("large"))).isEqualTo(LARGE);
      long reads = mounted.mountStatistics().reads();
      long hits = client.cacheStatistics().hits();

      for (int i = 0; i < 5; i++) {
        assertThat(Files.readString(below.resolve("small"))).isEqualTo("small");
        assertThat(Files.readAllBytes(below.resolve("large"))).isEqualTo(LARGE);
        assertThat(names(below)).containsExactly("large", "small");
        assertThat(below.resolve("missing")).doesNotExist();
      }

      // Once in a hundred runs Linux 6.18 reads a few pages anew that came in pieces, and what was
      // fetched ahead is counted late. Without the kernel's memory it would be five times as much.
      assertThat(mounted.mountStatistics().reads()).isLessThan(reads + reads / 4);
      assertThat(client.cacheStatistics().hits()).isLessThan(hits + hits / 4);
    }
  }

  @Test
  void aListingThatHasBegunShowsOneRevisionToItsEnd() throws Exception {
    int count = 3000;
    FileTree before = TestRepository.tree();
    FileTree after = TestRepository.tree();
    for (int i = 0; i < count; i++) {
      before.put(path("/file-with-a-long-name-" + (i + 10_000)), repository.file("x"));
      after.put(path("/another-file-that-comes-" + (i + 10_000)), repository.file("x"));
    }
    repository.with("tree", before).publish();
    try (EmbeddedClient client = mounts.client(Clock.systemUTC());
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"))) {
      Path tree = mounted.mountPoint().resolve("tree");
      List<String> seen = new ArrayList<>();
      try (Stream<Path> listing = Files.list(tree)) {
        Iterator<Path> entries = listing.iterator();
        seen.add(entries.next().getFileName().toString());
        repository.with("tree", after).publish();
        mounted.refresh();
        assertThat(names(tree)).hasSize(count).allMatch(name -> name.startsWith("another"));
        entries.forEachRemaining(entry -> seen.add(entry.getFileName().toString()));
      }
      seen.remove(".cvmfscatalog");
      assertThat(seen).hasSize(count).doesNotHaveDuplicates().allMatch(n -> n.startsWith("file"));
    }
  }

  @Test
  void survivesAServerThatGoesAndComesBack() throws Exception {
    FileTree tree = TestRepository.tree();
    tree.put(path("/read"), repository.file("was read"));
    tree.put(path("/unread"), repository.file("was not"));
    repository.with("tree", tree).publish();
    try (EmbeddedClient client = mounts.client(Clock.systemUTC());
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"))) {
      Path below = mounted.mountPoint().resolve("tree");
      assertThat(Files.readString(below.resolve("read"))).isEqualTo("was read");
      server.goAway();

      assertThat(Files.readString(below.resolve("read"))).isEqualTo("was read");
      assertThatThrownBy(() -> Files.readString(below.resolve("unread")))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("Input/output error");

      server.comeBack();
      assertThat(Files.readString(below.resolve("unread"))).isEqualTo("was not");
    }
  }

  @Test
  void refusesDamagedContentAndReadsItOnceItIsRepaired() throws Exception {
    CatalogEntry file = repository.file("content that is damaged on the server");
    repository.withRoot("file", file).publish();
    String object = ObjectKind.FILE.pathOf(Objects.requireNonNull(file.hash()));
    byte[] right = Objects.requireNonNull(repository.files().get(object));
    byte[] wrong = right.clone();
    wrong[wrong.length - 1] ^= 1;
    repository.files().put(object, wrong);
    try (EmbeddedClient client = mounts.client(Clock.systemUTC());
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"))) {
      Path path = mounted.mountPoint().resolve("file");
      assertThatThrownBy(() -> Files.readString(path)).hasMessageContaining("Input/output error");

      repository.files().put(object, right);
      assertThat(Files.readString(path)).isEqualTo("content that is damaged on the server");
    }
  }

  @Test
  void manyReadersFetchAFileOnceAndOthersDoNotWait() throws Exception {
    repository
        .withRoot("wanted", repository.file("wanted by many"))
        .withRoot("other", repository.file("other"))
        .publish();
    try (EmbeddedClient client = mounts.client(Clock.systemUTC());
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"));
        ExecutorService readers = Executors.newFixedThreadPool(20)) {
      Path root = mounted.mountPoint();
      assertThat(Files.readString(root.resolve("other"))).isEqualTo("other");
      server.forgetRequests();
      CountDownLatch held = server.hold();
      List<Future<String>> contents = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        contents.add(readers.submit(() -> Files.readString(root.resolve("wanted"))));
      }
      assertThat(Files.readString(root.resolve("other"))).isEqualTo("other");
      held.countDown();
      for (Future<String> content : contents) {
        assertThat(content.get()).isEqualTo("wanted by many");
      }
      assertThat(server.total()).isEqualTo(1);
    }
  }

  @Test
  void overlaysHonourWhiteoutsAndOpaqueDirectories() throws Exception {
    FileTree lower = TestRepository.tree();
    lower.put(path("/hidden"), repository.file("below"));
    lower.put(path("/seen"), repository.file("below"));
    lower.put(path("/opaque/below"), repository.file("below"));
    FileTree upper = TestRepository.tree();
    upper.put(path("/hidden"), special(CatalogEntry.CHARACTER_DEVICE, 0));
    upper.put(
        path("/opaque"),
        TestRepository.entry(
            CatalogEntry.DIRECTORY | 0755,
            4096,
            Xattrs.of(Map.of("trusted.overlay.opaque", bytes("y"))),
            List.of()));
    upper.put(path("/opaque/above"), repository.file("above"));
    repository.with("lower", lower).with("upper", upper).publish();

    try (EmbeddedClient client = mounts.client(Clock.systemUTC());
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"))) {
      Path merged = mounts.point("merged");
      try (Directory below = MountFixture.open(mounted.mountPoint().resolve("lower"));
          Directory above = MountFixture.open(mounted.mountPoint().resolve("upper"))) {
        new Overlay(List.of(above, below), null, null, new TreeMap<>())
            .mountAt(merged, Overlay.Method.CLASSIC);
      }
      assertThat(merged.resolve("hidden")).doesNotExist();
      assertThat(names(merged)).contains("seen", "opaque").doesNotContain("hidden");
      assertThat(names(merged.resolve("opaque"))).containsExactly("above");

      repository.without("lower").publish();
      mounted.refresh();

      assertThat(mounted.mountPoint().resolve("lower")).doesNotExist();
      assertThat(Files.readString(merged.resolve("seen"))).isEqualTo("below");
      assertThat(names(merged.resolve("opaque"))).containsExactly("above");
      assertThat(Mounts.detach(merged)).isTrue();
    }
  }

  @Test
  void showsWhatOtherPublishersMarkAsRemovedToOverlays() throws Exception {
    FileTree lower = TestRepository.tree();
    lower.put(path("/gone"), repository.file("below"));
    lower.put(path("/gone-dir/file"), repository.file("below"));
    lower.put(path("/kept"), repository.file("below"));
    lower.put(path("/opaque/below"), repository.file("below"));
    lower.put(path("/replaced/below"), repository.file("below"));
    lower.put(path("/merged/below"), repository.file("below"));
    FileTree upper = TestRepository.tree();
    upper.put(path("/.wh.gone"), repository.file(""));
    upper.put(path("/.wh.gone-dir"), repository.file(""));
    upper.put(path("/.wh..wh.plnk"), repository.file(""));
    upper.put(path("/opaque/.wh..wh..opq"), repository.file(""));
    upper.put(path("/opaque/above"), repository.file("above"));
    upper.put(path("/.wh.replaced"), repository.file(""));
    upper.put(path("/replaced/above"), repository.file("above"));
    upper.put(path("/merged/above"), repository.file("above"));
    repository.with("lower", lower).with("upper", upper).publish();

    RepositorySettings translated = repository.at(server.url()).withLayerMarksTranslated();
    try (EmbeddedClient client = mounts.client(Clock.systemUTC());
        MountedRepository mounted = client.mount(translated, mounts.point("m"));
        Directory above = MountFixture.open(mounted.mountPoint().resolve("upper"))) {
      assertThat(above.status(bytes("gone")).orElseThrow().isWhiteout()).isTrue();
      assertThat(above.status(bytes(".wh.gone"))).isEmpty();
      assertThat(names(mounted.mountPoint().resolve("upper")))
          .containsExactly("gone", "gone-dir", "merged", "opaque", "replaced");
      assertThat(above.xattr(bytes("merged"), "trusted.overlay.opaque")).isEmpty();

      Path merged = mounts.point("merged");
      try (Directory below = MountFixture.open(mounted.mountPoint().resolve("lower"))) {
        new Overlay(List.of(above, below), null, null, new TreeMap<>())
            .mountAt(merged, Overlay.Method.CLASSIC);
      }
      assertThat(names(merged)).containsExactly("kept", "merged", "opaque", "replaced");
      assertThat(merged.resolve("gone")).doesNotExist();
      assertThat(names(merged.resolve("opaque"))).containsExactly("above");
      assertThat(names(merged.resolve("replaced"))).containsExactly("above");
      assertThat(names(merged.resolve("merged"))).containsExactly("above", "below");
      assertThat(Mounts.detach(merged)).isTrue();
    }
  }

  @Test
  void showsMarksOfLayersAsFilesUnlessTheyAreTranslated() throws Exception {
    repository.withRoot(".wh.gone", repository.file("")).publish();
    try (EmbeddedClient client = mounts.client(Clock.systemUTC());
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"))) {
      assertThat(names(mounted.mountPoint())).contains(".wh.gone").doesNotContain("gone");
      assertThat(mounted.mountPoint().resolve("gone")).doesNotExist();
    }
  }

  @Test
  void aFullDiskIsAnErrorAndNothingElse() throws Exception {
    Path disk = mounts.point("disk");
    Mounts.mount("tmpfs", disk, "tmpfs", "size=2m");
    byte[] random = new byte[1_500_000];
    new Random(9).nextBytes(random);
    repository
        .withRoot("first", repository.file(random, 0644))
        .withRoot("large", repository.chunked(LARGE, 3_000_000))
        .withRoot("small", repository.file("small"))
        .publish();
    try (EmbeddedClient client =
            MountFixture.client(disk.resolve("cache"), 1L << 30, Clock.systemUTC());
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"))) {
      Path root = mounted.mountPoint();
      assertThat(Files.readAllBytes(root.resolve("first"))).isEqualTo(random);

      assertThatThrownBy(() -> Files.readAllBytes(root.resolve("large")))
          .hasMessageContaining("No space left on device");

      assertThat(Files.readString(root.resolve("small"))).isEqualTo("small");
      assertThat(Files.readAllBytes(root.resolve("first"))).isEqualTo(random);
      assertThat(client.cacheStatistics().evictions()).isPositive();
    }
  }

  @Test
  void endsWhenSomebodyUnmountsIt() throws Exception {
    repository.publish();
    try (EmbeddedClient client = mounts.client(Clock.systemUTC())) {
      MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"));
      assertThat(Mounts.detach(mounted.mountPoint())).isTrue();
      mounted.ended().get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void closesEvenWithOpenFilesWhichGetErrors() throws Exception {
    repository.withRoot("file", repository.chunked(LARGE, 100_000)).publish();
    try (EmbeddedClient client = mounts.client(Clock.systemUTC())) {
      MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"));
      FileChannel open =
          FileChannel.open(mounted.mountPoint().resolve("file"), StandardOpenOption.READ);
      mounted.close();

      assertThat(Mounts.isMounted(mounted.mountPoint())).isFalse();
      assertThatThrownBy(() -> open.read(ByteBuffer.allocate(10), 2_900_000))
          .isInstanceOf(IOException.class);
      assertThatThrownBy(open::close).hasMessageContaining("not connected");
    }
  }

  @Test
  void refusesWhatIsNoFolder() throws Exception {
    repository.publish();
    Path file = Files.writeString(folder.resolve("file"), "x");
    try (EmbeddedClient client = mounts.client(Clock.systemUTC())) {
      assertThatThrownBy(() -> client.mount(repository.at(server.url()), folder.resolve("none")))
          .isInstanceOf(ClientException.Rejected.class)
          .hasMessageContaining("no such folder");
      assertThatThrownBy(() -> client.mount(repository.at(server.url()), file))
          .isInstanceOf(ClientException.Rejected.class)
          .hasMessageContaining("it is no folder");
    }
  }

  @Test
  void tellsMissingNamesAtOnceHoweverOdd() throws Exception {
    repository.publish();
    try (EmbeddedClient client = mounts.client(Clock.systemUTC());
        MountedRepository mounted = client.mount(repository.at(server.url()), mounts.point("m"))) {
      for (String name : List.of("missing", "x".repeat(255), "a b", "$(HOME)")) {
        assertThatThrownBy(() -> Files.readString(mounted.mountPoint().resolve(name)))
            .isInstanceOf(NoSuchFileException.class);
      }
      assertThatThrownBy(() -> Files.readString(mounted.mountPoint().resolve("x".repeat(256))))
          .hasMessageContaining("too long");
    }
  }

  private static CatalogEntry special(int mode, long device) {
    return TestRepository.entry(mode, device, Xattrs.NONE, List.of());
  }

  private static long inode(Path path) throws IOException {
    return (Long) Files.getAttribute(path, "unix:ino");
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .map(each -> each.getFileName().toString())
          .filter(each -> !each.equals(".cvmfscatalog"))
          .sorted()
          .toList();
    }
  }

  private static String text(Directory directory, String name, String attribute) {
    return new String(
        directory.xattr(bytes(name), attribute).orElseThrow(), StandardCharsets.UTF_8);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static RepositoryPath path(String text) {
    return RepositoryPath.of(text);
  }
}
