package io.lamina.repository.releasemanager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.repository.RepositoryDefinition.Backend;
import io.lamina.repository.RepositoryException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerToolTest {
  private static final RepositoryName NAME = new RepositoryName("test.lamina.example");

  private final Path folder;
  private final WorkFolder work;
  private final ServerTool tool;

  ServerToolTest(@TempDir Path folder) throws IOException {
    this.folder = folder;
    Files.createDirectory(folder.resolve("spool"));
    this.work = WorkFolder.open(folder.resolve("work"));
    this.tool =
        new ServerTool(
            NAME,
            new Backend.CvmfsServer(
                URI.create("file:///nowhere"),
                folder.resolve("key"),
                folder.resolve("cvmfs_server"),
                folder.resolve("mount"),
                folder.resolve("spool"),
                Duration.ofSeconds(60),
                false),
            work);
    script("echo \"$@\" >> '" + calls() + "'; [ $1 = abort ] && rm '" + lock() + "'; exit 0");
  }

  @AfterEach
  void close() {
    work.close();
  }

  private void script(String text) throws IOException {
    Path script = folder.resolve("cvmfs_server");
    Files.writeString(script, "#!/bin/sh\n" + text + "\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Path calls() {
    return folder.resolve("calls");
  }

  private Path lock() {
    return folder.resolve("spool").resolve("in_transaction.lock");
  }

  private static long deadProcess() throws IOException, InterruptedException {
    Process process = new ProcessBuilder("true").start();
    process.waitFor();
    return process.pid();
  }

  @Test
  void abortsTheTransactionOfAPredecessorThatDied() throws Exception {
    Files.createFile(lock());
    work.noteRunning(new WorkFolder.Running(deadProcess(), 1, tool.transaction()));

    tool.recover();

    assertThat(Files.readString(calls())).isEqualTo("abort -f " + NAME + "\n");
    assertThat(work.running()).isEmpty();
    assertThat(lock()).doesNotExist();
  }

  @Test
  void leavesAloneATransactionThatWasOpenedAfterThePredecessors() throws Exception {
    Files.createFile(lock());
    String before = tool.transaction();
    Files.delete(lock());
    Files.createFile(lock());
    Files.setLastModifiedTime(lock(), FileTime.from(Instant.parse("2026-03-04T05:06:07Z")));
    work.noteRunning(new WorkFolder.Running(deadProcess(), 1, before));

    tool.recover();

    assertThat(calls()).doesNotExist();
    assertThat(lock()).exists();
  }

  @Test
  void leavesAloneATransactionThatThePredecessorWasNotSeenToOpen() throws Exception {
    Files.createFile(lock());
    work.noteRunning(new WorkFolder.Running(deadProcess(), 1, ""));

    tool.recover();

    assertThat(calls()).doesNotExist();
    assertThat(lock()).exists();
  }

  @Test
  void leavesAloneATransactionThatRefusedThePredecessors() throws Exception {
    Files.createFile(lock());
    Files.writeString(
        work.output(), "CernVM-FS transaction error: another transaction is already open\n");
    work.noteRunning(new WorkFolder.Running(deadProcess(), 1, tool.transaction()));

    tool.recover();

    assertThat(calls()).doesNotExist();
    assertThat(lock()).exists();
  }

  @Test
  void waitsForAToolThatOutlivedItsPublisher() throws Exception {
    Process running = new ProcessBuilder("sleep", "100").start();
    try {
      long started = running.info().startInstant().orElseThrow().toEpochMilli();
      work.noteRunning(new WorkFolder.Running(running.pid(), started, ""));

      assertThatThrownBy(tool::recover)
          .isInstanceOf(RepositoryException.Retryable.class)
          .hasMessageContaining("still runs, as process " + running.pid());
      assertThat(work.running()).isPresent();

      work.noteRunning(new WorkFolder.Running(running.pid(), started - 5_000, ""));
      tool.recover(); // another process has the number now
      assertThat(work.running()).isEmpty();
    } finally {
      running.destroyForcibly();
    }
  }

  @Test
  void passesArgumentsAsTheyAre() throws Exception {
    script("for a; do echo \"[$a]\" >> '" + calls() + "'; done");

    tool.complete(List.of("ingest", "-d", "a b; touch x $(y)", NAME.value()));

    assertThat(Files.readAllLines(calls()))
        .containsExactly("[ingest]", "[-d]", "[a b; touch x $(y)]", "[" + NAME + "]");
  }

  @Test
  void showsTheEndOfALongOutput() throws Exception {
    script("seq 1 100000; echo 'the reason'; exit 9");

    assertThatThrownBy(() -> tool.complete(List.of("ingest", NAME.value())))
        .isInstanceOf(RepositoryException.Retryable.class)
        .hasMessageContaining("exit code 9")
        .hasMessageContaining("the reason")
        .hasMessageNotContaining("\n1\n")
        .satisfies(e -> assertThat(String.valueOf(e.getMessage()).length()).isLessThan(5_000));
  }

  @Test
  void saysSoWhenThereIsNoTool() throws Exception {
    Files.delete(folder.resolve("cvmfs_server"));

    assertThatThrownBy(() -> tool.complete(List.of("ingest", NAME.value())))
        .isInstanceOf(RepositoryException.Retryable.class)
        .hasMessageContaining("cannot start " + folder.resolve("cvmfs_server"));
  }

  @Test
  void keepsASecondPublisherOut() {
    assertThatThrownBy(() -> WorkFolder.open(folder.resolve("work")))
        .isInstanceOf(RepositoryException.Conflict.class)
        .hasMessageContaining("another publisher on this machine");
  }
}
