package io.lamina.journal;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.event.EventJson;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes a journal file. The same transactions give the same bytes, whoever writes them and when.
 * Not thread-safe.
 *
 * <p>Source: docs/format/journal-file.md.
 */
public final class JournalFileWriter {
  private static final byte[] NOTHING = {};

  private final OutputStream out;
  private final JournalFormat.Checksum checksum = new JournalFormat.Checksum();
  private @Nullable RepositoryName repository;
  private long transactions;
  private long repositories;

  /**
   * @param out gets many small writes; not closed here
   */
  public JournalFileWriter(OutputStream out) throws IOException {
    this.out = out;
    String head = JournalFormat.NAME + " " + JournalFormat.VERSION;
    checksum.next(head, NOTHING);
    out.write(JournalFormat.ascii(head + "\n"));
  }

  /** Begins the transactions of a repository; in the order of their names. */
  public void begin(RepositoryName name) throws IOException {
    if (repository != null && repository.compareTo(name) >= 0) {
      throw new IllegalArgumentException(name + " does not come after " + repository);
    }
    endRepository();
    repository = name;
    repositories++;
    line(JournalFormat.REPOSITORY + " " + name, NOTHING);
  }

  /**
   * @throws JournalException.Rejected if it is longer than an event may be
   */
  public void add(JournalEntry entry) throws IOException {
    if (repository == null || !entry.event().repository().equals(repository)) {
      throw new IllegalArgumentException(
          "a transaction of " + entry.event().repository() + " among those of " + repository);
    }
    byte[] value = entry.value();
    if (value.length > EventJson.MAX_BYTES) {
      throw new JournalException.Rejected(
          "a transaction has at most " + EventJson.MAX_BYTES + " bytes, not " + value.length);
    }
    line(
        "%s %d %d %s %d"
            .formatted(
                JournalFormat.TRANSACTION,
                entry.event().revision(),
                entry.writtenAt().toEpochMilli(),
                entry.type(),
                value.length),
        value);
    out.write(value);
    out.write('\n');
    transactions++;
  }

  /** Ends the file; what lacks this end is known to be cut off. */
  public void complete() throws IOException {
    endRepository();
    line(JournalFormat.COMPLETE + " " + repositories, NOTHING);
    out.flush();
  }

  private void endRepository() throws IOException {
    if (repository != null) {
      line(JournalFormat.END + " " + transactions, NOTHING);
      transactions = 0;
    }
  }

  private void line(String text, byte[] value) throws IOException {
    out.write(JournalFormat.ascii(text + " " + checksum.next(text, value) + "\n"));
  }
}
