package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.RepositoryKeys;
import io.lamina.cvmfs.signing.SignedManifest;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageLocation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.commons.io.file.PathUtils;

/**
 * The repositories of a data folder: {@code repositories/NAME.json} define them, {@code
 * cvmfs/NAME/} holds those that lie here, {@code keys/} their keys. Each call reads the folder, so
 * what others create is found at once. Thread-safe.
 */
public final class Repositories {
  private static final String SUFFIX = ".json";
  private static final int MAX_DEFINITION_BYTES = 64 << 10;
  private static final int DATA_FOLDERS = 256;

  private final Path dataFolder;
  private final StoreOpener stores;

  /**
   * @param dataFolder need not exist yet
   */
  public Repositories(Path dataFolder, StoreOpener stores) {
    this.dataFolder = dataFolder.toAbsolutePath().normalize();
    this.stores = stores;
  }

  /** The names of all that are defined, sorted. */
  public List<RepositoryName> list() {
    List<RepositoryName> names = new ArrayList<>();
    Path folder = definitions();
    if (!Files.isDirectory(folder)) {
      return names;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*" + SUFFIX)) {
      for (Path file : files) {
        String fileName = file.getFileName().toString();
        names.add(new RepositoryName(fileName.substring(0, fileName.length() - SUFFIX.length())));
      }
    } catch (CvmfsException.Rejected e) {
      throw new RepositoryException.Rejected(
          "a file in " + folder + " is not named after a repository: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new RepositoryException.Retryable("cannot list " + folder, e);
    }
    names.sort(null);
    return names;
  }

  /**
   * @throws RepositoryException.Rejected if the definition is not valid
   */
  public Optional<RepositoryDefinition> definition(RepositoryName name) {
    Path file = definitionFile(name);
    try {
      if (Files.size(file) > MAX_DEFINITION_BYTES) {
        throw new RepositoryException.Rejected(file + " is too long for a definition");
      }
      RepositoryDefinition definition =
          RepositoryDefinitionJson.decode(Files.readAllBytes(file), file);
      if (!definition.name().equals(name)) {
        throw new RepositoryException.Rejected(
            file + " defines a repository of another name: " + definition.name());
      }
      return Optional.of(definition);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new RepositoryException.Retryable("cannot read " + file, e);
    }
  }

  /**
   * @throws RepositoryException.NotFound if it is not defined
   */
  public Repository open(RepositoryName name) {
    RepositoryDefinition definition =
        definition(name)
            .orElseThrow(
                () ->
                    new RepositoryException.NotFound(
                        "there is no repository "
                            + name
                            + " (looked for "
                            + definitionFile(name)
                            + "); create it with: lamina repo create "
                            + name));
    return open(definition);
  }

  /** Folder in which a repository without a storage location of its own lies. */
  public Path localFolder(RepositoryName name) {
    return dataFolder.resolve("cvmfs").resolve(name.value());
  }

  /**
   * Makes keys (unless all of them are there), the first revision, and the definition. One that was
   * interrupted can be repeated.
   *
   * @throws RepositoryException.Rejected if it is defined already, if its storage holds another
   *     repository, or if the master key is needed and not there
   */
  public Repository create(RepositoryDefinition definition, SecureRandom random, Clock clock) {
    return create(definition, Beginning.EMPTY, random, clock);
  }

  /** The same for one that does not begin empty. */
  public Repository create(
      RepositoryDefinition definition, Beginning beginning, SecureRandom random, Clock clock) {
    RepositoryName name = definition.name();
    if (definition(name).isPresent()) {
      throw new RepositoryException.Rejected(
          "repository " + name + " exists already: " + definitionFile(name));
    }
    makeLocalFolders(definition);
    RepositoryKeys keys = keysFor(definition, random, clock);
    RepositoryDefinition created = definition;
    try (ObjectStore store = stores.open(location(definition))) {
      Optional<Manifest> found = adoptable(store, name, keys, beginning);
      if (found.isPresent() && beginning.head().isEmpty()) {
        created =
            new RepositoryDefinition(
                name,
                definition.storage(),
                definition.keys(),
                definition.backend(),
                definition.settings(),
                Instant.ofEpochSecond(found.get().publishedSeconds()));
      } else if (found.isEmpty()) {
        new RepositoryCreation(definition, store, keys)
            .run(beginning, CatalogCompression.FOR_PUBLISHERS, clock);
      }
    }
    write(created);
    return open(created);
  }

  /**
   * The root catalog of the first revision of a repository that is created so; the same everywhere.
   *
   * @param createdAt whole seconds
   */
  public static ContentHash firstRoot(Instant createdAt, Duration ttl) {
    return RepositoryCreation.rootOf(
        createdAt.getEpochSecond(), ttl, CatalogCompression.FOR_PUBLISHERS);
  }

  /**
   * Opens a defined repository; if its storage has no manifest, which was lost then, makes the
   * first revision there again. What else lies in the storage stays.
   *
   * @param createdAt as the lost repository was made, in whole seconds
   * @param ttl likewise
   * @param beginning what it shows then
   * @throws RepositoryException.NotFound if it is not defined
   * @throws RepositoryException.Rejected if the master key, which signs the whitelist, is not there
   */
  public Repository restore(
      RepositoryName name,
      Instant createdAt,
      Duration ttl,
      Beginning beginning,
      SecureRandom random,
      Clock clock) {
    RepositoryDefinition definition =
        definition(name)
            .orElseThrow(() -> new RepositoryException.NotFound("there is no repository " + name));
    RepositoryDefinition.Settings settings = definition.settings();
    RepositoryDefinition lost =
        new RepositoryDefinition(
            name,
            definition.storage(),
            definition.keys(),
            definition.backend(),
            new RepositoryDefinition.Settings(
                ttl,
                settings.flat(),
                settings.garbageCollectable(),
                settings.tags(),
                settings.genericTags()),
            createdAt);
    makeLocalFolders(definition);
    try (ObjectStore store = stores.open(location(definition))) {
      if (store.readMutable(RepositoryFiles.MANIFEST, SignedManifest.MAX_READ_BYTES).isEmpty()) {
        new RepositoryCreation(lost, store, keysFor(definition, random, clock))
            .run(beginning, CatalogCompression.FOR_PUBLISHERS, clock);
      }
    }
    return open(definition);
  }

  /**
   * Everything that lies in the repository's storage.
   *
   * @throws RepositoryException.NotFound if it is not defined
   */
  public Contents contents(RepositoryName name) {
    try (Repository repository = open(name)) {
      Tally all = new Tally();
      repository.store().list("", all::add);
      return all.contents();
    }
  }

  /**
   * Deletes a repository with everything in its storage; only its keys stay. Who is publishing to
   * it fails, for the manifest goes first. One that was interrupted can be repeated.
   *
   * @return what was deleted
   * @throws RepositoryException.NotFound if it is not defined
   */
  public Contents delete(RepositoryName name) {
    Tally deleted = new Tally();
    try (Repository repository = open(name)) {
      ObjectStore store = repository.store();
      Consumer<ObjectStore.Stat> remove =
          stat -> {
            if (store.delete(stat.key())) {
              deleted.add(stat);
            }
          };
      store.head(RepositoryFiles.MANIFEST).ifPresent(remove);
      store.list("", remove);
      deleteFolder(repository.workFolder());
    }
    deleteFolder(localFolder(name));
    Path file = definitionFile(name);
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new RepositoryException.Retryable("cannot delete " + file, e);
    }
    return deleted.contents();
  }

  private static void deleteFolder(Path folder) {
    try {
      PathUtils.delete(folder); // follows no link
    } catch (NoSuchFileException e) {
      // There is none, or somebody else deletes it as well.
    } catch (IOException e) {
      throw new RepositoryException.Retryable("cannot delete " + folder, e);
    }
  }

  private static final class Tally {
    private long files;
    private long bytes;

    void add(ObjectStore.Stat stat) {
      files++;
      bytes += stat.sizeBytes();
    }

    Contents contents() {
      return new Contents(files, bytes);
    }
  }

  /** The untouched first revision that an interrupted creation with the same keys has left. */
  private Optional<Manifest> adoptable(
      ObjectStore store, RepositoryName name, RepositoryKeys keys, Beginning beginning) {
    Optional<ObjectStore.Versioned> file =
        store.readMutable(RepositoryFiles.MANIFEST, SignedManifest.MAX_READ_BYTES);
    if (file.isEmpty()) {
      return Optional.empty();
    }
    SignedManifest found = SignedManifest.parse(file.get().bytes());
    try {
      found.verify(keys.certificate());
    } catch (CvmfsException.Corrupt e) {
      throw new RepositoryException.Rejected(
          "the storage of "
              + name
              + " holds a repository that other keys signed ("
              + found.manifest().repository()
              + "); nothing was changed",
          e);
    }
    if (!found.manifest().repository().equals(name)
        || found.manifest().revision() != beginning.revision()
        || beginning
            .head()
            .map(head -> !head.root().equals(found.manifest().rootCatalog()))
            .orElse(false)) {
      throw new RepositoryException.Rejected(
          "the storage of "
              + name
              + " holds "
              + found.manifest().repository()
              + " at revision "
              + found.manifest().revision()
              + "; nothing was changed");
    }
    return Optional.of(found.manifest());
  }

  private Repository open(RepositoryDefinition definition) {
    return new Repository(
        definition,
        stores.open(location(definition)),
        keyFolder(definition),
        dataFolder.resolve("release-manager").resolve(definition.name().value()));
  }

  private StorageLocation location(RepositoryDefinition definition) {
    return definition
        .storage()
        .orElseGet(() -> new StorageLocation.Local(localFolder(definition.name())));
  }

  private Path keyFolder(RepositoryDefinition definition) {
    return definition.keys().map(dataFolder::resolve).orElse(dataFolder.resolve("keys"));
  }

  private RepositoryKeys keysFor(
      RepositoryDefinition definition, SecureRandom random, Clock clock) {
    Path folder = keyFolder(definition);
    try {
      if (Files.exists(folder.resolve(definition.name() + ".key"))) {
        return RepositoryKeys.load(folder, definition.name());
      }
      RepositoryKeys keys = RepositoryKeys.generate(definition.name(), random, clock);
      keys.save(folder);
      return keys;
    } catch (CvmfsException e) {
      throw new RepositoryException.Rejected(
          "the keys of " + definition.name() + " cannot be made: " + e.getMessage(), e);
    }
  }

  /** The original tools, which may adopt the folder later, demand every data folder. */
  private void makeLocalFolders(RepositoryDefinition definition) {
    if (definition.storage().isPresent()) {
      return;
    }
    Path data = localFolder(definition.name()).resolve("data");
    try {
      Files.createDirectories(data.resolve("txn"));
      for (int i = 0; i < DATA_FOLDERS; i++) {
        Files.createDirectories(data.resolve(String.format("%02x", i)));
      }
    } catch (IOException e) {
      throw new RepositoryException.Retryable("cannot make the folders below " + data, e);
    }
  }

  private void write(RepositoryDefinition definition) {
    Path file = definitionFile(definition.name());
    Path temporary = file.resolveSibling("." + file.getFileName() + ".new");
    try {
      Files.createDirectories(definitions());
      try (FileChannel channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        ByteBuffer bytes = ByteBuffer.wrap(RepositoryDefinitionJson.encode(definition));
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(true);
      }
      Files.createLink(file, temporary); // fails where a rename would overwrite
      Files.delete(temporary);
    } catch (FileAlreadyExistsException e) {
      throw new RepositoryException.Rejected(
          "repository " + definition.name() + " was created by somebody else meanwhile", e);
    } catch (IOException e) {
      throw new RepositoryException.Retryable("cannot write " + file, e);
    }
  }

  private Path definitions() {
    return dataFolder.resolve("repositories");
  }

  private Path definitionFile(RepositoryName name) {
    return definitions().resolve(name + SUFFIX);
  }
}
