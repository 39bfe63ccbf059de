package io.lamina.repository.releasemanager;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.repository.RepositoryException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * This machine's notes about one release manager's repository, all of them durable before what they
 * announce happens:
 *
 * <ul>
 *   <li>{@code lock}: held by whoever works on it;
 *   <li>{@code running}: the tool that was started and has not been seen to end;
 *   <li>{@code suspect}: paths at which the repository may not show what its marker says;
 *   <li>{@code output}: what the last tool said;
 *   <li>{@code additions.tar}: what the tool is fed; {@code scratch/}: objects while they are read.
 * </ul>
 *
 * <p>Not thread-safe; the lock keeps other processes out. Close it.
 */
final class WorkFolder implements AutoCloseable {
  /**
   * @param pid of the tool
   * @param startedMillis when it started, as the system says: with the pid it names one process
   * @param transaction the tool's lock file as it was seen while the tool ran; empty if it was not
   */
  record Running(long pid, long startedMillis, String transaction) {}

  private static final int MAX_NOTE_BYTES = 64 << 20;

  private final Path folder;
  private final FileChannel channel;
  private final FileLock lock;

  private WorkFolder(Path folder, FileChannel channel, FileLock lock) {
    this.folder = folder;
    this.channel = channel;
    this.lock = lock;
  }

  /**
   * @throws RepositoryException.Conflict if another one has it
   */
  static WorkFolder open(Path folder) {
    FileChannel channel = null;
    try {
      Files.createDirectories(folder.resolve("scratch"));
      channel =
          FileChannel.open(
              folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = channel.tryLock();
      if (lock == null) {
        throw new OverlappingFileLockException();
      }
      return new WorkFolder(folder, channel, lock);
    } catch (OverlappingFileLockException e) {
      close(channel);
      throw new RepositoryException.Conflict(
          "another publisher on this machine is at work: it holds " + folder.resolve("lock"), e);
    } catch (IOException e) {
      close(channel);
      throw new RepositoryException.Retryable("cannot use the work folder " + folder, e);
    }
  }

  private static void close(@Nullable FileChannel channel) {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        // The lock goes with the process at the latest.
      }
    }
  }

  /** Deletes the archive and what was left half read; only when no tool of ours can need it. */
  void clear() {
    try {
      Files.deleteIfExists(archive());
      try (DirectoryStream<Path> files = Files.newDirectoryStream(scratch())) {
        for (Path file : files) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      throw new RepositoryException.Retryable("cannot clear the work folder " + folder, e);
    }
  }

  Path scratch() {
    return folder.resolve("scratch");
  }

  Path output() {
    return folder.resolve("output");
  }

  Path archive() {
    return folder.resolve("additions.tar");
  }

  long usableBytes() throws IOException {
    return Files.getFileStore(folder).getUsableSpace();
  }

  // ---- notes --------------------------------------------------------------------------------

  Optional<Running> running() {
    return read("running")
        .map(text -> text.strip().split(" ", 3))
        .filter(words -> words.length >= 2)
        .map(
            words ->
                new Running(
                    Long.parseLong(words[0]),
                    Long.parseLong(words[1]),
                    words.length == 3 ? words[2] : ""));
  }

  void noteRunning(Running tool) {
    write("running", tool.pid() + " " + tool.startedMillis() + " " + tool.transaction() + "\n");
  }

  void noteEnded() {
    delete("running");
  }

  Set<RepositoryPath> suspects() {
    Set<RepositoryPath> paths = new TreeSet<>();
    read("suspect")
        .ifPresent(
            text ->
                text.lines()
                    .forEach(
                        line -> paths.add(RepositoryPath.ofBytes(HexFormat.of().parseHex(line)))));
    return paths;
  }

  void noteSuspects(Set<RepositoryPath> paths) {
    StringBuilder text = new StringBuilder();
    paths.forEach(path -> text.append(HexFormat.of().formatHex(path.bytes())).append('\n'));
    write("suspect", text.toString());
  }

  void forgetSuspects() {
    delete("suspect");
  }

  private Optional<String> read(String name) {
    Path file = folder.resolve(name);
    try {
      if (Files.size(file) > MAX_NOTE_BYTES) {
        throw new RepositoryException.Corrupt(file + " is too long for a note", null);
      }
      return Optional.of(Files.readString(file));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new RepositoryException.Retryable("cannot read " + file, e);
    }
  }

  private void write(String name, String text) {
    Path file = folder.resolve(name);
    Path temporary = folder.resolve(name + ".new");
    try {
      try (FileOutputStream out = new FileOutputStream(temporary.toFile())) {
        out.write(text.getBytes(StandardCharsets.US_ASCII));
        out.getFD().sync(); // a channel would be closed by an interrupt
      }
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      syncFolder();
    } catch (IOException e) {
      throw new RepositoryException.Retryable("cannot write " + file, e);
    }
  }

  /** Folders can only be opened as channels, so an interrupt is put off. */
  private void syncFolder() throws IOException {
    boolean interrupted = false;
    try {
      while (true) {
        interrupted |= Thread.interrupted();
        try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
          directory.force(true);
          return;
        } catch (ClosedByInterruptException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void delete(String name) {
    try {
      Files.deleteIfExists(folder.resolve(name));
    } catch (IOException e) {
      throw new RepositoryException.Retryable("cannot delete " + folder.resolve(name), e);
    }
  }

  @Override
  public void close() {
    try {
      lock.release();
    } catch (IOException e) {
      // Closing the channel releases it too.
    } finally {
      close(channel);
    }
  }
}
