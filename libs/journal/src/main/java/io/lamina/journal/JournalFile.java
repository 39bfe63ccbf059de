package io.lamina.journal;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.event.EventJson;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A journal file. Each reading goes from the first byte to the last and checks all of it, and holds
 * one transaction; one that the sink ends goes no further. Thread-safe.
 *
 * <p>Source: docs/format/journal-file.md.
 */
public final class JournalFile implements Journal {
  private static final int BUFFER_BYTES = 256 << 10;
  private static final byte[] NOTHING = {};
  private static final Pattern HEAD = Pattern.compile("lamina-journal ([0-9]{1,9})");
  private static final Pattern LINE =
      Pattern.compile("(?<text>(?<word>[a-z]+) (?<rest>[^\\n]*)) (?<checksum>[0-9a-f]{64})");
  private static final Pattern TRANSACTION =
      Pattern.compile("([1-9][0-9]{0,18}) (0|[1-9][0-9]{0,15}) ([a-z0-9.-]{1,128}) ([0-9]{1,9})");
  private static final Pattern COUNT = Pattern.compile("0|[1-9][0-9]{0,18}");

  private final Path file;

  public JournalFile(Path file) {
    this.file = file;
  }

  @Override
  public List<RepositoryName> repositories() {
    List<RepositoryName> names = new ArrayList<>();
    readAll(Optional.empty(), names, _ -> true);
    return names;
  }

  @Override
  public long read(RepositoryName repository, Sink sink) {
    return readAll(Optional.of(repository), new ArrayList<>(), sink);
  }

  /** Reads and checks all of the file. */
  private long readAll(Optional<RepositoryName> wanted, List<RepositoryName> names, Sink sink) {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES)) {
      return new Reading(in, wanted, names, sink).run();
    } catch (NoSuchFileException e) {
      throw new JournalException.NotFound("there is no journal file " + file);
    } catch (IOException e) {
      throw new JournalException.Retryable("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /** One pass. */
  private final class Reading {
    private final InputStream in;
    private final Optional<RepositoryName> wanted;
    private final List<RepositoryName> names;
    private final Sink sink;
    private final JournalFormat.Checksum checksum = new JournalFormat.Checksum();
    private @Nullable RepositoryName current;
    private @Nullable JournalChain chain;
    private long position;
    private long transactions;
    private long handedOver;

    Reading(
        InputStream in, Optional<RepositoryName> wanted, List<RepositoryName> names, Sink sink) {
      this.in = in;
      this.wanted = wanted;
      this.names = names;
      this.sink = sink;
    }

    long run() throws IOException {
      readHead();
      while (true) {
        long at = position;
        Matcher line = LINE.matcher(readLine());
        if (!line.matches()) {
          throw corrupt(at, "is no line of a journal file");
        }
        String rest = line.group("rest");
        switch (line.group("word")) {
          case JournalFormat.REPOSITORY -> {
            requireChecksum(at, line, NOTHING);
            beginRepository(at, rest);
          }
          case JournalFormat.TRANSACTION -> {
            if (!transaction(at, line, rest)) {
              return handedOver;
            }
          }
          case JournalFormat.END -> {
            requireChecksum(at, line, NOTHING);
            if (chain == null || count(at, rest) != transactions) {
              throw corrupt(
                  at, "ends a repository with " + rest + " transactions after " + transactions);
            }
            chain = null;
          }
          case JournalFormat.COMPLETE -> {
            requireChecksum(at, line, NOTHING);
            complete(at, rest);
            return handedOver;
          }
          default -> throw corrupt(at, "begins with an unknown word");
        }
      }
    }

    private void readHead() throws IOException {
      byte[] start = in.readNBytes(JournalFormat.NAME.length() + 1);
      position = start.length;
      if (!new String(start, StandardCharsets.ISO_8859_1).equals(JournalFormat.NAME + " ")) {
        throw new JournalException.Rejected(
            file + " is no journal file: it does not begin with '" + JournalFormat.NAME + " '");
      }
      String head = JournalFormat.NAME + " " + readLine();
      Matcher matcher = HEAD.matcher(head);
      if (!matcher.matches()) {
        throw new JournalException.Rejected(file + " is no journal file: it has no version");
      }
      int version = Integer.parseInt(matcher.group(1));
      if (version != JournalFormat.VERSION) {
        throw new JournalException.Rejected(
            file
                + " has version "
                + version
                + " of the format; this release reads "
                + JournalFormat.VERSION);
      }
      checksum.next(head, NOTHING);
    }

    private void beginRepository(long at, String text) {
      if (chain != null) {
        throw corrupt(at, "begins a repository before the one before has ended");
      }
      RepositoryName name;
      try {
        name = new RepositoryName(text);
      } catch (CvmfsException.Rejected e) {
        throw new JournalException.Corrupt(where(at) + " names no repository", e);
      }
      if (current != null && current.compareTo(name) >= 0) {
        throw corrupt(at, "names a repository that does not come after the one before");
      }
      current = name;
      names.add(name);
      chain = new JournalChain(name);
      transactions = 0;
    }

    private boolean transaction(long at, Matcher line, String rest) throws IOException {
      Matcher fields = TRANSACTION.matcher(rest);
      if (!fields.matches() || chain == null || current == null) {
        throw corrupt(at, "is no transaction of a repository");
      }
      int length = Integer.parseInt(fields.group(4));
      if (length > EventJson.MAX_BYTES) {
        throw corrupt(
            at, "promises " + length + " bytes; there are at most " + EventJson.MAX_BYTES);
      }
      byte[] value = in.readNBytes(length);
      position += value.length;
      int newline = value.length < length ? -1 : in.read();
      if (newline < 0) {
        throw cutOff();
      }
      position++;
      if (newline != '\n') {
        throw corrupt(at, "is followed by more than the " + length + " bytes that it promises");
      }
      requireChecksum(at, line, value);
      JournalEntry entry =
          chain.follow(
              where(at),
              fields.group(3),
              value,
              Instant.ofEpochMilli(Long.parseLong(fields.group(2))));
      if (entry.event().revision() != Long.parseLong(fields.group(1))) {
        throw corrupt(at, "says another revision than the transaction that follows it");
      }
      transactions++;
      if (wanted.isPresent() && !wanted.get().equals(current)) {
        return true;
      }
      handedOver++;
      return sink.accept(entry);
    }

    private void complete(long at, String rest) throws IOException {
      if (chain != null || count(at, rest) != names.size()) {
        throw corrupt(
            at, "completes the file with " + rest + " repositories after " + names.size());
      }
      if (in.read() >= 0) {
        throw corrupt(position, "follows the end of the journal");
      }
    }

    private long count(long at, String text) {
      if (!COUNT.matcher(text).matches()) {
        throw corrupt(at, "has no count");
      }
      return Long.parseLong(text);
    }

    private void requireChecksum(long at, Matcher line, byte[] value) {
      if (!checksum.next(line.group("text"), value).equals(line.group("checksum"))) {
        throw corrupt(at, "was changed, or something before it: its checksum does not fit");
      }
    }

    private String readLine() throws IOException {
      ByteArrayOutputStream line = new ByteArrayOutputStream(160);
      while (true) {
        int next = in.read();
        if (next < 0) {
          throw cutOff();
        }
        position++;
        if (next == '\n') {
          return line.toString(StandardCharsets.ISO_8859_1);
        }
        if (line.size() == JournalFormat.MAX_LINE_BYTES) {
          throw corrupt(position - line.size(), "has a line that is too long");
        }
        line.write(next);
      }
    }

    private JournalException.Corrupt cutOff() {
      return new JournalException.Corrupt(
          file
              + " is cut off after "
              + position
              + " bytes"
              + (current == null
                  ? ""
                  : ", among the transactions of "
                      + current
                      + (chain == null
                          ? ""
                          : chain
                              .last()
                              .map(last -> " after revision " + last.revision())
                              .orElse("")))
              + "; copy or export it again");
    }

    private JournalException.Corrupt corrupt(long at, String problem) {
      return new JournalException.Corrupt(where(at) + " " + problem);
    }

    private String where(long at) {
      return file + ", byte " + at + ":" + (current == null ? "" : " (" + current + ")") + " it";
    }
  }

  @Override
  public String toString() {
    return file.toString();
  }
}
