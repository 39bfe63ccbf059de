package io.lamina.repository;

import static io.lamina.repository.TestRepository.RECORDER;
import static io.lamina.repository.TestRepository.TIME;
import static io.lamina.repository.TestRepository.hex;
import static io.lamina.repository.TestRepository.link;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogMarker;
import io.lamina.cvmfs.catalog.CatalogProperties;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.CatalogWriter;
import io.lamina.cvmfs.catalog.Chunk;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.cvmfs.compression.ObjectCompressor;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the backend {@code cvmfs_server} adds to the contract, on whatever tool. */
abstract class ReleaseManagerContract extends PublisherBackendContract {
  private static final byte[] NO_TARGET = {};

  @Test
  void showsOwnersModesDevicesHardLinksChunksAndOddNames() {
    RepositoryPath top = RepositoryLayout.layer(hex("odd"));
    String longName = "long-".repeat(45);
    ContentHash one = object(ObjectKind.FILE, "one");
    CatalogChange.Attach tree =
        attach(
            top,
            Map.of(
                "owned",
                entry(CatalogEntry.REGULAR | 04751, 12, 3_000_000, 3, 0, 1, one),
                "hard-a",
                entry(CatalogEntry.REGULAR | 0640, 1, 2, 3, 1, 2, one),
                "hard-b",
                entry(CatalogEntry.REGULAR | 0640, 1, 2, 3, 1, 2, one),
                "whiteout",
                entry(CatalogEntry.CHARACTER_DEVICE, 0, 0, 0, 0, 1, null),
                "tty",
                entry(
                    CatalogEntry.CHARACTER_DEVICE | 0620,
                    0,
                    5,
                    CatalogEntry.deviceNumber(4, 64),
                    0,
                    1,
                    null),
                "pipe",
                entry(CatalogEntry.FIFO | 0600, 0, 0, 0, 0, 1, null),
                longName,
                entry(CatalogEntry.REGULAR | 0644, 0, 0, 3, 0, 1, one),
                "chunked",
                chunked("first", "second")));
    CatalogChange.Attach equal =
        attach(
            RepositoryLayout.flat(hex("equal")),
            Map.of("owned", entry(CatalogEntry.REGULAR | 04751, 12, 3_000_000, 3, 0, 1, one)));
    try (PublisherBackend backend = open()) {
      backend.commit(List.of(tree, equal), TIME, RECORDER);
    }

    Map<String, String> shown = PublishedTree.of(published());
    assertThat(shown)
        .containsEntry(top + "/owned", "file 4751 12:3000000 one")
        .containsEntry(equal.path() + "/owned", "file 4751 12:3000000 one")
        .containsEntry(top + "/hard-a", "file 640 1:2 one")
        .containsEntry(top + "/hard-b", "file 640 1:2 one")
        .containsEntry(top + "/whiteout", "special 20000 0:0 0")
        .containsEntry(top + "/tty", "special 20620 0:5 " + CatalogEntry.deviceNumber(4, 64))
        .containsKey(top + "/pipe")
        .containsEntry(top + "/" + longName, "file 644 0:0 one")
        .containsEntry(top + "/chunked", "file 644 0:0 firstsecond");
  }

  @Test
  void refusesATreeWhoseAttributesTheToolDrops() {
    RepositoryPath top = RepositoryLayout.layer(hex("opaque"));
    CatalogEntry plain = CatalogEntry.directory(0755, 0, 0, 1_000);
    CatalogEntry opaque =
        new CatalogEntry(
            plain.mode(),
            0,
            0,
            plain.sizeBytes(),
            1_000,
            -1,
            0,
            2,
            null,
            CompressionAlgorithm.ZLIB,
            NO_TARGET,
            Xattrs.of(Map.of("trusted.overlay.opaque", "y".getBytes(StandardCharsets.US_ASCII))),
            List.of());
    CatalogChange.Attach tree = attach(top, Map.of("etc", opaque));
    try (PublisherBackend backend = open()) {
      Committed first = backend.commit(List.of(link("/r.example/a", "x")), TIME, RECORDER);

      assertThatThrownBy(() -> backend.commit(List.of(tree), TIME, RECORDER))
          .isInstanceOf(RepositoryException.Rejected.class)
          .hasMessageContaining("trusted.overlay.opaque")
          .hasMessageContaining(top + "/etc")
          .hasMessageContaining("\"losses\": \"accept\"");
      assertThat(backend.head().rootCatalog()).isEqualTo(first.root());
      assertThat(PublishedTree.of(published())).doesNotContainKey(top.toString());
      assertThat(backend.commit(List.of(link("/r.example/b", "x")), TIME, RECORDER).revision())
          .isEqualTo(first.revision() + 1);
    }
    assertThat(PublishedTree.of(published())).containsKeys("/r.example/a", "/r.example/b");
  }

  @Test
  void publishesATreeWithoutTheNotesThatAreOnlyForMerging() {
    RepositoryPath top = RepositoryLayout.layer(hex("implicit"));
    CatalogChange.Attach tree =
        attach(top, Map.of("etc", directoryWith("trusted.lamina.implicit")));
    try (PublisherBackend backend = open()) {
      backend.commit(List.of(tree), TIME, RECORDER);
    }

    assertThat(PublishedTree.of(published())).containsEntry(top + "/etc", "dir 755 0:0");
  }

  private static CatalogEntry directoryWith(String attribute) {
    CatalogEntry plain = CatalogEntry.directory(0755, 0, 0, 1_000);
    return new CatalogEntry(
        plain.mode(),
        plain.uid(),
        plain.gid(),
        plain.sizeBytes(),
        plain.mtimeSeconds(),
        plain.mtimeNanos(),
        plain.hardlinkGroup(),
        plain.linkCount(),
        null,
        CompressionAlgorithm.ZLIB,
        NO_TARGET,
        Xattrs.of(Map.of(attribute, "y".getBytes(StandardCharsets.US_ASCII))),
        List.of());
  }

  private ContentHash object(ObjectKind kind, String content) {
    try (ObjectCompressor compressor = CatalogCompression.FOR_PUBLISHERS.newCompressor()) {
      CompressedObject object =
          compressor.compress(content.getBytes(StandardCharsets.UTF_8), HashAlgorithm.SHA1);
      new ObjectUploads(staging()).put(kind, object);
      return object.hash();
    }
  }

  private CatalogEntry chunked(String first, String second) {
    return new CatalogEntry(
        CatalogEntry.REGULAR | 0644,
        0,
        0,
        first.length() + second.length(),
        1_000,
        -1,
        0,
        1,
        null,
        CompressionAlgorithm.ZLIB,
        NO_TARGET,
        Xattrs.NONE,
        List.of(
            new Chunk(0, first.length(), object(ObjectKind.CHUNK, first)),
            new Chunk(first.length(), second.length(), object(ObjectKind.CHUNK, second))));
  }

  private static CatalogEntry entry(
      int mode, long uid, long gid, long size, int group, int links, @Nullable ContentHash hash) {
    return new CatalogEntry(
        mode,
        uid,
        gid,
        size,
        1_000,
        -1,
        group,
        links,
        hash,
        CompressionAlgorithm.ZLIB,
        NO_TARGET,
        Xattrs.NONE,
        List.of());
  }

  /** A tree of one directory, with these entries. */
  private CatalogChange.Attach attach(RepositoryPath top, Map<String, CatalogEntry> entries) {
    int directories = (int) entries.values().stream().filter(CatalogEntry::isDirectory).count();
    CatalogEntry root = CatalogEntry.directory(0755, 0, 0, 1_000).withLinks(0, 2 + directories);
    CatalogWriter writer = new CatalogWriter(CatalogProperties.firstNested(top, 1_000), root);
    writer.add(top.resolve(CatalogMarker.NAME), CatalogMarker.in(root, HashAlgorithm.SHA1));
    new TreeMap<>(entries).forEach((name, entry) -> writer.add(top.resolve(name), entry));
    byte[] database = writer.finish();
    try (ObjectCompressor compressor = CatalogCompression.FOR_PUBLISHERS.newCompressor();
        CatalogReader reader = CatalogReader.open(database)) {
      CompressedObject object = compressor.compress(database, HashAlgorithm.SHA1);
      new ObjectUploads(staging()).put(ObjectKind.CATALOG, object);
      return new CatalogChange.Attach(
          new Graft(top, object.hash(), database.length, root, reader.total()));
    }
  }
}
