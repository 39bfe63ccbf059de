package io.lamina.repository.releasemanager;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.repository.RepositoryDefinition.Backend;
import io.lamina.repository.RepositoryException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs {@code cvmfs_server}: arguments as a list, a clean environment, a deadline, and its output
 * in a file, so that it can go on if this process dies. Remembers which open transaction is its
 * own, and aborts no other.
 *
 * <p>The tool marks an open transaction with a file and says nowhere whose it is. It is taken for
 * ours if that file appeared while a tool of ours ran, and still is the same file.
 *
 * <p>Source: docs/operations-publishing.md, "Locks". Not thread-safe.
 */
final class ServerTool {
  private static final Logger LOG = LoggerFactory.getLogger(ServerTool.class);

  /** What a run came to. */
  record Ended(int exitCode, String output) {
    boolean isSuccess() {
      return exitCode == 0;
    }
  }

  /** How the tool says that a transaction is open; {@code ingest} passes on no exit code of it. */
  private static final String BUSY = "another transaction is already open";

  /** Exit code of {@code transaction} in the same case: EEXIST. */
  private static final int EXIT_BUSY = 17;

  /** Exit code of {@code transaction} where a gateway has leased the path to others: EBUSY. */
  private static final int EXIT_LEASED = 16;

  private static final int MAX_SHOWN_CALL_CHARS = 500;
  private static final int SHOWN_OUTPUT_BYTES = 4 << 10;
  private static final long MAX_OUTPUT_BYTES = 64L << 20;
  private static final Duration LOOK_INTERVAL = Duration.ofMillis(20);
  private static final Duration GRACE = Duration.ofSeconds(10);
  private static final String SYSTEM_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private final RepositoryName name;
  private final Backend.CvmfsServer server;
  private final WorkFolder work;

  ServerTool(RepositoryName name, Backend.CvmfsServer server, WorkFolder work) {
    this.name = name;
    this.server = server;
    this.work = work;
  }

  /**
   * Clears away what a predecessor left that died while the tool ran.
   *
   * @throws RepositoryException.Retryable if that tool still runs
   */
  void recover() {
    work.running()
        .ifPresent(
            left -> {
              if (isAlive(left)) {
                throw new RepositoryException.Retryable(
                    "the cvmfs_server that a publisher started on "
                        + name
                        + " before it died still runs, as process "
                        + left.pid(),
                    null);
              }
              if (!lastWords().contains(BUSY)) {
                abortIfOurs(left);
              }
              work.noteEnded();
            });
  }

  private static boolean isAlive(WorkFolder.Running tool) {
    return ProcessHandle.of(tool.pid())
        .filter(ProcessHandle::isAlive)
        .filter(process -> startedMillis(process) == tool.startedMillis())
        .isPresent();
  }

  private static long startedMillis(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }

  /** Whether anybody has a transaction open. */
  boolean isInTransaction() {
    return !transaction().isEmpty();
  }

  /**
   * Runs a command that opens a transaction and ends it. If it fails, its transaction is aborted.
   *
   * @throws RepositoryException.Conflict if somebody else has a transaction open
   * @throws RepositoryException.Retryable if it failed otherwise
   */
  void complete(List<String> arguments) {
    requireNoTransaction();
    Ended ended;
    try {
      ended = run(arguments);
    } catch (RepositoryException e) {
      abandon();
      throw e;
    }
    if (!ended.isSuccess()) {
      throw abandonAfter(arguments, ended);
    }
    work.noteEnded();
  }

  /**
   * Opens a transaction, makes the changes, and publishes them. If anything fails, the transaction
   * is aborted.
   *
   * @throws RepositoryException.Conflict if somebody else has a transaction open
   * @throws RepositoryException.Retryable if it failed otherwise
   */
  void inTransaction(Runnable changes) {
    requireNoTransaction();
    List<String> open = List.of("transaction", name.value());
    List<String> publish = List.of("publish", name.value());
    try {
      Ended opened = run(open);
      if (!opened.isSuccess()) {
        throw abandonAfter(open, opened);
      }
      changes.run();
      Ended published = run(publish);
      if (!published.isSuccess()) {
        throw abandonAfter(publish, published);
      }
    } catch (RuntimeException e) {
      abandon();
      throw e;
    }
    work.noteEnded();
  }

  /** A tool that was refused because somebody else was first has opened nothing. */
  private RepositoryException abandonAfter(List<String> arguments, Ended ended) {
    if (isRefusedAsBusy(arguments, ended)) {
      work.noteEnded();
      return new RepositoryException.Conflict(failure(arguments, ended), null);
    }
    abandon();
    return new RepositoryException.Retryable(failure(arguments, ended), null);
  }

  private void requireNoTransaction() {
    if (isInTransaction()) {
      throw new RepositoryException.Conflict(
          "somebody has a transaction open on "
              + name
              + " ("
              + transactionFile()
              + "); this one waits until it is published or aborted",
          null);
    }
  }

  /** After a failure: if our transaction is still open, ends it. */
  private void abandon() {
    boolean interrupted = Thread.interrupted(); // the clean-up is done first
    try {
      work.running().ifPresent(this::abortIfOurs);
      work.noteEnded();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void abortIfOurs(WorkFolder.Running tool) {
    String open = transaction();
    if (open.isEmpty()) {
      return;
    }
    if (!open.equals(tool.transaction())) {
      LOG.atWarn()
          .addKeyValue("repository", name)
          .log("a transaction is open that is not known to be ours; it is left alone");
      return;
    }
    LOG.atWarn().addKeyValue("repository", name).log("aborting our unfinished transaction");
    Ended aborted = run(List.of("abort", "-f", name.value()));
    if (!aborted.isSuccess()) {
      throw new RepositoryException.Retryable(
          "our unfinished transaction on " + name + " cannot be aborted: " + describe(aborted),
          null);
    }
  }

  private static boolean isRefusedAsBusy(List<String> arguments, Ended ended) {
    return ended.output().contains(BUSY)
        || arguments.getFirst().equals("transaction")
            && (ended.exitCode() == EXIT_BUSY || ended.exitCode() == EXIT_LEASED);
  }

  private static String failure(List<String> arguments, Ended ended) {
    return call(arguments) + " failed: " + describe(ended);
  }

  private static String call(List<String> arguments) {
    String text = "cvmfs_server " + String.join(" ", arguments);
    return text.length() <= MAX_SHOWN_CALL_CHARS
        ? text
        : text.substring(0, MAX_SHOWN_CALL_CHARS) + "…";
  }

  private static String describe(Ended ended) {
    return "exit code " + ended.exitCode() + ", its last words: " + ended.output().strip();
  }

  // ---- one process --------------------------------------------------------------------------

  /** Whatever happens here, the tool is not left running. */
  private Ended run(List<String> arguments) {
    Process process = start(arguments);
    long began = System.nanoTime();
    try {
      await(process, began + server.timeout().toNanos());
    } catch (InterruptedException e) {
      RepositoryException stopped = ended(process, arguments, "this publisher is stopping");
      Thread.currentThread().interrupt();
      throw stopped;
    } catch (IOException | RepositoryException e) {
      throw ended(process, arguments, String.valueOf(e.getMessage()));
    }
    Ended result = new Ended(process.exitValue(), lastWords());
    LOG.atDebug()
        .addKeyValue("repository", name)
        .addKeyValue("arguments", call(arguments))
        .addKeyValue("exit", result.exitCode())
        .addKeyValue("millis", (System.nanoTime() - began) / 1_000_000)
        .log("cvmfs_server ended");
    return result;
  }

  private void await(Process process, long deadline) throws InterruptedException, IOException {
    work.noteRunning(
        new WorkFolder.Running(
            process.pid(),
            startedMillis(process.toHandle()),
            work.running().map(WorkFolder.Running::transaction).orElse("")));
    while (!process.waitFor(LOOK_INTERVAL.toNanos(), TimeUnit.NANOSECONDS)) {
      observe();
      if (System.nanoTime() - deadline > 0) {
        throw new RepositoryException.Retryable("it ran longer than " + server.timeout(), null);
      }
      if (Files.size(work.output()) > MAX_OUTPUT_BYTES) {
        throw new RepositoryException.Retryable(
            "it wrote more than " + MAX_OUTPUT_BYTES + " bytes", null);
      }
    }
    observe();
  }

  private Process start(List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(server.command().toString());
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.directory(Path.of("/").toFile()); // inside the mount it would be in its own way
    Map<String, String> environment = builder.environment();
    environment.clear();
    environment.put("PATH", SYSTEM_PATH);
    environment.put("HOME", "/");
    environment.put("LC_ALL", "C");
    builder.redirectInput(Path.of("/dev/null").toFile());
    builder.redirectErrorStream(true);
    builder.redirectOutput(work.output().toFile());
    try {
      return builder.start();
    } catch (IOException e) {
      throw new RepositoryException.Retryable(
          "cannot start " + server.command() + ": " + e.getMessage(), e);
    }
  }

  /** A transaction that appears while our tool runs is its own: only one can be open. */
  private void observe() {
    String open = transaction();
    if (open.isEmpty()) {
      return;
    }
    work.running()
        .filter(note -> note.transaction().isEmpty())
        .ifPresent(
            note ->
                work.noteRunning(new WorkFolder.Running(note.pid(), note.startedMillis(), open)));
  }

  /**
   * Ends the tool. Its children go first: then it still aborts its transaction by itself, if it
   * can.
   */
  private RepositoryException ended(Process process, List<String> arguments, String why) {
    try {
      observe();
    } catch (RepositoryException e) {
      // Then its transaction stays open, as one that is not known to be ours.
      LOG.atWarn().addKeyValue("repository", name).setCause(e).log("cannot look at the lock");
    }
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    boolean gone = awaitQuietly(process);
    if (!gone) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      gone = awaitQuietly(process);
    }
    return new RepositoryException.Retryable(
        call(arguments)
            + " was ended, since "
            + why
            + (gone ? "" : "; process " + process.pid() + " does not end")
            + "; its last words: "
            + lastWords().strip(),
        null);
  }

  private static boolean awaitQuietly(Process process) {
    long deadline = System.nanoTime() + GRACE.toNanos();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return process.waitFor(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
          interrupted = true; // a few seconds more, then the flag is there again
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private String lastWords() {
    try (RandomAccessFile file = new RandomAccessFile(work.output().toFile(), "r")) {
      long start = Math.max(0, file.length() - SHOWN_OUTPUT_BYTES);
      file.seek(start);
      byte[] bytes = new byte[(int) Math.min(SHOWN_OUTPUT_BYTES, file.length() - start)];
      file.readFully(bytes);
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "(unknown: " + e.getMessage() + ")";
    }
  }

  private Path transactionFile() {
    return server.spool().resolve("in_transaction.lock");
  }

  /** Names the open transaction among all there ever were; empty if none is open. */
  String transaction() {
    try {
      BasicFileAttributes attributes =
          Files.readAttributes(transactionFile(), BasicFileAttributes.class);
      return (attributes.fileKey() + "@" + attributes.lastModifiedTime()).replace(' ', '_');
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      throw new RepositoryException.Retryable("cannot look at " + transactionFile(), e);
    }
  }
}
