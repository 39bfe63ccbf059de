package io.lamina.image.archive;

import io.lamina.image.ImageException;
import io.lamina.image.internal.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipEncoding;
import org.apache.commons.compress.archivers.zip.ZipEncodingHelper;

/**
 * A layout's files in a tar file: the headers are read once, contents only when asked for, by
 * offset. Links count if they lead to a file of the same archive. Thread-safe.
 */
final class TarFiles implements LayoutFiles {
  private static final int BLOCK = 512;
  private static final int MAGIC = 3;
  private static final int MAX_ENTRIES = 200_000;
  private static final int MAX_EXTENSION_BYTES = 1 << 20;
  private static final int MAX_LINKS = 8;
  private static final int MAX_PATH_CHARS = 4096;
  private static final ZipEncoding UTF_8 = ZipEncodingHelper.getZipEncoding("UTF-8");

  private sealed interface Item {}

  private record Content(long offset, long sizeBytes) implements Item {}

  /** To another path of the archive. */
  private record Link(String target) implements Item {}

  private final Path file;
  private final FileChannel channel;
  private final Map<String, Item> items = new HashMap<>();

  /**
   * @throws ImageException.NotFound if there is no such file
   * @throws ImageException.Rejected if it is not an uncompressed tar, or over a limit
   */
  TarFiles(Path file) {
    this.file = file;
    try {
      if (!Files.isRegularFile(file)) {
        throw new ImageException.NotFound(
            Files.exists(file) ? file + " is not a regular file" : "there is no file " + file);
      }
      channel = FileChannel.open(file, StandardOpenOption.READ);
    } catch (NoSuchFileException e) {
      throw new ImageException.NotFound("there is no file " + file);
    } catch (IOException e) {
      throw new ImageException.Retryable("cannot open " + file, e, null);
    }
    boolean isIndexed = false;
    try {
      index();
      isIndexed = true;
    } catch (IllegalArgumentException e) {
      throw new ImageException.Rejected(file + " is not a valid tar: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new ImageException.Retryable("cannot read " + file, e, null);
    } finally {
      if (!isIndexed) {
        close();
      }
    }
  }

  private void index() throws IOException {
    long position = 0;
    long end = channel.size();
    refuseCompressed(read(0, (int) Math.min(MAGIC, end)));
    String longName = null;
    String longLink = null;
    Map<String, String> pax = Map.of();
    Map<String, String> globalPax = new HashMap<>();
    for (int count = 0; position + BLOCK <= end; count++) {
      if (count == MAX_ENTRIES) {
        throw new ImageException.Rejected(file + " has more than " + MAX_ENTRIES + " entries");
      }
      byte[] header = read(position, BLOCK);
      if (isZero(header)) {
        return;
      }
      TarArchiveEntry entry = new TarArchiveEntry(header, UTF_8, false);
      if (!entry.isCheckSumOK()) {
        throw new ImageException.Rejected(
            file + " is not a valid tar: wrong checksum in the header at byte " + position);
      }
      long offset = position + BLOCK;
      boolean isPaxHeader = entry.isPaxHeader() || entry.isGlobalPaxHeader();
      boolean isExtension = isPaxHeader || entry.isGNULongNameEntry() || entry.isGNULongLinkEntry();
      long size = entry.getSize();
      if (!isExtension) {
        size = sizeFrom(globalPax, sizeFrom(pax, size));
      }
      if (size < 0 || size > end - offset) {
        throw new ImageException.Rejected(
            file
                + " is cut off: the entry at byte "
                + position
                + " has "
                + size
                + " bytes, the file "
                + (end - offset));
      }
      if (isExtension) {
        byte[] extension = extension(position, offset, size);
        if (entry.isGlobalPaxHeader()) {
          globalPax.putAll(parsePax(extension));
        } else if (isPaxHeader) {
          pax = parsePax(extension);
        } else if (entry.isGNULongNameEntry()) {
          longName = text(extension);
        } else {
          longLink = text(extension);
        }
      } else {
        String name = pax.getOrDefault("path", longName == null ? entry.getName() : longName);
        String target =
            pax.getOrDefault("linkpath", longLink == null ? entry.getLinkName() : longLink);
        add(entry, name, target, new Content(offset, size), pax);
        longName = null;
        longLink = null;
        pax = Map.of();
      }
      position = offset + (size + BLOCK - 1) / BLOCK * BLOCK;
    }
    if (items.isEmpty()) {
      throw new ImageException.Rejected(file + " is not a tar, or an empty one");
    }
  }

  private void add(
      TarArchiveEntry entry, String name, String target, Content content, Map<String, String> pax) {
    Optional<String> path = normalised("", name);
    if (path.isEmpty()) {
      return; // Nothing that an image needs has such a name; asking for it finds nothing.
    }
    if (entry.isSymbolicLink() || entry.isLink()) {
      String base = entry.isLink() ? "" : parent(path.get());
      normalised(base, target).ifPresent(to -> items.put(path.get(), new Link(to)));
    } else if (entry.isSparse()
        || pax.keySet().stream().anyMatch(k -> k.startsWith("GNU.sparse"))) {
      throw new ImageException.Rejected(
          file + ": " + Quoted.of(name) + " is stored as a sparse file, which archives are not");
    } else if (entry.isFile()) {
      items.put(path.get(), content);
    }
  }

  private byte[] extension(long position, long offset, long size) throws IOException {
    if (size > MAX_EXTENSION_BYTES) {
      throw new ImageException.Rejected(
          file
              + ": the extended header at byte "
              + position
              + " has "
              + size
              + " bytes; the limit is "
              + MAX_EXTENSION_BYTES);
    }
    return read(offset, (int) size);
  }

  private void refuseCompressed(byte[] start) {
    if (start.length < MAGIC) {
      return;
    }
    boolean isGzip = (start[0] & 0xff) == 0x1f && (start[1] & 0xff) == 0x8b;
    boolean isZstd = (start[0] & 0xff) == 0x28 && (start[1] & 0xff) == 0xb5;
    boolean isXz = (start[0] & 0xff) == 0xfd && start[1] == '7';
    boolean isBzip2 = start[0] == 'B' && start[1] == 'Z' && start[2] == 'h';
    if (isGzip || isZstd || isXz || isBzip2) {
      throw new ImageException.Rejected(
          file
              + " is compressed as a whole; unpack it first ("
              + (isGzip ? "gunzip" : isZstd ? "unzstd" : isXz ? "unxz" : "bunzip2")
              + " --keep FILE), so that its layers can be read without copying it");
    }
  }

  private static long sizeFrom(Map<String, String> pax, long otherwise) {
    String text = pax.get("size");
    return text == null ? otherwise : Long.parseLong(text);
  }

  private static String text(byte[] nameAndNul) {
    return new String(nameAndNul, StandardCharsets.UTF_8).replaceAll("\u0000+$", "");
  }

  /** Records of {@code LENGTH KEY=VALUE\n}. */
  private static Map<String, String> parsePax(byte[] bytes) {
    Map<String, String> records = new HashMap<>();
    int position = 0;
    while (position < bytes.length && bytes[position] != 0) {
      int space = position;
      while (space < bytes.length && bytes[space] != ' ') {
        space++;
      }
      int length =
          Integer.parseInt(new String(bytes, position, space - position, StandardCharsets.UTF_8));
      if (length <= space - position || length > bytes.length - position) {
        throw new IllegalArgumentException("wrong length in an extended header");
      }
      String record =
          new String(bytes, space + 1, position + length - space - 2, StandardCharsets.UTF_8);
      int equals = record.indexOf('=');
      if (equals > 0) {
        records.put(record.substring(0, equals), record.substring(equals + 1));
      }
      position += length;
    }
    return records;
  }

  /** A path without {@code .}, {@code ..} and doubled slashes; nothing if it leaves the archive. */
  static Optional<String> normalised(String base, String path) {
    if (base.length() + path.length() > MAX_PATH_CHARS) {
      return Optional.empty();
    }
    Deque<String> parts = new ArrayDeque<>();
    String whole = path.startsWith("/") ? path : base + "/" + path;
    for (String part : whole.split("/")) {
      if (part.equals("..")) {
        if (parts.pollLast() == null) {
          return Optional.empty();
        }
      } else if (!part.isEmpty() && !part.equals(".")) {
        parts.addLast(part);
      }
    }
    return parts.isEmpty() ? Optional.empty() : Optional.of(String.join("/", parts));
  }

  private static String parent(String path) {
    int slash = path.lastIndexOf('/');
    return slash < 0 ? "" : path.substring(0, slash);
  }

  private static boolean isZero(byte[] block) {
    for (byte b : block) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public Optional<Entry> find(String path) {
    String current = path;
    for (int links = 0; links <= MAX_LINKS; links++) {
      Item item = items.get(current);
      switch (item) {
        case null -> {
          return Optional.empty();
        }
        case Content content -> {
          return Optional.of(new TarEntry(content.offset, content.sizeBytes));
        }
        case Link link -> current = link.target;
      }
    }
    throw new ImageException.Rejected(
        file + ": " + Quoted.of(path) + " is a chain of more than " + MAX_LINKS + " links");
  }

  private byte[] read(long position, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new IOException(file + " ended while it was read");
      }
    }
    return buffer.array();
  }

  private final class TarEntry implements Entry {
    private final long offset;
    private final long sizeBytes;

    private TarEntry(long offset, long sizeBytes) {
      this.offset = offset;
      this.sizeBytes = sizeBytes;
    }

    @Override
    public long sizeBytes() {
      return sizeBytes;
    }

    @Override
    public InputStream open() {
      return new InputStream() {
        private long position;

        @Override
        public int read() throws IOException {
          byte[] one = new byte[1];
          return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int off, int length) throws IOException {
          if (length == 0) {
            return 0;
          }
          if (position >= sizeBytes) {
            return -1;
          }
          int wanted = (int) Math.min(length, sizeBytes - position);
          int n = channel.read(ByteBuffer.wrap(buffer, off, wanted), offset + position);
          if (n < 0) {
            throw new IOException(file + " was cut while it was read");
          }
          position += n;
          return n;
        }
      };
    }
  }

  @Override
  public String where() {
    return file.toString();
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // Nothing was written, so nothing is lost.
    }
  }
}
