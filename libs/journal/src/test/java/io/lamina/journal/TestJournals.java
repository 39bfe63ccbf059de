package io.lamina.journal;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.messaging.event.EventJson;
import io.lamina.messaging.event.RepositoryOrigin;
import io.lamina.messaging.event.RequestId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Chains of transactions that say something, of repositories that need not exist. */
final class TestJournals {
  static final RepositoryName ONE = new RepositoryName("one.lamina.example");
  static final RepositoryName TWO = new RepositoryName("two.lamina.example");
  static final Instant CREATED = Instant.parse("2026-01-02T03:04:05Z");

  private TestJournals() {}

  /** Root of a revision. */
  static ContentHash root(RepositoryName repository, long revision) {
    return ContentHash.of(
        HashAlgorithm.SHA1,
        HashAlgorithm.SHA1
            .newDigest()
            .digest((repository + "@" + revision).getBytes(StandardCharsets.UTF_8)));
  }

  static TransactionPublished event(RepositoryName repository, long revision) {
    return new TransactionPublished(
        repository,
        revision,
        CREATED.getEpochSecond() + revision,
        root(repository, revision - 1),
        root(repository, revision),
        30_720,
        List.of(
            new CatalogChange.PutSymlink(
                RepositoryPath.of("/registry.example/image:" + revision), "../.flat/é")),
        List.of(new RequestId("request-" + revision)),
        revision == 1
            ? Optional.of(new RepositoryOrigin(CREATED, 240, true, true, true, 100))
            : Optional.empty());
  }

  static JournalEntry entry(TransactionPublished event) {
    return new JournalEntry(
        event,
        EventJson.type(event),
        EventJson.encode(event),
        CREATED.plusMillis(1_000 * event.revision() + 7));
  }

  /** Revisions {@code first} to {@code last}. */
  static List<JournalEntry> chain(RepositoryName repository, long first, long last) {
    List<JournalEntry> entries = new ArrayList<>();
    for (long revision = first; revision <= last; revision++) {
      entries.add(entry(event(repository, revision)));
    }
    return entries;
  }

  @SafeVarargs
  static byte[] file(List<JournalEntry>... repositories) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      JournalFileWriter writer = new JournalFileWriter(out);
      for (List<JournalEntry> entries : repositories) {
        writer.begin(entries.getFirst().event().repository());
        for (JournalEntry entry : entries) {
          writer.add(entry);
        }
      }
      writer.complete();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  static JournalFile write(Path folder, byte[] bytes) {
    try {
      return new JournalFile(Files.write(folder.resolve("test.journal"), bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<JournalEntry> read(Journal journal, RepositoryName repository) {
    List<JournalEntry> entries = new ArrayList<>();
    journal.read(repository, entries::add);
    return entries;
  }

  static List<Long> revisions(Journal journal, RepositoryName repository) {
    return read(journal, repository).stream().map(entry -> entry.event().revision()).toList();
  }
}
