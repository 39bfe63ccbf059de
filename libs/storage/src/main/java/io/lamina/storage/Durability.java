package io.lamina.storage;

import io.lamina.linux.Directory;
import io.lamina.linux.LinuxException;
import io.lamina.linux.ThisProcess;
import io.lamina.storage.LocalObjectStore.Settings.Flushing;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Makes written files durable. Covers those that were found in place, too: who wrote them may have
 * died before a flush.
 *
 * <p>Source: docs/storage.md, "Durability". Thread-safe.
 */
sealed interface Durability {
  /** This file or folder must survive the next flush. */
  void wrote(Path path);

  void flush() throws IOException;

  static Durability of(Flushing flushing, Path root) {
    return switch (flushing) {
      case NONE -> new None();
      case FILE_BY_FILE -> new FileByFile();
      case FILE_SYSTEM -> ThisProcess.isOnLinux() ? new WholeFileSystem(root) : new FileByFile();
    };
  }

  static void syncFolder(Path folder) throws IOException {
    sync(folder);
  }

  private static void sync(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** For what can be made again at will. */
  record None() implements Durability {
    @Override
    public void wrote(Path path) {}

    @Override
    public void flush() {}
  }

  /** One system call for everything. */
  final class WholeFileSystem implements Durability {
    private final Path root;
    private final AtomicBoolean dirty = new AtomicBoolean();

    WholeFileSystem(Path root) {
      this.root = root;
    }

    @Override
    public void wrote(Path path) {
      // Read first: the flag is set nearly always, and reading does not fight over the cache line.
      if (!dirty.get()) {
        dirty.set(true);
      }
    }

    @Override
    public synchronized void flush() throws IOException {
      // One at a time: who finds nothing dirty must not return before those who did are done.
      if (dirty.getAndSet(false)) {
        try (Directory folder = Directory.open(root)) {
          folder.syncFileSystem();
        } catch (LinuxException e) {
          dirty.set(true);
          throw new IOException("cannot flush " + root + ": " + e.getMessage(), e);
        }
      }
    }
  }

  /** A call for each file, several at once, then one for each folder. */
  final class FileByFile implements Durability {
    private static final int PARALLEL = 16;
    private static final int MAX_TRACKED = 200_000;

    private final Set<Path> written = ConcurrentHashMap.newKeySet();

    @Override
    public void wrote(Path path) {
      written.add(path);
      if (written.size() > MAX_TRACKED) {
        try {
          flush();
        } catch (IOException e) {
          throw new StorageException.Retryable("could not flush " + MAX_TRACKED + " files", e);
        }
      }
    }

    @Override
    public synchronized void flush() throws IOException {
      List<Path> files = List.copyOf(written);
      Set<Path> folders = new HashSet<>();
      files.forEach(file -> folders.add(file.getParent()));
      syncAll(files);
      syncAll(folders);
      // Only what was there before: writers go on meanwhile.
      files.forEach(written::remove);
    }

    private static void syncAll(Iterable<Path> paths) throws IOException {
      List<Future<?>> results = new ArrayList<>();
      try (ExecutorService executor =
          Executors.newFixedThreadPool(PARALLEL, Thread.ofVirtual().factory())) {
        for (Path path : paths) {
          results.add(
              executor.submit(
                  () -> {
                    try {
                      sync(path);
                    } catch (NoSuchFileException e) {
                      // Deleted since: nothing to keep.
                    }
                    return null;
                  }));
        }
      }
      for (Future<?> result : results) {
        try {
          result.get();
        } catch (ExecutionException e) {
          throw new IOException("cannot flush: " + e.getCause(), e);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IOException("interrupted while flushing", e);
        }
      }
    }
  }
}
