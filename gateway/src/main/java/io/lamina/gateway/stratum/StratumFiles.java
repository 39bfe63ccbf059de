package io.lamina.gateway.stratum;

import io.lamina.gateway.upload.RepositoryStores;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Finds the repositories' files: in a folder that holds one folder per repository, or in their
 * storage. Methods block; thread-safe.
 */
public final class StratumFiles {
  private final Optional<Path> folder;
  private final RepositoryStores stores;

  /** An open file; closed by whoever has it. */
  public sealed interface Opened extends AutoCloseable {
    long sizeBytes();

    /** From the start; closed by the caller. */
    InputStream stream();

    @Override
    void close();
  }

  /** A file of the folder. */
  public record Local(FileChannel channel, long sizeBytes) implements Opened {
    @Override
    public InputStream stream() {
      return Channels.newInputStream(channel);
    }

    @Override
    public void close() {
      try {
        channel.close();
      } catch (IOException e) {
        // Nothing was written; a descriptor that cannot be closed is the kernel's to keep.
      }
    }
  }

  /** A file of a storage, opened when it is read. */
  public record Stored(ObjectStore store, ObjectKey key, long sizeBytes) implements Opened {
    @Override
    public InputStream stream() {
      return store.open(key);
    }

    @Override
    public void close() {}
  }

  public StratumFiles(Optional<Path> folder, RepositoryStores stores) {
    this.folder = folder;
    this.stores = stores;
  }

  /**
   * Opens a file; empty if there is none. Neither the file nor any folder on the way from the root
   * may be a symbolic link, save the folder of all repositories itself.
   */
  public Optional<Opened> open(StratumPath path) throws IOException {
    if (folder.isPresent()) {
      Path repository = folder.get().resolve(path.repository().value());
      if (Files.isDirectory(repository, LinkOption.NOFOLLOW_LINKS)) {
        return local(repository, path);
      }
    }
    return stores.storeOf(path.repository()).flatMap(store -> stored(store, path));
  }

  private static Optional<Opened> local(Path repository, StratumPath path) throws IOException {
    Path file = repository;
    for (String part : path.name().split("/")) {
      if (!file.equals(repository) && !Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
        return Optional.empty();
      }
      file = file.resolve(part);
    }
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    try {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
      return Optional.of(new Local(channel, channel.size()));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (FileSystemException e) {
      throw new StorageException.Retryable("cannot read " + path.name() + ": " + e.getReason(), e);
    }
  }

  private static Optional<Opened> stored(ObjectStore store, StratumPath path) {
    ObjectKey key = new ObjectKey(path.name());
    return store.head(key).map(stat -> new Stored(store, key, stat.sizeBytes()));
  }
}
