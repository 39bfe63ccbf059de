package io.lamina.journal.replay;

import io.lamina.cvmfs.ContentHash;
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
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.cvmfs.reader.LocalRepositoryFiles;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.journal.JournalEntry;
import io.lamina.journal.JournalFile;
import io.lamina.journal.JournalFileWriter;
import io.lamina.journal.RepositorySummary;
import io.lamina.journal.Snapshot;
import io.lamina.journal.SnapshotFile;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.messaging.event.EventJson;
import io.lamina.messaging.event.RepositoryOrigin;
import io.lamina.repository.Committed;
import io.lamina.repository.KnownTotals;
import io.lamina.repository.ObjectUploads;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.repository.RepositoryLayout;
import io.lamina.repository.RepositoryWriter;
import io.lamina.repository.StoreOpeners;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Measures how long a repository takes to be rebuilt: publishes so many small images, one in each
 * transaction, keeps their journal as a file, and replays that into an empty folder with the
 * objects of the first. Every tree and every file is real, and small.
 */
public final class ReplayBench {
  private static final RepositoryName NAME = new RepositoryName("replay.lamina.example");
  private static final Instant CREATED = Instant.parse("2026-01-01T00:00:00Z");
  private static final long TTL_SECONDS = 240;

  /** The original is only prepared: how long publishing takes is for others to measure. */
  private static final int REVISIONS_PER_REFLOG = 64;

  /**
   * One thing that was measured.
   *
   * @param name {@code publish}, {@code verify}, {@code replay} or {@code from-snapshot}
   * @param cpuSeconds of all threads, collector and compiler included
   * @param objects that were stored; 0 where nothing is
   */
  public record Row(
      String name, long transactions, double seconds, double cpuSeconds, long objects) {}

  private final Clock clock = Clock.systemUTC();
  private final SecureRandom random = new SecureRandom();
  private long objects;

  /**
   * Measures in {@code folder}, which is the caller's to remove.
   *
   * @throws IllegalStateException if the replay does not end as the journal says
   */
  public List<Row> run(Path folder, int transactions, Consumer<Row> progress) throws IOException {
    List<Row> rows = new ArrayList<>();
    Consumer<Row> each =
        row -> {
          rows.add(row);
          progress.accept(row);
        };
    Path file = folder.resolve("bench.journal");
    Path original = folder.resolve("original");
    each.accept(
        measured(
            "publish",
            transactions,
            () -> {
              publish(original, file, transactions);
              return objects;
            }));
    each.accept(
        measured(
            "verify",
            transactions,
            () -> {
              requireAll(transactions, RepositorySummary.of(new JournalFile(file), NAME));
              return 0L;
            }));
    each.accept(
        measured(
            "replay",
            transactions,
            () ->
                replay(file, original, folder.resolve("copy"), Optional.empty())
                    .progress()
                    .objectsCopied()));
    Path snapshot = snapshotFile(original);
    each.accept(
        measured(
            "from-snapshot",
            transactions,
            () ->
                replay(file, original, folder.resolve("late-copy"), Optional.of(snapshot))
                    .progress()
                    .objectsCopied()));
    return rows;
  }

  private static Path snapshotFile(Path original) {
    return original.resolve("bench.snapshot");
  }

  private static void requireAll(int transactions, Optional<RepositorySummary> summary) {
    if (summary.map(RepositorySummary::transactions).orElse(0L) != transactions) {
      throw new IllegalStateException("the journal file does not have all transactions");
    }
  }

  private interface Work {
    long run() throws IOException;
  }

  private static Row measured(String name, long transactions, Work work) throws IOException {
    long cpu = cpuNanos();
    long start = System.nanoTime();
    long stored = work.run();
    return new Row(
        name, transactions, (System.nanoTime() - start) / 1e9, (cpuNanos() - cpu) / 1e9, stored);
  }

  private static long cpuNanos() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getProcessCpuTime()
        : 0;
  }

  // ---- the original -------------------------------------------------------------------------

  private void publish(Path data, Path file, int transactions) throws IOException {
    Repositories repositories = new Repositories(data, StoreOpeners.forPublishers(clock, random));
    try (Repository repository =
            repositories.create(
                RepositoryDefinition.inDataFolder(
                    NAME, RepositoryDefinition.Settings.DEFAULT, CREATED),
                random,
                clock);
        RepositoryWriter writer = repository.writerOfMany(KnownTotals.NONE);
        ObjectCompressor compressor = new Compression(Compression.Engine.JDK, 1).newCompressor();
        OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
      JournalFileWriter journal = new JournalFileWriter(out);
      journal.begin(NAME);
      for (int i = 0; i < transactions; i++) {
        Committed committed =
            writer.commit(
                image(i, repository.uploads(), compressor),
                CREATED.getEpochSecond() + i + 1,
                about -> EventJson.encode(event(about)));
        writer.forgetRecord(committed.root());
        TransactionPublished event = event(committed);
        journal.add(
            new JournalEntry(
                event,
                EventJson.type(event),
                EventJson.encode(event),
                Instant.ofEpochSecond(event.timestampSeconds())));
        if ((i + 1) % REVISIONS_PER_REFLOG == 0) {
          writer.settle();
        }
        if (i + 1 == snapshotAt(transactions)) {
          writer.settle();
          SnapshotFile.write(snapshot(data), snapshotFile(data));
        }
      }
      writer.settle();
      journal.complete();
    }
  }

  /** One hundredth of the transactions come after it. */
  private static int snapshotAt(int transactions) {
    return Math.max(1, transactions - transactions / 100);
  }

  private Snapshot snapshot(Path data) {
    return Snapshot.take(
        new LocalRepositoryFiles(data.resolve("cvmfs").resolve(NAME.value())),
        ReaderSettings.of(NAME, masterKeys(data), clock),
        Optional.empty());
  }

  private static MasterKeys masterKeys(Path data) {
    return MasterKeys.load(data.resolve("keys").resolve(NAME + ".pub"));
  }

  private static TransactionPublished event(Committed committed) {
    return new TransactionPublished(
        NAME,
        committed.revision(),
        committed.timestampSeconds(),
        committed.previousRoot(),
        committed.root(),
        committed.rootSizeBytes(),
        committed.effective(),
        List.of(),
        committed.revision() == 1
            ? Optional.of(new RepositoryOrigin(CREATED, TTL_SECONDS, true, true, true, 100))
            : Optional.empty());
  }

  /** A layer of its own, a merged tree, its metadata and its link. */
  private List<CatalogChange> image(
      int number, ObjectUploads uploads, ObjectCompressor compressor) {
    String layer = hex("layer " + number);
    String flat = hex("image " + number);
    String publicName = "registry.example/team" + number % 50 + "/image" + number + ":1";
    RepositoryPath metadata = RepositoryLayout.metadata(publicName);
    RepositoryPath link = RepositoryLayout.publicLink(publicName);
    return List.of(
        new CatalogChange.PutSymlink(RepositoryLayout.layerDiffId(layer), "sha256:" + layer),
        tree(RepositoryLayout.layer(layer), number, uploads, compressor),
        tree(RepositoryLayout.flat(flat), number, uploads, compressor),
        file(metadata.resolve("manifest.json"), "manifest " + number, uploads, compressor),
        file(metadata.resolve("config.json"), "config " + number, uploads, compressor),
        new CatalogChange.PutSymlink(
            link, RepositoryLayout.relativeTarget(link, RepositoryLayout.flat(flat))));
  }

  private CatalogChange tree(
      RepositoryPath path, int number, ObjectUploads uploads, ObjectCompressor compressor) {
    CatalogEntry directory = CatalogEntry.directory(0755, 0, 0, CREATED.getEpochSecond());
    try (EditableCatalog catalog =
        EditableCatalog.createNested(path, directory, HashAlgorithm.SHA1)) {
      byte[] content = ("the content of " + number).getBytes(StandardCharsets.UTF_8);
      ContentHash object = put(content, uploads, compressor);
      catalog.put(
          path.resolve("file"),
          CatalogEntry.file(object, content.length, 0644, CREATED.getEpochSecond()),
          below -> Counters.ZERO);
      SealedCatalog sealed = catalog.seal(CREATED.getEpochSecond());
      CompressedObject stored = compressor.compress(sealed.database(), HashAlgorithm.SHA1);
      uploads.put(ObjectKind.CATALOG, stored);
      objects++;
      return new CatalogChange.Attach(
          new Graft(path, stored.hash(), sealed.database().length, sealed.root(), sealed.total()));
    }
  }

  private CatalogChange file(
      RepositoryPath path, String content, ObjectUploads uploads, ObjectCompressor compressor) {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    return new CatalogChange.PutFile(path, put(bytes, uploads, compressor), bytes.length);
  }

  private ContentHash put(byte[] bytes, ObjectUploads uploads, ObjectCompressor compressor) {
    objects++;
    return uploads.putFile(bytes, compressor);
  }

  private static String hex(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }

  // ---- the copy -----------------------------------------------------------------------------

  private Replay.Outcome replay(Path file, Path original, Path copy, Optional<Path> snapshot)
      throws IOException {
    JournalFile journal = new JournalFile(file);
    ReplayPlan plan = ReplayPlan.of(journal, NAME, Until.END);
    Files.createDirectories(copy);
    try (ObjectSources sources =
        new ObjectSources(
            List.of(new LocalRepositoryFiles(original.resolve("cvmfs").resolve(NAME.value()))),
            copy,
            ObjectSources.Pause.SLEEPING)) {
      Replay.Means means =
          new Replay.Means(
              sources, Remaker.NONE, Replay.Settings.STANDARD, () -> false, progress -> {});
      Optional<SnapshotStart> start =
          snapshot
              .map(path -> SnapshotFile.read(path, NAME, masterKeys(original)))
              .map(read -> new SnapshotStart(journal, read, plan, means));
      try (Repository target =
          ReplayTarget.open(
              new Repositories(copy, StoreOpeners.forPublishers(clock, random)),
              NAME,
              Optional.empty(),
              plan,
              Optional.empty(),
              start,
              sources,
              clock)) {
        Replay.Outcome outcome = new Replay(journal, plan, target, means).run();
        if (!(outcome instanceof Replay.Outcome.Done)
            || !target.manifest().manifest().rootCatalog().equals(plan.lastRoot())) {
          throw new IllegalStateException("the replay did not end as the journal says: " + outcome);
        }
        return outcome;
      }
    }
  }
}
