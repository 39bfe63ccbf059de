package io.lamina.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.client.TestServer.Mood;
import io.lamina.client.net.NetworkSettings;
import io.lamina.client.tree.Entry;
import io.lamina.client.tree.FileContent;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.Whitelist;
import io.lamina.cvmfs.tree.FileTree;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenRepositoryTest {
  private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
  private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);

  private final TestRepository repository = new TestRepository("t.example.org", CLOCK);
  private final TestServer server = new TestServer(repository.files());

  @TempDir Path folder;

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void loadsCatalogsAndChunksOnlyWhenTheyAreRead() {
    byte[] large = new byte[100_000];
    new Random(1).nextBytes(large);
    FileTree one = TestRepository.tree();
    CatalogEntry chunked = repository.chunked(large, 10_000);
    one.put(path("/large"), chunked);
    FileTree other = TestRepository.tree();
    other.put(path("/small"), repository.file("small"));
    repository.with("one", one).with("other", other).publish();

    try (EmbeddedClient client = client(CLOCK);
        OpenRepository opened = client.open(repository.at(server.url()))) {
      assertThat(catalogsFetched()).hasSize(1);

      Entry file = opened.find(path("/one/large")).orElseThrow();
      assertThat(catalogsFetched()).hasSize(2);
      assertThat(chunksFetched()).isEmpty();

      FileContent content = opened.open(file);
      assertThat(chunksFetched()).isEmpty();
      assertThat(read(content, 25_000, 10_000)).isEqualTo(part(large, 25_000, 10_000));
      assertThat(chunksFetched()).hasSize(2);
      assertThat(read(content, 0, 200_000)).isEqualTo(large);
      assertThat(chunksFetched()).hasSize(10);
      assertThat(read(content, 99_999, 10)).isEqualTo(part(large, 99_999, 1));
      assertThat(read(content, 100_000, 10)).isEmpty();
      assertThat(server.requests().values()).containsOnly(1);
    }
  }

  @Test
  void showsNothingOfAnyChangedFile() {
    FileTree tree = TestRepository.tree();
    tree.put(path("/file"), repository.file("content"));
    tree.put(path("/chunked"), repository.chunked(new byte[50], 20));
    repository.with("tree", tree).publish();
    try (EmbeddedClient client = client(CLOCK);
        OpenRepository opened = client.open(repository.at(server.url()))) {
      readAll(opened);
    }
    Set<String> needed = new TreeSet<>(server.requests().keySet());
    assertThat(needed).hasSize(8);

    int number = 0;
    for (String changedPath : needed) {
      byte[] original = Objects.requireNonNull(repository.files().get(changedPath));
      byte[] changed = original.clone();
      changed[changed.length / 2] ^= 1;
      repository.files().put(changedPath, changed);
      try (EmbeddedClient client = client(CLOCK, folder.resolve("cache" + number++))) {
        assertThatThrownBy(
                () -> {
                  try (OpenRepository opened = client.open(repository.at(server.url()))) {
                    readAll(opened);
                  }
                })
            .as(changedPath)
            .isInstanceOf(CvmfsException.Corrupt.class);
      }
      repository.files().put(changedPath, original);
    }
  }

  @Test
  void goesOnWithoutServersOnAWarmCache() {
    FileTree tree = TestRepository.tree();
    tree.put(path("/read"), repository.file("was read"));
    tree.put(path("/unread"), repository.file("was not"));
    repository.with("tree", tree).publish();
    try (EmbeddedClient client = client(CLOCK);
        OpenRepository opened = client.open(repository.at(server.url()))) {
      assertThat(text(opened, "/tree/read")).isEqualTo("was read");
    }
    server.goAway();

    try (EmbeddedClient client = client(CLOCK);
        OpenRepository opened = client.open(repository.at(server.url()))) {
      assertThat(opened.isStale()).isTrue();
      assertThat(text(opened, "/tree/read")).isEqualTo("was read");
      assertThatThrownBy(() -> text(opened, "/tree/unread"))
          .isInstanceOf(CvmfsException.Retryable.class);

      server.comeBack();
      assertThat(opened.refresh()).isEqualTo(1);
      assertThat(opened.isStale()).isFalse();
      assertThat(text(opened, "/tree/unread")).isEqualTo("was not");
    }
  }

  @Test
  void hasNothingToShowWithoutServersOnAColdCache() {
    repository.publish();
    server.is(Mood.FAILS);
    try (EmbeddedClient client = client(CLOCK)) {
      assertThatThrownBy(() -> client.open(repository.at(server.url())))
          .isInstanceOf(CvmfsException.Retryable.class);
    }
  }

  @Test
  void anExpiredWhitelistStopsNewRevisionsButNotTheLastOne() {
    FileTree tree = TestRepository.tree();
    tree.put(path("/file"), repository.file("content"));
    repository.with("tree", tree).publish();
    try (EmbeddedClient client = client(CLOCK);
        OpenRepository opened = client.open(repository.at(server.url()))) {
      assertThat(text(opened, "/tree/file")).isEqualTo("content");
    }
    repository.publish();
    Clock later = Clock.fixed(NOW.plus(Duration.ofDays(31)), ZoneOffset.UTC);

    try (EmbeddedClient client = client(later);
        OpenRepository opened = client.open(repository.at(server.url()))) {
      assertThat(opened.isStale()).isTrue();
      assertThat(opened.revision().number()).isEqualTo(1);
      assertThat(text(opened, "/tree/file")).isEqualTo("content");
      assertThatThrownBy(opened::refresh)
          .isInstanceOf(CvmfsException.Corrupt.class)
          .hasMessageContaining("expired");
    }
    try (EmbeddedClient client = client(later, folder.resolve("cold"))) {
      assertThatThrownBy(() -> client.open(repository.at(server.url())))
          .hasMessageContaining("expired");
    }
  }

  @Test
  void followsOnlyRevisionsThatGrow() {
    repository.publish(5);
    Map<String, byte[]> old = Map.copyOf(repository.files());
    FileTree tree = TestRepository.tree();
    tree.put(path("/file"), repository.file("content"));
    repository.with("tree", tree).publish(6);

    try (EmbeddedClient client = client(CLOCK);
        OpenRepository opened = client.open(repository.at(server.url()))) {
      assertThat(opened.revision().number()).isEqualTo(6);

      repository
          .files()
          .put(Manifest.FILE_NAME, Objects.requireNonNull(old.get(Manifest.FILE_NAME)));
      assertThatThrownBy(opened::refresh)
          .isInstanceOf(CvmfsException.Corrupt.class)
          .hasMessageContaining("does not follow revision 6");
      assertThat(opened.isStale()).isTrue();
      assertThat(text(opened, "/tree/file")).isEqualTo("content");

      repository.without("tree").publish(7);
      assertThat(opened.refresh(7)).isEqualTo(7);
      assertThat(opened.isStale()).isFalse();
      assertThat(opened.find(path("/tree"))).isEmpty();
    }
    repository.files().put(Manifest.FILE_NAME, Objects.requireNonNull(old.get(Manifest.FILE_NAME)));
    try (EmbeddedClient client = client(CLOCK);
        OpenRepository opened = client.open(repository.at(server.url()))) {
      assertThat(opened.revision().number()).isEqualTo(7);
      assertThat(opened.isStale()).isTrue();
    }
  }

  @Test
  void asksNobodyWhenTheAnnouncedRevisionIsShown() {
    repository.publish(3);
    try (EmbeddedClient client = client(CLOCK);
        OpenRepository opened = client.open(repository.at(server.url()))) {
      server.forgetRequests();
      assertThat(opened.refresh(3)).isEqualTo(3);
      assertThat(server.total()).isZero();
      assertThat(opened.refresh(4)).isEqualTo(3);
      assertThat(server.total()).isPositive();
    }
  }

  @Test
  void takesARenewedWhitelistOver() {
    repository.publish();
    try (EmbeddedClient client = client(CLOCK);
        OpenRepository opened = client.open(repository.at(server.url()))) {
      repository.issueWhitelist(Duration.ofDays(60));
      opened.refresh();
      assertThat(opened.whitelist().expiresAt()).isEqualTo(NOW.plus(Duration.ofDays(60)));
    }
  }

  @Test
  void doesNotTrustWhatAnotherKeySigned() {
    repository.publish();
    TestRepository stranger = new TestRepository("t.example.org", CLOCK);
    stranger.publish();
    try (EmbeddedClient client = client(CLOCK)) {
      assertThatThrownBy(() -> client.open(stranger.at(server.url())))
          .isInstanceOf(CvmfsException.Corrupt.class)
          .hasMessageContaining("invalid whitelist signature");
    }
    try (EmbeddedClient client = client(CLOCK);
        OpenRepository opened = client.open(repository.at(server.url()))) {
      assertThat(opened.isStale()).isFalse();
    }
    repository
        .files()
        .put(
            Whitelist.FILE_NAME, Objects.requireNonNull(stranger.files().get(Whitelist.FILE_NAME)));
    try (EmbeddedClient client = client(CLOCK);
        OpenRepository opened = client.open(repository.at(server.url()))) {
      assertThat(opened.isStale()).isTrue();
    }
  }

  private EmbeddedClient client(Clock clock) {
    return client(clock, folder.resolve("cache"));
  }

  private static EmbeddedClient client(Clock clock, Path cache) {
    return EmbeddedClient.open(
        ClientSettings.of(cache, 64 << 20)
            .withClock(clock)
            .withNetwork(
                NetworkSettings.DEFAULT
                    .withTimeout(Duration.ofSeconds(20))
                    .withRetries(0)
                    .withBackoff(Duration.ZERO, Duration.ZERO)),
        new Random(1));
  }

  private Set<String> catalogsFetched() {
    Set<String> paths = new TreeSet<>(server.requests().keySet());
    paths.removeIf(each -> !each.endsWith("C"));
    return paths;
  }

  private Set<String> chunksFetched() {
    Set<String> paths = new TreeSet<>(server.requests().keySet());
    paths.removeIf(each -> !each.endsWith("P"));
    return paths;
  }

  private static void readAll(OpenRepository opened) {
    text(opened, "/tree/file");
    text(opened, "/tree/chunked");
  }

  private static String text(OpenRepository opened, String path) {
    FileContent content = opened.open(opened.find(path(path)).orElseThrow());
    return new String(read(content, 0, 1000), StandardCharsets.UTF_8);
  }

  private static byte[] read(FileContent content, long offset, int length) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(length);
      long count = content.read(target, offset);
      return target.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static byte[] part(byte[] content, int from, int length) {
    return Arrays.copyOfRange(content, from, from + length);
  }

  private static RepositoryPath path(String text) {
    return RepositoryPath.of(text);
  }
}
