package io.lamina.journal;

import io.lamina.cvmfs.RepositoryName;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Writes a journal, or some repositories' part of it, to a file. Stateless. */
public final class JournalExport {
  private JournalExport() {}

  /**
   * Writes the file under another name beside it, makes it durable, and renames it: whoever finds
   * the file finds all of it.
   *
   * @param repositories sorted; each is to have a transaction
   * @param sinceRevision transactions before this are left out
   * @param progress is told each transaction that was written
   * @throws JournalException.NotFound if there is no transaction of one of them
   * @throws JournalException.Retryable if the file cannot be written
   */
  public static List<RepositorySummary> toFile(
      Journal journal,
      List<RepositoryName> repositories,
      long sinceRevision,
      Path file,
      Consumer<JournalEntry> progress) {
    List<RepositorySummary> written = new ArrayList<>();
    WholeFile.write(
        file, out -> written.addAll(to(out, journal, repositories, sinceRevision, progress)));
    return written;
  }

  /** As {@link #toFile}, to a stream that is flushed and not closed. */
  public static List<RepositorySummary> to(
      OutputStream out,
      Journal journal,
      List<RepositoryName> repositories,
      long sinceRevision,
      Consumer<JournalEntry> progress)
      throws IOException {
    List<RepositorySummary> summaries = new ArrayList<>();
    try {
      JournalFileWriter writer = new JournalFileWriter(out);
      for (RepositoryName repository : repositories) {
        writer.begin(repository);
        RepositorySummary.Builder summary = new RepositorySummary.Builder(repository);
        journal.read(
            repository,
            entry -> {
              if (entry.event().revision() >= sinceRevision) {
                add(writer, entry);
                summary.add(entry);
                progress.accept(entry);
              }
              return true;
            });
        summaries.add(
            summary
                .build()
                .orElseThrow(
                    () ->
                        new JournalException.NotFound(
                            journal
                                + " has no transaction of "
                                + repository
                                + (sinceRevision > 1 ? " from revision " + sinceRevision : ""))));
      }
      writer.complete();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return summaries;
  }

  private static void add(JournalFileWriter writer, JournalEntry entry) {
    try {
      writer.add(entry);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
