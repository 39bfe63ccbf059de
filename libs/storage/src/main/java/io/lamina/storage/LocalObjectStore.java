package io.lamina.storage;

import io.lamina.linux.Directory;
import io.lamina.linux.LinuxException;
import io.lamina.linux.ThisProcess;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder as an object store; a web server may serve it as it is.
 *
 * <p>Objects are written under a temporary name in the same file system and renamed into place, so
 * that a kill at any moment leaves either the whole object or none. They are durable after {@link
 * #flush}, mutable files when {@link #swap} returns. Symbolic links are never followed.
 *
 * <p>Source: docs/storage.md, "Local folders". Thread-safe; several processes may use one folder.
 */
public final class LocalObjectStore implements ObjectStore {
  private static final Logger LOG = LoggerFactory.getLogger(LocalObjectStore.class);
  private static final Set<PosixFilePermission> FILE_MODE =
      PosixFilePermissions.fromString("rw-r--r--");
  private static final Set<PosixFilePermission> FOLDER_MODE =
      PosixFilePermissions.fromString("rwxr-xr-x");
  private static final FileAttribute<Set<PosixFilePermission>> NEW_FILE =
      PosixFilePermissions.asFileAttribute(FILE_MODE);
  private static final FileAttribute<Set<PosixFilePermission>> NEW_FOLDER =
      PosixFilePermissions.asFileAttribute(FOLDER_MODE);
  private static final String TEMPORARY = "tmp-";
  private static final String LOCK = "lock-";
  private static final String ASIDE = "aside-";

  /** Stands for a slash in the names of what was set aside; no object's name has it. */
  private static final char ASIDE_SLASH = '+';

  private static final String NO_SPACE_MESSAGE = "No space left on device";
  private static final int BUFFER_BYTES = 128 << 10;
  private static final int MAX_KNOWN_FOLDERS = 100_000;
  private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(30);
  private static final int MAX_DEPTH = 256;

  /**
   * @param temporaryFolder below the root, for files on their way
   * @param leftoverAge temporary files older than this belong to nobody any more
   * @param flushing how objects become durable
   */
  public record Settings(String temporaryFolder, Duration leftoverAge, Flushing flushing) {
    /** How {@link #flush} makes objects durable; docs/storage.md has the figures. */
    public enum Flushing {
      /** One call for the whole file system; file by file where the system has no such call. */
      FILE_SYSTEM,
      /** Each file and each folder that was written. */
      FILE_BY_FILE,
      /** Not at all: for what can be made again at will. */
      NONE
    }

    public static final Settings STANDARD =
        new Settings("data/txn", Duration.ofHours(24), Flushing.FILE_SYSTEM);
  }

  private final Path root;
  private final Path temporaryFolder;
  private final Clock clock;
  private final boolean linux = ThisProcess.isOnLinux();
  private final Durability durability;
  private final boolean modesNeedSetting;
  private final String instance;
  private final AtomicLong counter = new AtomicLong();
  private final Set<Path> knownFolders = ConcurrentHashMap.newKeySet();
  private final ReentrantLock swaps = new ReentrantLock();

  private LocalObjectStore(
      Path root,
      Path temporaryFolder,
      Durability durability,
      boolean modesNeedSetting,
      String instance,
      Clock clock) {
    this.root = root;
    this.clock = clock;
    this.temporaryFolder = temporaryFolder;
    this.durability = durability;
    this.modesNeedSetting = modesNeedSetting;
    this.instance = instance;
  }

  /**
   * Opens a folder and removes what writers that died long ago have left.
   *
   * @param folder made if it is missing
   * @throws StorageException.Rejected if it cannot be used
   */
  public static LocalObjectStore open(
      Path folder, Settings settings, Clock clock, RandomGenerator random) {
    try {
      Files.createDirectories(folder);
      Path root = folder.toRealPath();
      Path temporary = root;
      for (String name : new ObjectKey(settings.temporaryFolder()).value().split("/")) {
        temporary = temporary.resolve(name);
        makeFolder(temporary, false);
      }
      removeLeftovers(temporary, clock, settings.leftoverAge());
      putBackWhatWasSetAside(root, temporary);
      String instance =
          ProcessHandle.current().pid() + "-" + HexFormat.of().toHexDigits(random.nextLong());
      boolean modesNeedSetting = modesNeedSetting(temporary.resolve(TEMPORARY + instance));
      if (modesNeedSetting) {
        Files.setPosixFilePermissions(temporary, FOLDER_MODE);
      }
      return new LocalObjectStore(
          root,
          temporary,
          Durability.of(settings.flushing(), root),
          modesNeedSetting,
          instance,
          clock);
    } catch (IOException e) {
      throw new StorageException.Rejected("cannot use " + folder + " as a store: " + e, e);
    }
  }

  /** Whether the process's file mode mask takes away what readers need. */
  private static boolean modesNeedSetting(Path probe) throws IOException {
    Files.createFile(probe, NEW_FILE);
    try {
      return !Files.getPosixFilePermissions(probe).equals(FILE_MODE);
    } finally {
      Files.delete(probe);
    }
  }

  private static void removeLeftovers(Path temporary, Clock clock, Duration age)
      throws IOException {
    long olderThan = clock.millis() - age.toMillis();
    try (var entries = Files.newDirectoryStream(temporary, TEMPORARY + "*")) {
      for (Path entry : entries) {
        try {
          if (Files.getLastModifiedTime(entry, LinkOption.NOFOLLOW_LINKS).toMillis() < olderThan) {
            Files.deleteIfExists(entry);
            LOG.atInfo().addKeyValue("file", entry).log("removed what a dead writer had left");
          }
        } catch (NoSuchFileException e) {
          // Another process cleans up, too.
        }
      }
    }
  }

  /** Where a file lies, for servers that send files by themselves; it may not exist. */
  public Path path(ObjectKey key) {
    return root.resolve(key.value());
  }

  @Override
  public PutOutcome putIfAbsent(ObjectKey key, Content content) {
    Path target = target(key);
    if (isWhole(target, content.sizeBytes()) && refresh(key, target)) {
      durability.wrote(target);
      return PutOutcome.ALREADY_PRESENT;
    }
    Path temporary = newTemporary();
    try {
      write(temporary, key, content, false);
      PutOutcome outcome = moveIntoPlace(temporary, target, content.sizeBytes());
      durability.wrote(target);
      return outcome;
    } catch (IOException | RuntimeException e) {
      deleteQuietly(temporary, e);
      throw e instanceof IOException io ? failure("store " + key, io) : (RuntimeException) e;
    }
  }

  /** Marks an old object as used now; whether it is still there. */
  private boolean refresh(ObjectKey key, Path target) {
    try {
      Instant now = clock.instant();
      if (attributes(target).lastModifiedTime().toInstant().isBefore(now.minus(REFRESHED_AFTER))) {
        Files.getFileAttributeView(target, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
            .setTimes(FileTime.from(now), null, null);
      }
      return true;
    } catch (NoSuchFileException e) {
      return false;
    } catch (IOException e) {
      throw failure("mark " + key + " as used", e);
    }
  }

  /**
   * Whether the object is there in its full length. A shorter one was torn by a power failure
   * before it was flushed and is written again.
   */
  private static boolean isWhole(Path target, long sizeBytes) {
    if (Files.notExists(target, LinkOption.NOFOLLOW_LINKS)) {
      return false; // the usual answer, which an exception would make dear
    }
    try {
      BasicFileAttributes attributes = attributes(target);
      return attributes.isRegularFile() && attributes.size() == sizeBytes;
    } catch (IOException e) {
      return false;
    }
  }

  private PutOutcome moveIntoPlace(Path temporary, Path target, long sizeBytes) throws IOException {
    prepareFolder(target);
    try {
      return rename(temporary, target, sizeBytes);
    } catch (NoSuchFileException e) {
      // Somebody removed a folder that was there before.
      knownFolders.remove(folderOf(target));
      prepareFolder(target);
      return rename(temporary, target, sizeBytes);
    }
  }

  private PutOutcome rename(Path temporary, Path target, long sizeBytes) throws IOException {
    if (!linux) {
      return link(temporary, target);
    }
    try {
      Directory.renameToFree(temporary, target);
      return PutOutcome.STORED;
    } catch (LinuxException.AlreadyExists e) {
      return replaceTorn(temporary, target, sizeBytes);
    } catch (LinuxException.NotFound e) {
      throw new NoSuchFileException(target.toString());
    } catch (LinuxException.NoSpace e) {
      throw new FileSystemException(target.toString(), null, NO_SPACE_MESSAGE);
    } catch (LinuxException e) {
      // This file system has no such rename; if it is something else, the link fails of it, too.
      return link(temporary, target);
    }
  }

  private static PutOutcome replaceTorn(Path temporary, Path target, long sizeBytes)
      throws IOException {
    if (isWhole(target, sizeBytes)) {
      Files.delete(temporary);
      return PutOutcome.ALREADY_PRESENT;
    }
    if (Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileSystemException(target.toString(), null, "a folder is in the way");
    }
    Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    return PutOutcome.STORED;
  }

  private static PutOutcome link(Path temporary, Path target) throws IOException {
    PutOutcome outcome = PutOutcome.STORED;
    try {
      Files.createLink(target, temporary);
    } catch (FileAlreadyExistsException e) {
      outcome = PutOutcome.ALREADY_PRESENT;
    }
    Files.delete(temporary);
    return outcome;
  }

  @Override
  public void flush() {
    try {
      durability.flush();
    } catch (IOException e) {
      throw failure("flush " + root, e);
    }
  }

  @Override
  public Optional<Stat> head(ObjectKey key) {
    try {
      BasicFileAttributes attributes = attributes(target(key));
      return attributes.isRegularFile()
          ? Optional.of(
              new Stat(key, attributes.size(), attributes.lastModifiedTime().to(TimeUnit.SECONDS)))
          : Optional.empty();
    } catch (NoSuchFileException | NotDirectoryException e) {
      return Optional.empty();
    } catch (IOException e) {
      if (isNotADirectory(e)) {
        return Optional.empty();
      }
      throw failure("look at " + key, e);
    }
  }

  @Override
  public InputStream open(ObjectKey key) {
    Path file = target(key);
    try {
      if (!attributes(file).isRegularFile()) {
        throw Contents.notFound(key);
      }
      return Files.newInputStream(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException | NotDirectoryException e) {
      throw Contents.notFound(key);
    } catch (IOException e) {
      if (isNotADirectory(e)) {
        throw Contents.notFound(key);
      }
      throw failure("read " + key, e);
    }
  }

  @Override
  public byte[] read(ObjectKey key, int maxBytes) {
    try (InputStream in = open(key)) {
      byte[] bytes = in.readNBytes(maxBytes);
      if (bytes.length == maxBytes && in.read() != -1) {
        throw Contents.tooLong(key, maxBytes);
      }
      return bytes;
    } catch (IOException e) {
      throw failure("read " + key, e);
    }
  }

  @Override
  public void list(String prefix, Consumer<Stat> sink) {
    int slash = prefix.lastIndexOf('/');
    Path start = slash <= 0 ? root : target(new ObjectKey(prefix.substring(0, slash)));
    try {
      if (!Files.isDirectory(start, LinkOption.NOFOLLOW_LINKS)) {
        return;
      }
      Files.walkFileTree(start, Set.of(), MAX_DEPTH, new Lister(prefix, sink));
    } catch (IOException e) {
      throw failure("list " + root + "/" + prefix, e);
    }
  }

  private final class Lister extends SimpleFileVisitor<Path> {
    private final String prefix;
    private final Consumer<Stat> sink;

    Lister(String prefix, Consumer<Stat> sink) {
      this.prefix = prefix;
      this.sink = sink;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
      if (folder.equals(temporaryFolder)) {
        return FileVisitResult.SKIP_SUBTREE;
      }
      String below = root.relativize(folder).toString() + "/";
      return folder.equals(root) || below.startsWith(prefix) || prefix.startsWith(below)
          ? FileVisitResult.CONTINUE
          : FileVisitResult.SKIP_SUBTREE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
      String name = root.relativize(file).toString();
      if (attributes.isRegularFile() && name.startsWith(prefix)) {
        key(name)
            .ifPresent(
                key ->
                    sink.accept(
                        new Stat(
                            key,
                            attributes.size(),
                            attributes.lastModifiedTime().to(TimeUnit.SECONDS))));
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
      if (e instanceof NoSuchFileException) {
        return FileVisitResult.CONTINUE;
      }
      throw e;
    }

    /** Empty for what somebody else put here under a name that no key can have. */
    private Optional<ObjectKey> key(String name) {
      try {
        return Optional.of(new ObjectKey(name));
      } catch (StorageException.Rejected e) {
        return Optional.empty();
      }
    }
  }

  @Override
  public boolean delete(ObjectKey key) {
    Path file = target(key);
    try {
      if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
        return false;
      }
      return Files.deleteIfExists(file);
    } catch (NotDirectoryException | DirectoryNotEmptyException e) {
      return false;
    } catch (IOException e) {
      if (isNotADirectory(e)) {
        return false;
      }
      throw failure("delete " + key, e);
    }
  }

  /**
   * The object is set aside first: then no writer can find it any more, and if one has marked it as
   * used before, that is seen and it is put back.
   */
  @Override
  public boolean deleteIfOlder(ObjectKey key, long modifiedSeconds) {
    if (key.value().indexOf(ASIDE_SLASH) >= 0) {
      return ObjectStore.super.deleteIfOlder(key, modifiedSeconds);
    }
    Path file = target(key);
    try {
      if (!isOlder(file, modifiedSeconds)) {
        return false;
      }
      Path aside = temporaryFolder.resolve(ASIDE + key.value().replace('/', ASIDE_SLASH));
      Files.move(file, aside, StandardCopyOption.ATOMIC_MOVE);
      if (isOlder(aside, modifiedSeconds)) {
        return Files.deleteIfExists(aside);
      }
      putBack(aside, file);
      return false;
    } catch (NoSuchFileException | NotDirectoryException e) {
      return false;
    } catch (IOException e) {
      if (isNotADirectory(e)) {
        return false;
      }
      throw failure("delete " + key, e);
    }
  }

  private static boolean isOlder(Path file, long modifiedSeconds) throws IOException {
    BasicFileAttributes attributes = attributes(file);
    return attributes.isRegularFile()
        && attributes.lastModifiedTime().to(TimeUnit.SECONDS) < modifiedSeconds;
  }

  /** Unless somebody has stored the object anew meanwhile. */
  private static void putBack(Path aside, Path file) throws IOException {
    try {
      Files.createLink(file, aside);
    } catch (FileAlreadyExistsException e) {
      // The same bytes: objects are named by them.
    }
    Files.deleteIfExists(aside);
  }

  /** A process died between setting aside and deleting: nobody knows which it was to be. */
  private static void putBackWhatWasSetAside(Path root, Path temporary) throws IOException {
    try (var entries = Files.newDirectoryStream(temporary, ASIDE + "*")) {
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName()).substring(ASIDE.length());
        try {
          putBack(entry, root.resolve(new ObjectKey(name.replace(ASIDE_SLASH, '/')).value()));
        } catch (NoSuchFileException e) {
          // Another process does the same, or was not dead.
        } catch (StorageException.Rejected e) {
          LOG.atWarn().addKeyValue("file", entry).log("not a name that was given here");
        }
      }
    }
  }

  @Override
  public Optional<Versioned> readMutable(ObjectKey key, int maxBytes) {
    try {
      byte[] bytes = read(key, maxBytes);
      return Optional.of(new Versioned(bytes, Contents.version(bytes)));
    } catch (StorageException.NotFound e) {
      return Optional.empty();
    }
  }

  @Override
  public Version swap(ObjectKey key, Optional<Version> expected, byte[] bytes) {
    Path target = target(key);
    Version version = Contents.version(bytes);
    swaps.lock();
    try (FileChannel channel =
            FileChannel.open(
                lockFile(key), Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE));
        FileLock _ = lock(key, channel)) {
      Contents.checkVersion(
          key, readMutable(key, Integer.MAX_VALUE - 16).map(Versioned::version), expected);
      replace(key, target, bytes);
      return version;
    } catch (IOException e) {
      throw failure("replace " + key, e);
    } finally {
      swaps.unlock();
    }
  }

  /** Under the lock; before the rename nothing has changed, after it everything has. */
  private void replace(ObjectKey key, Path target, byte[] bytes) throws IOException {
    Path temporary = newTemporary();
    try {
      write(temporary, key, Content.of(bytes), true);
      prepareFolder(target);
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      deleteQuietly(temporary, e);
      throw new StorageException.Rejected(
          temporaryFolder + " is not on the same file system as " + target, e);
    } catch (IOException | RuntimeException e) {
      deleteQuietly(temporary, e);
      throw e;
    }
    try {
      Durability.syncFolder(folderOf(target));
    } catch (IOException e) {
      throw new StorageException.OutcomeUnknown(
          key + " was replaced, but whether that survives a power failure is not known", e);
    }
  }

  private Path lockFile(ObjectKey key) {
    return temporaryFolder.resolve(
        LOCK
            + Contents.version(key.value().getBytes(java.nio.charset.StandardCharsets.UTF_8))
                .value()
                .substring(0, 32));
  }

  /** The system gives the lock back when the process ends, however it ends. */
  private static FileLock lock(ObjectKey key, FileChannel channel) throws IOException {
    long deadline = System.nanoTime() + LOCK_TIMEOUT.toNanos();
    while (System.nanoTime() - deadline < 0) {
      try {
        FileLock lock = channel.tryLock();
        if (lock != null) {
          return lock;
        }
      } catch (OverlappingFileLockException e) {
        // Another instance in this JVM has it.
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
      if (Thread.currentThread().isInterrupted()) {
        throw new StorageException.Retryable("interrupted while waiting to replace " + key, null);
      }
    }
    throw new StorageException.Retryable(
        "somebody else has been replacing " + key + " for " + LOCK_TIMEOUT.toSeconds() + " s",
        null);
  }

  @Override
  public void close() {
    // Nothing is held open between calls.
  }

  @Override
  public String toString() {
    return "local:" + root;
  }

  // ---- paths --------------------------------------------------------------------------------

  /**
   * @throws StorageException.Rejected if the key names a temporary file or leads through a link
   */
  private Path target(ObjectKey key) {
    Path target = root.resolve(key.value());
    if (target.startsWith(temporaryFolder)) {
      throw new StorageException.Rejected(
          key + " lies in the folder for files on their way, " + temporaryFolder);
    }
    Path folder = folderOf(target);
    if (!folder.equals(root) && !knownFolders.contains(folder)) {
      checkNoLinks(key, folder);
    }
    return target;
  }

  /** Every path here lies below the root. */
  private static Path folderOf(Path target) {
    return java.util.Objects.requireNonNull(target.getParent());
  }

  private void checkNoLinks(ObjectKey key, Path folder) {
    boolean complete = true;
    for (Path p = folder; !p.equals(root); p = folderOf(p)) {
      if (Files.isSymbolicLink(p)) {
        throw new StorageException.Rejected(
            "key " + key + " leads through the symbolic link " + p + "; links are not followed");
      }
      complete = complete && Files.isDirectory(p, LinkOption.NOFOLLOW_LINKS);
    }
    if (complete) {
      know(folder);
    }
  }

  private void know(Path folder) {
    if (knownFolders.size() >= MAX_KNOWN_FOLDERS) {
      knownFolders.clear(); // at worst they are looked at again
    }
    knownFolders.add(folder);
  }

  private void prepareFolder(Path target) throws IOException {
    Path folder = folderOf(target);
    if (folder.equals(root) || knownFolders.contains(folder)) {
      return;
    }
    Path made = root;
    for (Path name : root.relativize(folder)) {
      made = made.resolve(name);
      if (makeFolder(made, modesNeedSetting)) {
        durability.wrote(made);
      }
    }
    know(folder);
  }

  /** Whether it was not there before. */
  private static boolean makeFolder(Path folder, boolean setMode) throws IOException {
    try {
      Files.createDirectory(folder, NEW_FOLDER);
      if (setMode) {
        Files.setPosixFilePermissions(folder, FOLDER_MODE);
      }
      return true;
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
        throw new FileSystemException(
            folder.toString(), null, "is in the way: neither missing nor a folder of its own");
      }
      return false;
    }
  }

  private Path newTemporary() {
    return temporaryFolder.resolve(TEMPORARY + instance + "-" + counter.incrementAndGet());
  }

  private void write(Path file, ObjectKey key, Content content, boolean force) throws IOException {
    try (SeekableByteChannel channel =
        Files.newByteChannel(
            file, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), NEW_FILE)) {
      if (content instanceof Content.Bytes bytes) {
        writeAll(channel, ByteBuffer.wrap(bytes.array(), bytes.offset(), bytes.length()));
      } else {
        copy(key, content, channel);
      }
      if (force) {
        ((FileChannel) channel).force(true);
      }
    }
    if (modesNeedSetting) {
      Files.setPosixFilePermissions(file, FILE_MODE);
    }
  }

  private static void copy(ObjectKey key, Content content, SeekableByteChannel channel)
      throws IOException {
    long left = content.sizeBytes();
    byte[] buffer = new byte[(int) Math.clamp(left, 1, BUFFER_BYTES)];
    try (InputStream in = content.open()) {
      int n;
      while ((n = in.read(buffer)) != -1) {
        left -= n;
        if (left < 0) {
          throw Contents.wrongLength(key, content.sizeBytes(), content.sizeBytes());
        }
        writeAll(channel, ByteBuffer.wrap(buffer, 0, n));
      }
    }
    if (left != 0) {
      throw Contents.wrongLength(key, content.sizeBytes(), content.sizeBytes() - left);
    }
  }

  private static void writeAll(SeekableByteChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static BasicFileAttributes attributes(Path file) throws IOException {
    return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
  }

  private static void deleteQuietly(Path file, Exception cause) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  // ---- failures -----------------------------------------------------------------------------

  private static boolean isNotADirectory(IOException e) {
    return e instanceof FileSystemException f && "Not a directory".equals(f.getReason());
  }

  private static StorageException failure(String attempted, IOException e) {
    String reason = String.valueOf(e.getMessage());
    if (reason.contains(NO_SPACE_MESSAGE) || reason.contains("Disk quota exceeded")) {
      return new StorageException.Exhausted(
          "could not " + attempted + ": no room; free some or move the store", e);
    }
    if (e instanceof java.nio.file.AccessDeniedException
        || reason.contains("Read-only file system")
        || reason.contains("Operation not permitted")) {
      return new StorageException.Rejected(
          "could not " + attempted + ": no permission; check the owner of the store", e);
    }
    return new StorageException.Retryable("could not " + attempted + ": " + reason, e);
  }
}
