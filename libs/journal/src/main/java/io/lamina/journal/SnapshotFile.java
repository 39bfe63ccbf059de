package io.lamina.journal;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.messaging.event.RepositoryOrigin;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Snapshots as files. The same snapshot gives the same bytes. Stateless.
 *
 * <p>Source: docs/format/snapshot-file.md.
 */
public final class SnapshotFile {
  private static final String NAME = "lamina-snapshot";
  private static final int VERSION = 1;
  private static final byte[] NOTHING = {};
  private static final int MAX_BYTES = Snapshot.FILES * Snapshot.MAX_FILE_BYTES + (16 << 10);
  private static final Pattern HEAD = Pattern.compile(NAME + " ([0-9]{1,9})");
  private static final Pattern LINE = Pattern.compile("(?<text>[^\\n]+) (?<checksum>[0-9a-f]{64})");
  private static final Pattern ORIGIN =
      Pattern.compile(
          "origin (?<created>[0-9]{1,12}) (?<ttl>[0-9]{1,9}) (?<flat>yes|no) (?<gc>yes|no)"
              + " (?<tags>yes|no) (?<generic>[0-9]{1,6})");
  private static final Pattern FILE =
      Pattern.compile("file (?<path>[A-Za-z0-9./-]{1,128}) (?<length>[0-9]{1,6})");
  private static final Pattern END = Pattern.compile("complete ([0-9])");

  private SnapshotFile() {}

  /** The file's bytes. */
  static byte[] encode(Snapshot snapshot) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(8192);
    JournalFormat.Checksum checksum = new JournalFormat.Checksum();
    String head = NAME + " " + VERSION;
    checksum.next(head, NOTHING);
    out.writeBytes(JournalFormat.ascii(head + "\n"));
    snapshot
        .origin()
        .ifPresent(
            made ->
                line(
                    out,
                    checksum,
                    "origin %d %d %s %s %s %d"
                        .formatted(
                            made.createdAt().getEpochSecond(),
                            made.ttlSeconds(),
                            word(made.flat()),
                            word(made.garbageCollectable()),
                            word(made.tags()),
                            made.genericTags()),
                    NOTHING));
    for (Map.Entry<String, byte[]> file : snapshot.files().entrySet()) {
      byte[] bytes = file.getValue();
      line(out, checksum, "file " + file.getKey() + " " + bytes.length, bytes);
      out.writeBytes(bytes);
      out.write('\n');
    }
    line(out, checksum, "complete " + snapshot.files().size(), NOTHING);
    return out.toByteArray();
  }

  /**
   * Writes it under another name beside it and renames that: whoever finds the file finds all of
   * it.
   *
   * @throws JournalException.Retryable if it cannot be written
   */
  public static void write(Snapshot snapshot, Path file) {
    WholeFile.write(file, out -> out.write(encode(snapshot)));
  }

  private static String word(boolean value) {
    return value ? "yes" : "no";
  }

  private static void line(
      ByteArrayOutputStream out, JournalFormat.Checksum checksum, String text, byte[] value) {
    out.writeBytes(JournalFormat.ascii(text + " " + checksum.next(text, value) + "\n"));
  }

  /**
   * Reads a file and verifies it.
   *
   * @param keys the repository's master keys
   * @throws JournalException.NotFound if there is no such file
   * @throws JournalException.Rejected if it is no snapshot, or one of another version
   * @throws JournalException.Corrupt if it is cut off or changed, of another repository, or not
   *     signed by whom these keys trust
   */
  public static Snapshot read(Path file, RepositoryName repository, MasterKeys keys) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new JournalException.Rejected(
            file + " is no snapshot: it has more than " + MAX_BYTES + " bytes");
      }
      return new Reading(file.toString(), bytes).run(repository, keys);
    } catch (NoSuchFileException e) {
      throw new JournalException.NotFound("there is no snapshot " + file);
    } catch (IOException e) {
      throw new JournalException.Retryable("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /** One pass over the bytes. */
  private static final class Reading {
    private final String where;
    private final byte[] bytes;
    private final JournalFormat.Checksum checksum = new JournalFormat.Checksum();
    private final SortedMap<String, byte[]> files = new TreeMap<>();
    private Optional<RepositoryOrigin> origin = Optional.empty();
    private int position;

    Reading(String where, byte[] bytes) {
      this.where = where;
      this.bytes = bytes;
    }

    Snapshot run(RepositoryName repository, MasterKeys keys) {
      readHead();
      while (true) {
        int at = position;
        Matcher line = LINE.matcher(readLine());
        if (!line.matches()) {
          throw corrupt(at, "is no line of a snapshot");
        }
        String text = line.group("text");
        Matcher file = FILE.matcher(text);
        Matcher made = ORIGIN.matcher(text);
        Matcher end = END.matcher(text);
        if (file.matches()) {
          byte[] content = content(at, Integer.parseInt(file.group("length")));
          requireChecksum(at, line, content);
          addFile(at, file.group("path"), content);
        } else if (made.matches() && origin.isEmpty() && files.isEmpty()) {
          requireChecksum(at, line, NOTHING);
          origin = Optional.of(origin(at, made));
        } else if (end.matches()) {
          requireChecksum(at, line, NOTHING);
          if (Integer.parseInt(end.group(1)) != files.size()) {
            throw corrupt(at, "promises other files than there are");
          }
          if (position != bytes.length) {
            throw corrupt(position, "follows the end of the snapshot");
          }
          return Snapshot.verified(where, origin, files, repository, keys);
        } else {
          throw corrupt(at, "is no line of a snapshot");
        }
      }
    }

    private void readHead() {
      byte[] start = JournalFormat.ascii(NAME + " ");
      if (bytes.length < start.length
          || !Arrays.equals(start, Arrays.copyOf(bytes, start.length))) {
        throw new JournalException.Rejected(
            where + " is no snapshot: it does not begin with '" + NAME + " '");
      }
      String head = readLine();
      Matcher matcher = HEAD.matcher(head);
      if (!matcher.matches() || Integer.parseInt(matcher.group(1)) != VERSION) {
        throw new JournalException.Rejected(
            where + " begins with '" + head + "'; this release reads '" + NAME + " 1'");
      }
      checksum.next(head, NOTHING);
    }

    private void addFile(int at, String path, byte[] content) {
      if (!files.isEmpty() && files.lastKey().compareTo(path) >= 0) {
        throw corrupt(at, "names a file that does not come after the one before");
      }
      if (files.size() == Snapshot.FILES) {
        throw corrupt(at, "is one file more than a snapshot has");
      }
      files.put(path, content);
    }

    private RepositoryOrigin origin(int at, Matcher made) {
      try {
        return new RepositoryOrigin(
            Instant.ofEpochSecond(Long.parseLong(made.group("created"))),
            Long.parseLong(made.group("ttl")),
            made.group("flat").equals("yes"),
            made.group("gc").equals("yes"),
            made.group("tags").equals("yes"),
            Integer.parseInt(made.group("generic")));
      } catch (DateTimeException e) {
        throw corrupt(at, "has no time of creation");
      }
    }

    private byte[] content(int at, int length) {
      if (length > Snapshot.MAX_FILE_BYTES) {
        throw corrupt(
            at, "promises " + length + " bytes; there are at most " + Snapshot.MAX_FILE_BYTES);
      }
      if (bytes.length - position <= length) {
        throw cutOff();
      }
      byte[] content = Arrays.copyOfRange(bytes, position, position + length);
      position += length;
      if (bytes[position++] != '\n') {
        throw corrupt(at, "is followed by more than the " + length + " bytes that it promises");
      }
      return content;
    }

    private void requireChecksum(int at, Matcher line, byte[] value) {
      if (!checksum.next(line.group("text"), value).equals(line.group("checksum"))) {
        throw corrupt(at, "was changed, or something before it: its checksum does not fit");
      }
    }

    private String readLine() {
      int end = position;
      while (end < bytes.length && bytes[end] != '\n') {
        end++;
      }
      if (end == bytes.length) {
        throw cutOff();
      }
      if (end - position >= JournalFormat.MAX_LINE_BYTES) {
        throw corrupt(position, "has a line that is too long");
      }
      String line = new String(bytes, position, end - position, StandardCharsets.ISO_8859_1);
      position = end + 1;
      return line;
    }

    private JournalException.Corrupt cutOff() {
      return new JournalException.Corrupt(
          where + " is cut off after " + bytes.length + " bytes; copy or take it again");
    }

    private JournalException.Corrupt corrupt(int at, String problem) {
      return new JournalException.Corrupt(where + ", byte " + at + ": it " + problem);
    }
  }
}
