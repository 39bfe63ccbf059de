package io.lamina.repository;

import static java.util.Objects.requireNonNull;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.EditableCatalog;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.cvmfs.catalog.SealedCatalog;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.cvmfs.compression.ReferenceZlib;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.RepositoryKeys;
import io.lamina.storage.LocalObjectStore;
import io.lamina.storage.ObjectStore;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A release manager in a folder: a script in the place of {@code cvmfs_server} hands its arguments
 * over and is told how to end, and what the tool would do is done here, on a repository of its own
 * with its own keys. All is in one catalog, which readers do not mind. It can fail in every way
 * that the tool does.
 */
final class FakeReleaseManager implements AutoCloseable {
  /** How the next command goes wrong. */
  enum Failure {
    /** It says so, and has aborted its transaction. */
    BEFORE_PUBLISHING,
    /** It says so, and its transaction stays open. */
    WITH_OPEN_TRANSACTION,
    /** It does not end, with its transaction open. */
    HANGS,
    /** All is done, and it fails then. */
    AFTER_PUBLISHING,
    /** It does nothing, and says that all is well. */
    SILENTLY,
    /** It publishes all but one file, and says that all is well. */
    LOSES_A_FILE,
    /** Somebody opens a transaction right before it does. */
    OVERTAKEN
  }

  private static final String SCRIPT =
      """
      #!/bin/sh
      # Tells the test what it was asked, and does what it is told.
      mkfifo '%1$s/reply.'$$
      { echo "$$"; env | sort | sed 's/^/env /'; for a; do echo "arg $a"; done; } > '%1$s/call'
      read -r what code < '%1$s/reply.'$$
      rm '%1$s/reply.'$$
      case $what in
        hang) : > '%1$s/hanging'; sleep 1000; echo 'the child is gone'; exit 1;;
        busy) echo 'CernVM-FS transaction error: another transaction is already open'; exit $code;;
        *) echo "told to $what"; exit $code;;
      esac
      """;

  private static @Nullable RepositoryKeys keys;

  private final Path folder;
  private final ObjectStore store;
  private final HistoryObject history;
  private final Thread server;
  private final List<List<String>> calls = new ArrayList<>();
  private final List<String> environment = new ArrayList<>();
  private final Map<String, Failure> failures = new HashMap<>();
  private final Map<String, Integer> successesBefore = new HashMap<>();
  private final AtomicInteger linked = new AtomicInteger();
  private Map<String, String> mounted = Map.of();

  /**
   * @param folder existing and empty
   */
  FakeReleaseManager(Path folder) {
    this.folder = folder;
    try {
      for (String name : List.of("storage", "spool", "mount", "keys", "talk")) {
        Files.createDirectory(folder.resolve(name));
      }
      keys().save(folder.resolve("keys"));
      store =
          LocalObjectStore.open(
              folder.resolve("storage"),
              LocalObjectStore.Settings.STANDARD,
              TestRepository.CLOCK,
              new Random(1));
      new RepositoryCreation(TestRepository.definition(), store, keys())
          .run(Beginning.EMPTY, CatalogCompression.FOR_PUBLISHERS, TestRepository.CLOCK);
      history = new HistoryObject(store, TestRepository.definition());
      Path talk = folder.resolve("talk");
      Files.writeString(command(), SCRIPT.formatted(talk));
      Files.setPosixFilePermissions(command(), PosixFilePermissions.fromString("rwxr-xr-x"));
      new ProcessBuilder("mkfifo", talk.resolve("call").toString()).start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    server = Thread.ofPlatform().daemon().start(this::serve);
  }

  private static synchronized RepositoryKeys keys() {
    if (keys == null) {
      keys = RepositoryKeys.generate(TestRepository.NAME, new SecureRandom(), TestRepository.CLOCK);
    }
    return keys;
  }

  private Path command() {
    return folder.resolve("cvmfs_server");
  }

  RepositoryDefinition.Backend.CvmfsServer definition(Duration timeout, boolean acceptsLosses) {
    return new RepositoryDefinition.Backend.CvmfsServer(
        folder.resolve("storage").toUri(),
        folder.resolve("keys").resolve(TestRepository.NAME + ".pub"),
        command(),
        folder.resolve("mount"),
        folder.resolve("spool"),
        timeout,
        acceptsLosses);
  }

  ObjectStore store() {
    return store;
  }

  /** Every call so far, by its arguments. */
  synchronized List<List<String>> calls() {
    return List.copyOf(calls);
  }

  /** The commands of the calls so far. */
  List<String> commands() {
    return calls().stream().map(List::getFirst).toList();
  }

  /** The environment of the last call. */
  synchronized List<String> environment() {
    return List.copyOf(environment);
  }

  /** The next call of this command fails. */
  synchronized void failNext(String subcommand, Failure failure) {
    failures.put(subcommand, failure);
  }

  /** The call of this command after so many others fails. */
  synchronized void failLater(String subcommand, int successes, Failure failure) {
    successesBefore.put(subcommand, successes);
    failures.put(subcommand, failure);
  }

  private synchronized @Nullable Failure failureOf(String subcommand) {
    int left = successesBefore.getOrDefault(subcommand, 0);
    if (left > 0) {
      successesBefore.put(subcommand, left - 1);
      return null;
    }
    return failures.remove(subcommand);
  }

  Path transactionLock() {
    return folder.resolve("spool").resolve("in_transaction.lock");
  }

  /** How many entries of archives were hard links. */
  int linked() {
    return linked.get();
  }

  /** There once the tool hangs. */
  Path hanging() {
    return folder.resolve("talk").resolve("hanging");
  }

  /** Somebody opens a transaction. */
  void openTransaction() {
    try {
      Files.createFile(transactionLock());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void endTransaction() {
    try {
      Files.delete(transactionLock());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Somebody removes a path. */
  void removeByHand(String path) {
    try {
      change(catalog -> catalog.remove(RepositoryPath.of(path), NO_NESTED));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // ---- the tool -----------------------------------------------------------------------------

  private void serve() {
    try {
      while (true) {
        List<String> lines = Files.readAllLines(folder.resolve("talk").resolve("call"));
        if (lines.isEmpty()) {
          return;
        }
        List<String> arguments =
            lines.stream().filter(l -> l.startsWith("arg ")).map(l -> l.substring(4)).toList();
        Failure failure;
        synchronized (this) {
          calls.add(arguments);
          environment.clear();
          lines.stream()
              .filter(l -> l.startsWith("env "))
              .map(l -> l.substring(4))
              .forEach(environment::add);
          failure = failureOf(arguments.getFirst());
        }
        String reply;
        try {
          reply = execute(arguments, failure);
        } catch (RuntimeException | IOException e) {
          reply = "fail:" + e.getClass().getSimpleName() + " 1";
        }
        Files.writeString(
            folder.resolve("talk").resolve("reply." + lines.getFirst()), reply + "\n");
      }
    } catch (IOException e) {
      // The folder is gone: the test is over.
    }
  }

  private String execute(List<String> arguments, @Nullable Failure failure) throws IOException {
    String subcommand = arguments.getFirst();
    boolean opens = subcommand.equals("ingest") || subcommand.equals("transaction");
    if (failure == Failure.OVERTAKEN) {
      openTransaction();
    }
    if (opens && Files.exists(transactionLock())) {
      return "busy " + (subcommand.equals("transaction") ? 17 : 1);
    }
    if (failure == Failure.SILENTLY) {
      return "nothing 0";
    }
    if (opens) {
      openTransaction();
    }
    if (failure == Failure.HANGS) {
      return "hang 0";
    }
    if (failure == Failure.WITH_OPEN_TRANSACTION) {
      return "fail 1";
    }
    if (failure == Failure.BEFORE_PUBLISHING) {
      endTransaction();
      return "fail 1";
    }
    switch (subcommand) {
      case "ingest" -> {
        ingest(arguments, failure == Failure.LOSES_A_FILE);
        endTransaction();
      }
      case "transaction" -> mount();
      case "publish" -> {
        publish();
        endTransaction();
      }
      case "abort" -> endTransaction();
      default -> {
        return "fail 3";
      }
    }
    return failure == Failure.AFTER_PUBLISHING ? "fail 1" : "succeed 0";
  }

  private void ingest(List<String> arguments, boolean losesAFile) throws IOException {
    Path archive = null;
    List<RepositoryPath> removals = new ArrayList<>();
    for (int i = 1; i < arguments.size() - 1; i++) {
      if (arguments.get(i).equals("-t")) {
        archive = Path.of(arguments.get(i + 1));
      }
      if (arguments.get(i).equals("-d")) {
        for (String path : arguments.get(i + 1).split(":")) { // as the tool does
          removals.add(RepositoryPath.of("/" + path));
        }
      }
    }
    Path tar = archive;
    change(
        catalog -> {
          removals.forEach(path -> catalog.remove(path, NO_NESTED));
          if (tar != null) {
            unpack(catalog, tar, losesAFile);
          }
        });
  }

  private static final Function<NestedCatalog, Counters> NO_NESTED = nested -> Counters.ZERO;

  private interface Change {
    void make(EditableCatalog catalog) throws IOException;
  }

  private void unpack(EditableCatalog catalog, Path tar, boolean losesAFile) throws IOException {
    boolean lost = false;
    try (InputStream in = Files.newInputStream(tar);
        TarArchiveInputStream entries = new TarArchiveInputStream(in, "ISO-8859-1");
        ObjectCompressor compressor = CatalogCompression.FOR_PUBLISHERS.newCompressor()) {
      Map<String, CatalogEntry> files = new HashMap<>();
      for (TarArchiveEntry next = entries.getNextEntry();
          next != null;
          next = entries.getNextEntry()) {
        String name = next.getName().replaceAll("/$", "");
        RepositoryPath path =
            RepositoryPath.ofBytes(("/" + name).getBytes(StandardCharsets.ISO_8859_1));
        if (next.isFile() && !next.isLink() && losesAFile && !lost && next.getSize() > 0) {
          lost = true;
          continue;
        }
        if (next.isDirectory() && catalog.find(path).isPresent()) {
          if (!catalog.find(path).get().isDirectory()) {
            throw new IllegalStateException("a directory in the place of something else");
          }
          continue;
        }
        CatalogEntry entry =
            next.isLink()
                ? requireNonNull(files.get(next.getLinkName()))
                : entry(next, entries.readAllBytes(), compressor);
        if (next.isLink()) {
          linked.incrementAndGet();
        }
        files.put(name, entry);
        catalog.put(path, entry, NO_NESTED);
      }
    }
  }

  private CatalogEntry entry(TarArchiveEntry tar, byte[] content, ObjectCompressor compressor) {
    int type = CatalogEntry.REGULAR;
    long size = content.length;
    ContentHash hash = null;
    byte[] target = {};
    if (tar.isDirectory()) {
      type = CatalogEntry.DIRECTORY;
      size = CatalogEntry.DIRECTORY_SIZE_BYTES;
    } else if (tar.isSymbolicLink()) {
      type = CatalogEntry.SYMLINK;
      target = tar.getLinkName().getBytes(StandardCharsets.ISO_8859_1);
      size = 0;
    } else if (tar.isCharacterDevice()) {
      type = CatalogEntry.CHARACTER_DEVICE;
      size = CatalogEntry.deviceNumber(tar.getDevMajor(), tar.getDevMinor());
    } else if (tar.isFIFO()) {
      type = CatalogEntry.FIFO;
    } else {
      hash = new ObjectUploads(store).putFile(content, compressor);
    }
    return new CatalogEntry(
        type | (int) (tar.getMode() & 07777),
        tar.getLongUserId(),
        tar.getLongGroupId(),
        size,
        tar.getLastModifiedTime().toMillis() / 1000,
        -1,
        0,
        1,
        hash,
        CompressionAlgorithm.ZLIB,
        target,
        Xattrs.NONE,
        List.of());
  }

  /** Shows the repository's names, types and links in the mount folder. */
  private void mount() throws IOException {
    Map<String, String> tree = new TreeMap<>(PublishedTree.of(store));
    for (Path left : reversed(folder.resolve("mount"))) {
      Files.delete(left);
    }
    for (Map.Entry<String, String> each : tree.entrySet()) {
      Path path = folder.resolve("mount" + each.getKey());
      if (each.getValue().startsWith("dir ")) {
        Files.createDirectory(path);
      } else if (each.getValue().startsWith("link ")) {
        Files.createSymbolicLink(path, Path.of(each.getValue().substring(5)));
      } else {
        Files.createFile(path);
      }
    }
    mounted = tree;
  }

  private static List<Path> reversed(Path top) throws IOException {
    try (var walk = Files.walk(top)) {
      return walk.filter(path -> !path.equals(top)).toList().reversed();
    }
  }

  /** Removes what is gone from the mount folder, and takes links over. */
  private void publish() throws IOException {
    change(
        catalog -> {
          for (String name : mounted.keySet()) {
            if (!Files.exists(folder.resolve("mount" + name), LinkOption.NOFOLLOW_LINKS)) {
              catalog.remove(RepositoryPath.of(name), NO_NESTED);
            }
          }
          for (Path path : reversed(folder.resolve("mount"))) {
            if (Files.isSymbolicLink(path)) {
              catalog.put(
                  RepositoryPath.of("/" + folder.resolve("mount").relativize(path)),
                  CatalogEntry.symlink(
                      Files.readSymbolicLink(path).toString().getBytes(StandardCharsets.UTF_8),
                      TestRepository.TIME),
                  NO_NESTED);
            }
          }
        });
  }

  private void change(Change change) throws IOException {
    Manifest base = PublishedTree.manifest(store);
    byte[] stored =
        store.read(RepositoryFiles.object(ObjectKind.CATALOG, base.rootCatalog()), 1 << 26);
    try (EditableCatalog catalog =
            EditableCatalog.open(Decompression.inflate(stored, 1 << 26), base.rootCatalog());
        ObjectCompressor compressor = CatalogCompression.FOR_PUBLISHERS.newCompressor()) {
      change.make(catalog);
      publish(base, catalog.seal(TestRepository.TIME), compressor);
    }
  }

  private void publish(Manifest base, SealedCatalog sealed, ObjectCompressor compressor) {
    ObjectUploads uploads = new ObjectUploads(store);
    CompressedObject root = compressor.compress(sealed.database(), HashAlgorithm.SHA1);
    uploads.put(ObjectKind.CATALOG, root);
    Tag.Snapshot head =
        new Tag.Snapshot(
            root.hash(), sealed.database().length, base.revision() + 1, TestRepository.TIME);
    CompressedObject tags = history.advanced(base.history(), head, compressor).orElseThrow();
    uploads.put(ObjectKind.HISTORY, tags);
    Manifest next =
        ManifestChanges.next(
            base,
            head,
            ReferenceZlib.compress(keys().certificate().pem(), HashAlgorithm.SHA1).hash(),
            Optional.of(tags.hash()),
            RepositoryDefinition.Settings.DEFAULT,
            base.reflog());
    store.swap(
        RepositoryFiles.MANIFEST,
        store.readMutable(RepositoryFiles.MANIFEST, 1 << 20).map(ObjectStore.Versioned::version),
        keys().sign(next).bytes());
  }

  @Override
  public void close() {
    try {
      Files.writeString(folder.resolve("talk").resolve("call"), "");
      server.join();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    store.close();
  }
}
