package io.lamina.client;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogProperties;
import io.lamina.cvmfs.catalog.CatalogWriter;
import io.lamina.cvmfs.catalog.Chunk;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.cvmfs.compression.ReferenceZlib;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.RepositoryKeys;
import io.lamina.cvmfs.signing.Whitelist;
import io.lamina.cvmfs.tree.CatalogTreeSettings;
import io.lamina.cvmfs.tree.CatalogTreeWriter;
import io.lamina.cvmfs.tree.FileTree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** A repository under keys of its own, whose trees are each a nested catalog below the root. */
public final class TestRepository {
  public static final long TIME = 1_700_000_000L;
  private static final Duration TTL = Duration.ofSeconds(240);

  private final RepositoryName name;
  private final Clock clock;
  private final RepositoryKeys keys;
  private final Map<String, byte[]> files = new ConcurrentHashMap<>();
  private final Map<String, Graft> grafts = new TreeMap<>();
  private final Map<String, CatalogEntry> rootEntries = new TreeMap<>();
  private final ContentHash certificate;
  private long revision;

  public TestRepository(String name) {
    this(name, Clock.systemUTC());
  }

  public TestRepository(String name, Clock clock) {
    this.name = new RepositoryName(name);
    this.clock = clock;
    this.keys = RepositoryKeys.generate(this.name, new SecureRandom(), clock);
    this.certificate =
        store(
            ObjectKind.CERTIFICATE,
            ReferenceZlib.compress(keys.certificate().pem(), HashAlgorithm.SHA1));
    store(ObjectKind.FILE, CompressedObject.empty(HashAlgorithm.SHA1));
    issueWhitelist(Whitelist.DEFAULT_LIFE);
  }

  public RepositoryName name() {
    return name;
  }

  public RepositoryKeys keys() {
    return keys;
  }

  /** What a server of it serves; may be changed. */
  public Map<String, byte[]> files() {
    return files;
  }

  public void issueWhitelist(Duration life) {
    files.put(Whitelist.FILE_NAME, keys.issueWhitelist(life, clock).bytes());
  }

  public RepositorySettings at(String... servers) {
    return new RepositorySettings(name, List.of(servers), keys.masterKeys());
  }

  public static FileTree tree() {
    return new FileTree(200_000, CatalogEntry.directory(0755, 0, 0, TIME));
  }

  public CatalogEntry file(String content) {
    return file(content.getBytes(StandardCharsets.UTF_8), 0644);
  }

  public CatalogEntry file(byte[] content, int permissions) {
    return CatalogEntry.file(
        store(ObjectKind.FILE, compressed(content)), content.length, permissions, TIME);
  }

  /** A file in chunks of this size. */
  public CatalogEntry chunked(byte[] content, int chunkBytes) {
    List<Chunk> chunks = new ArrayList<>();
    for (int from = 0; from < content.length; from += chunkBytes) {
      byte[] part = Arrays.copyOfRange(content, from, Math.min(content.length, from + chunkBytes));
      chunks.add(new Chunk(from, part.length, store(ObjectKind.CHUNK, compressed(part))));
    }
    return entry(CatalogEntry.REGULAR | 0644, content.length, Xattrs.NONE, chunks);
  }

  public static CatalogEntry entry(int mode, long sizeBytes, Xattrs xattrs, List<Chunk> chunks) {
    return new CatalogEntry(
        mode,
        0,
        0,
        sizeBytes,
        TIME,
        -1,
        0,
        (mode & CatalogEntry.TYPE_MASK) == CatalogEntry.DIRECTORY ? 2 : 1,
        null,
        CompressionAlgorithm.ZLIB,
        new byte[0],
        xattrs,
        chunks);
  }

  private static CompressedObject compressed(byte[] content) {
    return ReferenceZlib.compress(content, HashAlgorithm.SHA1);
  }

  private ContentHash store(ObjectKind kind, CompressedObject object) {
    files.put(kind.pathOf(object.hash()), object.bytes());
    return object.hash();
  }

  /** Hangs a tree below the root under this name, from the next publication on. */
  public TestRepository with(String directory, FileTree tree) {
    try (ObjectCompressor compressor = Compression.parse("jdk-6").newCompressor()) {
      grafts.put(
          directory,
          new CatalogTreeWriter(CatalogTreeSettings.of(HashAlgorithm.SHA1, TIME), compressor)
              .write(
                  tree,
                  RepositoryPath.ROOT.resolve(directory),
                  (_, kind, catalog) -> store(kind, catalog),
                  _ -> {}));
    }
    return this;
  }

  public TestRepository without(String directory) {
    grafts.remove(directory);
    rootEntries.remove(directory);
    return this;
  }

  /** An entry of the root catalog itself. */
  public TestRepository withRoot(String entryName, CatalogEntry entry) {
    rootEntries.put(entryName, entry);
    return this;
  }

  /** Publishes the next revision. */
  public TestRepository publish() {
    return publish(revision + 1);
  }

  public TestRepository publish(long number) {
    revision = number;
    CatalogWriter writer =
        new CatalogWriter(
            new CatalogProperties(RepositoryPath.ROOT, revision, null, TIME + revision, TTL),
            CatalogEntry.directory(0755, 0, 0, TIME + revision).withLinks(0, 2 + grafts.size()));
    rootEntries.forEach(
        (entryName, entry) ->
            writer.add(
                RepositoryPath.ROOT.resolve(entryName).hash(),
                RepositoryPath.ROOT.hash(),
                entryName.getBytes(StandardCharsets.UTF_8),
                entry));
    grafts.values().forEach(writer::addNested);
    byte[] database = writer.finish();
    ContentHash root = store(ObjectKind.CATALOG, compressed(database));
    Manifest manifest =
        new Manifest(
            name,
            root,
            database.length,
            TTL,
            revision,
            true,
            false,
            certificate,
            Optional.empty(),
            TIME + revision,
            Optional.empty(),
            Optional.empty());
    files.put(Manifest.FILE_NAME, keys.sign(manifest).bytes());
    return this;
  }

  public long revision() {
    return revision;
  }

  /** Writes the public key for clients. */
  public Path writeKey(Path file) throws IOException {
    byte[] encoded = keys.masterKeys().keys().getFirst().getEncoded();
    return Files.writeString(
        file,
        "-----BEGIN PUBLIC KEY-----\n"
            + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded)
            + "\n-----END PUBLIC KEY-----\n");
  }

  /** Writes it below a folder, named as the repository. */
  public Path writeBelow(Path folder) {
    Path target = folder.resolve(name.value());
    try {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        Path path = target.resolve(file.getKey());
        Files.createDirectories(path.getParent());
        Files.write(path, file.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return target;
  }
}
