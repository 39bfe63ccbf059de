package io.lamina.standalone.remake;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.Digest;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalEntry;
import io.lamina.messaging.event.Event.TransactionPublished;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class JournalIndexTest {
  private static final RepositoryName NAME = new RepositoryName("lost.lamina.test");
  private static final Digest LAYER = Digest.parse("sha256:" + "a".repeat(64));
  private static final String TREE = "/.layers/aa/" + LAYER.hex() + "/layerfs";

  @TempDir Path folder;

  private static ContentHash hash(int number) {
    return ContentHash.parse("%040x".formatted(number));
  }

  private static JournalIndex index(CatalogChange... changes) {
    TransactionPublished event =
        new TransactionPublished(
            NAME, 1, 100, hash(0), hash(1), 1, Arrays.asList(changes), List.of());
    JournalEntry entry = new JournalEntry(event, "", new byte[0], Instant.EPOCH);
    return JournalIndex.of(
        new Journal() {
          @Override
          public List<RepositoryName> repositories() {
            return List.of(NAME);
          }

          @Override
          public long read(RepositoryName repository, Sink sink) {
            sink.accept(entry);
            return 1;
          }
        },
        NAME);
  }

  private static CatalogChange file(String path, int object) {
    return new CatalogChange.PutFile(RepositoryPath.of(path), hash(object), 2);
  }

  private static CatalogChange tree(String path, int catalog) {
    return new CatalogChange.Attach(
        new Graft(
            RepositoryPath.of(path),
            hash(catalog),
            1,
            CatalogEntry.directory(0755, 0, 0, 1),
            Counters.ZERO,
            Optional.of(7L)));
  }

  @Test
  void knowsWhichFilesDescribeAnImageAndForWhichPlatform() {
    JournalIndex index =
        index(
            file("/.metadata/r.example:5000/a/b:1/manifest.json", 10),
            file("/.metadata/r.example:5000/a/b:1/config.json", 11),
            file("/.metadata/r.example:5000/a/b:1/thin.json", 12),
            file("/.metadata/.multiarch/arm:v7/r.example/c:1/manifest.json", 13),
            file("/.metadata/.multiarch/arm:v7/r.example/c:1/config.json", 14));

    JournalIndex.Described image = index.describedBy(hash(12)).orElseThrow();
    assertThat(image.publicName()).isEqualTo("r.example:5000/a/b:1");
    assertThat(image.platform()).isEmpty();
    assertThat(image.manifest().object()).isEqualTo(hash(10));
    JournalIndex.Described other = index.describedBy(hash(14)).orElseThrow();
    assertThat(other.publicName()).isEqualTo("r.example/c:1");
    assertThat(other.platform()).contains("arm:v7");
    assertThat(index.imagesNear(1)).containsExactlyInAnyOrder(image, other);
  }

  @Test
  void knowsLayersByTheirPlaceAndRevision() {
    JournalIndex index =
        index(
            tree(TREE, 20),
            new CatalogChange.PutSymlink(
                RepositoryPath.of("/.layers/aa/" + LAYER.hex() + "/diff-id"),
                "sha256:" + "b".repeat(64)));

    assertThat(index.layerAt(LAYER, 1).orElseThrow().graft().catalog()).isEqualTo(hash(20));
    assertThat(index.layerAt(LAYER, 0)).as("before it was shown").isEmpty();
    assertThat(index.tree(hash(20)).orElseThrow().transactionSeconds()).isEqualTo(100);
    assertThat(index.diffId(LAYER)).contains(Digest.parse("sha256:" + "b".repeat(64)));
  }

  @Test
  void passesOverNamesThatNoPublisherMakes() {
    JournalIndex index =
        index(
            file("/.metadata/manifest.json", 1),
            file("/.metadata/config.json", 2),
            file("/.metadata/.multiarch/manifest.json", 3),
            file("/.metadata/.multiarch/config.json", 4),
            file("/.metadata/.multiarch/arm/manifest.json", 5),
            file("/.metadata/.multiarch/arm/config.json", 6),
            tree("/.layers/xx/layerfs", 21),
            tree("/.layers/zz/" + "Z".repeat(64) + "/layerfs", 22),
            new CatalogChange.PutSymlink(
                RepositoryPath.of("/.layers/aa/" + LAYER.hex() + "/diff-id"), "../../etc"));

    assertThat(index.imagesNear(1)).isEmpty();
    assertThat(index.diffId(LAYER)).isEmpty();
    assertThat(JournalIndex.layerOf(RepositoryPath.ROOT)).isEmpty();
    assertThat(
            JournalIndex.layerOf(RepositoryPath.of("/.layers/zz/" + "Z".repeat(64) + "/layerfs")))
        .isEmpty();
  }

  @Test
  void findsArchivesByTheirDigestAlone() throws Exception {
    byte[] bytes = "{}".getBytes(StandardCharsets.US_ASCII);
    Digest digest = Digest.sha256(bytes);
    Path blobs = Files.createDirectories(folder.resolve("blobs/sha256"));
    Files.write(blobs.resolve(digest.hex()), new byte[3]);
    Files.write(folder.resolve(digest.hex() + ".tar.gz"), bytes);
    Files.writeString(folder.resolve("oci-layout"), "{}");
    KeptArchives archives = new KeptArchives(List.of(folder));

    assertThat(archives.find(digest))
        .containsExactly(blobs.resolve(digest.hex()), folder.resolve(digest.hex() + ".tar.gz"));
    assertThat(archives.document(digest, 100)).as("the first has other bytes").contains(bytes);
    assertThat(archives.document(digest, 1)).isEmpty();
    assertThat(archives.images("r.example/a:1\n")).as("names that are none").hasSizeLessThan(3);
  }
}
