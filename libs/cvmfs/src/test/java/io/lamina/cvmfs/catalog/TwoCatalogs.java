package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The example of docs/format/catalogs.md: a root catalog and one nested catalog. */
final class TwoCatalogs {
  static final long TIME = 1_700_000_000L;
  static final RepositoryPath MOUNT = RepositoryPath.of("/layers/ab");
  static final ContentHash HELLO = ContentHash.parse("5798f7f4ca7585d850eea64610a1f73d8f8de7a3");
  static final List<Chunk> CHUNKS =
      List.of(
          new Chunk(0, 4096, ContentHash.parse("c9f0aff6e19e86960cc77443d5a2bae1a0831e11")),
          new Chunk(4096, 100, ContentHash.parse("9f372e640c7f92de7c77ee9672df5e5d4ab7947d")));

  private TwoCatalogs() {}

  static CatalogEntry directory(int linkCount) {
    return entry(CatalogEntry.DIRECTORY | 0755, 4096, null, "", Xattrs.NONE, List.of())
        .withLinks(0, linkCount);
  }

  static CatalogEntry file(long sizeBytes, ContentHash object) {
    return entry(CatalogEntry.REGULAR | 0644, sizeBytes, object, "", Xattrs.NONE, List.of());
  }

  static CatalogEntry entry(
      int mode,
      long sizeBytes,
      @Nullable ContentHash object,
      String target,
      Xattrs xattrs,
      List<Chunk> chunks) {
    return new CatalogEntry(
        mode,
        0,
        0,
        sizeBytes,
        TIME,
        0,
        0,
        1,
        object,
        CompressionAlgorithm.ZLIB,
        target.getBytes(StandardCharsets.UTF_8),
        xattrs,
        chunks);
  }

  static CatalogWriter childWriter() {
    CatalogWriter writer =
        new CatalogWriter(CatalogProperties.firstNested(MOUNT, TIME), directory(3));
    writer.add(
        MOUNT.resolve(".cvmfscatalog"), file(0, CompressedObject.empty(HashAlgorithm.SHA1).hash()));
    RepositoryPath etc = MOUNT.resolve("etc");
    writer.add(etc, directory(2));
    writer.add(
        etc.resolve("hostname"),
        entry(
            CatalogEntry.REGULAR | 0644,
            6,
            HELLO,
            "",
            Xattrs.of(Map.of("user.foo", "bar".getBytes(StandardCharsets.US_ASCII))),
            List.of()));
    writer.add(
        etc.resolve("link"),
        entry(CatalogEntry.SYMLINK | 0777, 8, null, "hostname", Xattrs.NONE, List.of()));
    writer.add(
        MOUNT.resolve("big"),
        entry(CatalogEntry.REGULAR | 0644, 4196, null, "", Xattrs.NONE, CHUNKS));
    return writer;
  }

  static byte[] child() {
    return childWriter().finish();
  }

  static Graft childGraft() {
    CatalogWriter writer = childWriter();
    byte[] database = writer.finish();
    return new Graft(
        MOUNT,
        CompressedObject.ofStored(database, HashAlgorithm.SHA1).hash(),
        database.length,
        directory(3),
        writer.self());
  }

  static byte[] root() {
    CatalogWriter writer =
        new CatalogWriter(
            new CatalogProperties(
                RepositoryPath.ROOT, 1, null, TIME, CatalogProperties.DEFAULT_TIME_TO_LIVE),
            directory(3));
    writer.add(RepositoryPath.of("/layers"), directory(3));
    writer.addNested(childGraft());
    return writer.finish();
  }
}
