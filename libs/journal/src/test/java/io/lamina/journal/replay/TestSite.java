package io.lamina.journal.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.EditableCatalog;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.catalog.SealedCatalog;
import io.lamina.cvmfs.check.CheckReport;
import io.lamina.cvmfs.check.CheckSettings;
import io.lamina.cvmfs.check.RepositoryCheck;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.cvmfs.signing.RepositoryKeys;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalEntry;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.messaging.event.EventJson;
import io.lamina.messaging.event.RepositoryOrigin;
import io.lamina.repository.Committed;
import io.lamina.repository.ObjectUploads;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.repository.RepositoryLayout;
import io.lamina.repository.RepositoryWriter;
import io.lamina.storage.Content;
import io.lamina.storage.InMemoryObjectStore;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * A repository in memory with real layers, and the journal of what was published to it. Keys lie in
 * a folder, so that a lost repository can be made with them again.
 */
public final class TestSite {
  public static final RepositoryName NAME = new RepositoryName("lost.lamina.example");
  public static final Instant CREATED = Instant.parse("2026-01-02T03:04:05Z");
  public static final Clock CLOCK = Clock.fixed(CREATED, ZoneOffset.UTC);

  public final InMemoryObjectStore store = new InMemoryObjectStore(CLOCK);
  public final List<JournalEntry> entries = new ArrayList<>();
  private final Path folder;

  /** Making keys takes a second. */
  private static final Map<RepositoryName, RepositoryKeys> KEYS = new ConcurrentHashMap<>();

  public TestSite(Path folder) {
    this.folder = folder;
    giveKeys(folder, NAME);
  }

  /** Puts keys into a data folder in which the repository is going to be created. */
  public static void giveKeys(Path folder, RepositoryName name) {
    KEYS.computeIfAbsent(name, n -> RepositoryKeys.generate(n, new SecureRandom(), CLOCK))
        .save(folder.resolve("keys"));
  }

  /** What {@code folder} defines, on any store. */
  public static Repositories repositories(Path folder, ObjectStore store) {
    return new Repositories(
        folder, location -> store instanceof Shared ? store : new Shared(store));
  }

  /** What a repository shows on any store, by the definition and keys of a folder. */
  static Manifest head(Path folder, ObjectStore store) {
    try (Repository repository = repositories(folder, store).open(NAME)) {
      return repository.manifest().manifest();
    }
  }

  /** Trusts the keys of a folder. */
  static ReaderSettings reader(Path folder) {
    return ReaderSettings.of(NAME, MasterKeys.load(folder.resolve("keys/" + NAME + ".pub")), CLOCK);
  }

  /** A copy on another store shows this revision of this site, and nothing is wrong with it. */
  void requireCopied(int revision, Path copyFolder, ObjectStore copy, CheckSettings.Depth depth) {
    assertThat(head(copyFolder, copy).revision()).isEqualTo(revision);
    assertThat(head(copyFolder, copy).rootCatalog()).isEqualTo(event(revision).root());
    CheckReport report =
        new RepositoryCheck(
                new Source(copy),
                CheckSettings.everyObject(reader(copyFolder)).withDepth(depth),
                counts -> {})
            .run();
    assertThat(report.problems()).isEmpty();
  }

  /** Creates the original and publishes to it. */
  public TestSite publish(List<List<CatalogChange>> transactions) {
    Repositories repositories = repositories(folder, store);
    try (Repository repository =
            repositories.definition(NAME).isPresent()
                ? repositories.open(NAME)
                : repositories.create(definition(), new SecureRandom(), CLOCK);
        RepositoryWriter writer = repository.writer()) {
      for (List<CatalogChange> changes : transactions) {
        long time = CREATED.getEpochSecond() + 60L * (entries.size() + 1);
        Committed committed = writer.commit(changes, time, about -> new byte[0]);
        add(committed);
      }
    }
    return this;
  }

  private void add(Committed committed) {
    TransactionPublished event =
        new TransactionPublished(
            NAME,
            committed.revision(),
            committed.timestampSeconds(),
            committed.previousRoot(),
            committed.root(),
            committed.rootSizeBytes(),
            committed.effective(),
            List.of(),
            committed.revision() == 1
                ? Optional.of(new RepositoryOrigin(CREATED, 240, true, true, true, 100))
                : Optional.empty());
    entries.add(entry(event));
  }

  static JournalEntry entry(TransactionPublished event) {
    return new JournalEntry(
        event,
        EventJson.type(event),
        EventJson.encode(event),
        Instant.ofEpochSecond(event.timestampSeconds() + 5));
  }

  private static RepositoryDefinition definition() {
    return RepositoryDefinition.inDataFolder(NAME, RepositoryDefinition.Settings.DEFAULT, CREATED);
  }

  Journal journal() {
    return journal(entries);
  }

  static Journal journal(List<JournalEntry> entries) {
    return new Journal() {
      @Override
      public List<RepositoryName> repositories() {
        return List.of(NAME);
      }

      @Override
      public long read(RepositoryName repository, Sink sink) {
        long count = 0;
        for (JournalEntry entry : entries) {
          count++;
          if (!sink.accept(entry)) {
            break;
          }
        }
        return count;
      }

      @Override
      public String toString() {
        return "the journal";
      }
    };
  }

  public TransactionPublished event(int revision) {
    return entries.get(revision - 1).event();
  }

  // ---- layers -------------------------------------------------------------------------------

  /** A layer with two files of its own and a nested catalog with a third. */
  public CatalogChange.Attach layer(String name) {
    RepositoryPath path = RepositoryLayout.layer(hex(name));
    RepositoryPath inside = path.resolve("usr");
    Graft nested = catalog(inside, List.of("lib"), name, Optional.empty());
    return new CatalogChange.Attach(
        catalog(path, List.of("hostname", "motd"), name, Optional.of(nested)));
  }

  /** An image's merged tree. */
  public CatalogChange.Attach flat(String name) {
    return new CatalogChange.Attach(
        catalog(RepositoryLayout.flat(hex(name)), List.of("hostname"), name, Optional.empty()));
  }

  /** All that shows an image of these layers: they, its merged tree, its metadata and its link. */
  public List<CatalogChange> image(String name, String... layers) {
    List<CatalogChange> changes = new ArrayList<>();
    for (String layer : layers) {
      changes.add(
          new CatalogChange.PutSymlink(
              RepositoryLayout.layerDiffId(hex(layer)), "sha256:" + hex("diff of " + layer)));
      changes.add(layer(layer));
    }
    changes.add(flat(name));
    changes.addAll(names(name, layers));
    return changes;
  }

  /** The same without the trees. */
  public List<CatalogChange> names(String name, String... layers) {
    String folder = "/.metadata/" + name + "/";
    return List.of(
        file(folder + "manifest.json", manifest(layers)),
        file(folder + "config.json", "{}"),
        new CatalogChange.PutSymlink(
            RepositoryLayout.publicLink(name),
            RepositoryLayout.relativeTarget(
                RepositoryLayout.publicLink(name), RepositoryLayout.flat(hex(name)))));
  }

  /** Each layer weighs 1,000 bytes. */
  private static String manifest(String... layers) {
    StringBuilder text =
        new StringBuilder("{\"schemaVersion\":2,\"mediaType\":\"")
            .append("application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":\"")
            .append("application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:")
            .append(hex("config"))
            .append("\",\"size\":2},\"layers\":[");
    for (int i = 0; i < layers.length; i++) {
      text.append(i == 0 ? "" : ",")
          .append("{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"")
          .append("sha256:")
          .append(hex(layers[i]))
          .append("\",\"size\":1000}");
    }
    return text.append("]}").toString();
  }

  public CatalogChange.PutFile file(String path, String content) {
    try (ObjectCompressor compressor = compression().newCompressor()) {
      byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
      return new CatalogChange.PutFile(
          RepositoryPath.of(path),
          new ObjectUploads(store).putFile(bytes, compressor),
          bytes.length);
    }
  }

  public static CatalogChange.PutSymlink link(String path, String target) {
    return new CatalogChange.PutSymlink(RepositoryPath.of(path), target);
  }

  private Graft catalog(
      RepositoryPath path, List<String> files, String contents, Optional<Graft> nested) {
    CatalogEntry directory = CatalogEntry.directory(0755, 0, 0, 1_000);
    try (ObjectCompressor compressor = compression().newCompressor();
        EditableCatalog catalog =
            EditableCatalog.createNested(path, directory, HashAlgorithm.SHA1)) {
      ObjectUploads uploads = new ObjectUploads(store);
      for (String file : files) {
        byte[] content = (contents + file).repeat(50).getBytes(StandardCharsets.UTF_8);
        ContentHash object = uploads.putFile(content, compressor);
        catalog.put(
            path.resolve(file),
            CatalogEntry.file(object, content.length, 0644, 1_000),
            below -> Counters.ZERO);
      }
      nested.ifPresent(graft -> catalog.attach(graft, below -> Counters.ZERO));
      SealedCatalog sealed = catalog.seal(1_000);
      CompressedObject object = compressor.compress(sealed.database(), HashAlgorithm.SHA1);
      uploads.put(ObjectKind.CATALOG, object);
      return new Graft(
          path, object.hash(), sealed.database().length, sealed.root(), sealed.total());
    }
  }

  private static Compression compression() {
    return new Compression(Compression.Engine.JDK, 6);
  }

  public static String hex(String name) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  // ---- stores -------------------------------------------------------------------------------

  /** The files of a store, except those that are lost or damaged. */
  public static final class Source implements RepositoryFiles {
    private final ObjectStore store;
    public final Set<String> lost = new HashSet<>();
    public final Set<String> damaged = new HashSet<>();
    public final Set<String> opened = new HashSet<>();
    public int failures;

    public Source(ObjectStore store) {
      this.store = store;
    }

    @Override
    public synchronized InputStream open(String path) {
      if (failures > 0) {
        failures--;
        throw new CvmfsException.Retryable("no answer", null);
      }
      opened.add(path);
      if (lost.contains(path)) {
        throw new CvmfsException.NotFound(path);
      }
      try {
        byte[] bytes = store.read(new ObjectKey(path), 64 << 20);
        if (damaged.contains(path)) {
          bytes[bytes.length / 2] ^= 1;
        }
        return new ByteArrayInputStream(bytes);
      } catch (StorageException.NotFound e) {
        throw new CvmfsException.NotFound(path);
      }
    }

    @Override
    public boolean exists(String path) {
      return store.head(new ObjectKey(path)).isPresent();
    }

    @Override
    public String toString() {
      return "the old storage";
    }
  }

  /** Stays open when a repository is closed, and dies after so many writes. */
  public static final class Shared implements ObjectStore {
    /** The process is gone. */
    public static final class Killed extends Error {
      private static final long serialVersionUID = 1L;
    }

    private final ObjectStore store;
    private int writesUntilKill = Integer.MAX_VALUE;

    public Shared(ObjectStore store) {
      this.store = store;
    }

    public synchronized void killAfter(int writes) {
      writesUntilKill = writes;
    }

    private synchronized void write() {
      if (writesUntilKill != Integer.MAX_VALUE && writesUntilKill-- <= 0) {
        writesUntilKill = 0;
        throw new Killed();
      }
    }

    @Override
    public PutOutcome putIfAbsent(ObjectKey key, Content content) {
      write();
      return store.putIfAbsent(key, content);
    }

    @Override
    public void flush() {
      write();
      store.flush();
    }

    @Override
    public Version swap(ObjectKey key, Optional<Version> expected, byte[] bytes) {
      write();
      return store.swap(key, expected, bytes);
    }

    @Override
    public boolean delete(ObjectKey key) {
      write();
      return store.delete(key);
    }

    @Override
    public Optional<Stat> head(ObjectKey key) {
      return store.head(key);
    }

    @Override
    public InputStream open(ObjectKey key) {
      return store.open(key);
    }

    @Override
    public byte[] read(ObjectKey key, int maxBytes) {
      return store.read(key, maxBytes);
    }

    @Override
    public void list(String prefix, Consumer<Stat> sink) {
      store.list(prefix, sink);
    }

    @Override
    public Optional<Versioned> readMutable(ObjectKey key, int maxBytes) {
      return store.readMutable(key, maxBytes);
    }

    @Override
    public void close() {
      // The test's.
    }
  }
}
