package io.lamina.image.layer;

import io.lamina.image.ImageException;
import io.lamina.image.layer.LayerEntry.Device;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads entries from an archive in any dialect that image builders write, as raw bytes.
 *
 * <p>Own code because libraries decode names and attributes as text, which destroys names that are
 * not UTF-8 and binary attributes such as {@code security.capability}, and do not bound headers.
 * Source: docs/conversion.md, "Tar dialects". Single-threaded.
 */
final class TarReader {
  private static final byte[] WHITEOUT = ".wh.".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] AUFS = ".wh..wh.".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] OPAQUE = ".wh..wh..opq".getBytes(StandardCharsets.US_ASCII);
  private static final long MAX_ID = 0xffff_fffeL;
  private static final int MAX_MAJOR = 0xfff;
  private static final int MAX_MINOR = 0xfffff;
  private static final int MAX_NUMBER_LINE = 20;

  private final TarInput in;
  private final LayerLimits limits;
  private final boolean foldsDots;
  private final byte[] block = new byte[TarHeader.BLOCK_BYTES];
  private @Nullable EntryContent content;
  private long padding;
  private int headers;
  private long holeBytes;
  private boolean atEnd;

  /**
   * @param foldsDots whether {@code a/../b} means {@code b}, as engines have it; else it is refused
   */
  TarReader(TarInput in, LayerLimits limits, boolean foldsDots) {
    this.in = in;
    this.limits = limits;
    this.foldsDots = foldsDots;
  }

  private LayerPath path(byte[] raw) {
    return LayerPath.of(foldsDots ? LayerPath.folded(raw) : raw, limits);
  }

  /** Headers of entries read so far. */
  int headers() {
    return headers;
  }

  /** Extended headers in front of an entry. */
  private static final class Pending {
    @Nullable PaxRecords pax;
    byte @Nullable [] longName;
    byte @Nullable [] longLink;

    boolean isEmpty() {
      return pax == null && longName == null && longLink == null;
    }
  }

  /**
   * The next entry; empty behind the last one.
   *
   * @throws ImageException.Rejected if the archive is malformed, hostile, or over a limit
   */
  Optional<LayerEntry> next() {
    Pending pending = new Pending();
    while (!atEnd) {
      leaveContent();
      TarHeader header = readHeader();
      if (header == null) {
        break;
      }
      if (++headers > limits.maxEntries()) {
        throw new ImageException.Rejected(
            "the layer has more than " + limits.maxEntries() + " entries (limit of entries)");
      }
      switch (header.type()) {
        case 'x', 'X' ->
            pending.pax = PaxRecords.parse(extension(header), header.toString(), limits);
        case 'g' -> PaxRecords.parse(extension(header), header.toString(), limits);
        case 'L' -> pending.longName = untilNul(extension(header));
        case 'K' -> pending.longLink = untilNul(extension(header));
        default -> {
          return Optional.of(entry(header, pending));
        }
      }
    }
    if (!pending.isEmpty()) {
      throw new ImageException.Rejected("the layer ends with an extended header and no entry");
    }
    return Optional.empty();
  }

  private void leaveContent() {
    EntryContent current = content;
    if (current != null) {
      content = null;
      current.detach(padding);
    }
  }

  private @Nullable TarHeader readHeader() {
    long offset = in.offset();
    int n = in.readFully(block, 0, block.length);
    if (n == 0) {
      atEnd = true;
      return null;
    }
    if (n < block.length) {
      throw new ImageException.Rejected("the layer ends within the tar header at byte " + offset);
    }
    TarHeader header = TarHeader.parse(block, offset);
    if (header == null) {
      atEnd = true;
    }
    return header;
  }

  private byte[] extension(TarHeader header) {
    long size = header.sizeBytes();
    if (size > limits.maxHeaderBytes()) {
      throw new ImageException.Rejected(
          "the extended header "
              + header
              + " has "
              + size
              + " bytes (limit of header bytes: "
              + limits.maxHeaderBytes()
              + ")");
    }
    byte[] body = new byte[(int) size];
    if (in.readFully(body, 0, body.length) < body.length) {
      throw EntryContent.truncated(header.toString());
    }
    in.skip(paddingOf(size));
    return body;
  }

  private LayerEntry entry(TarHeader header, Pending pending) {
    PaxRecords pax = pending.pax == null ? new PaxRecords(limits) : pending.pax;
    char type = header.type();
    byte[] rawName = rawName(header, pending, pax);
    boolean regular = type == 0 || type == '0' || type == '7' || type == 'S';
    boolean hasData = regular || !isHeaderOnly(type);
    long stored = pax.number("size", header.sizeBytes(), header.toString());
    String shown = "entry '" + LayerPath.display(rawName) + "'";
    EntryContent body = null;
    if (hasData) {
      body = body(header, pax, type, stored, shown);
      content = body;
    }

    LayerPath path = path(rawName);
    if (path.hasParentStartingWith(WHITEOUT)) {
      return new LayerEntry.Ignored(path, "lies below a name that is reserved for whiteouts");
    }
    EntryAttributes attributes = attributes(header, pax, shown);
    byte[] name = path.name();
    if (startsWith(name, WHITEOUT)) {
      return whiteout(path, name, attributes, shown);
    }
    if (regular && body != null) {
      boolean oldDirectory = type == 0 && rawName.length > 0 && rawName[rawName.length - 1] == '/';
      if (oldDirectory) {
        return new LayerEntry.Directory(path, attributes);
      }
      requireName(path, shown);
      return new LayerEntry.RegularFile(path, attributes, body.sizeBytes(), body);
    }
    return switch (type) {
      case '5' -> new LayerEntry.Directory(path, attributes);
      case '1' ->
          new LayerEntry.HardLink(
              requireName(path, shown), attributes, path(rawLink(header, pending, pax)));
      case '2' ->
          symlink(requireName(path, shown), attributes, rawLink(header, pending, pax), shown);
      case '3' -> device(header, requireName(path, shown), attributes, Device.Kind.CHARACTER);
      case '4' -> device(header, requireName(path, shown), attributes, Device.Kind.BLOCK);
      case '6' -> new LayerEntry.Fifo(requireName(path, shown), attributes);
      default ->
          new LayerEntry.Ignored(
              path,
              "has the tar type '"
                  + LayerPath.display(new byte[] {(byte) type})
                  + "', which is not an entry of a file system");
    };
  }

  private static boolean isHeaderOnly(char type) {
    return type >= '1' && type <= '6';
  }

  private static byte[] rawName(TarHeader header, Pending pending, PaxRecords pax) {
    if (pending.longName != null) {
      return pending.longName;
    }
    byte[] sparseName = pax.value("GNU.sparse.name");
    byte[] path = sparseName == null ? pax.value("path") : sparseName;
    return path == null ? header.name() : path;
  }

  private static byte[] rawLink(TarHeader header, Pending pending, PaxRecords pax) {
    if (pending.longLink != null) {
      return pending.longLink;
    }
    byte[] path = pax.value("linkpath");
    return path == null ? header.linkName() : path;
  }

  private EntryContent body(
      TarHeader header, PaxRecords pax, char type, long stored, String shown) {
    if (stored > limits.maxFileBytes()) {
      throw tooLarge(shown, stored);
    }
    long dataBytes = stored;
    SparseMap sparse = null;
    if (type == 'S' && !pax.isSparse()) {
      long realSize = header.sparseRealSize();
      sparse = oldGnuSegments(header, shown).build(checkedSize(realSize, shown), stored, shown);
    } else if (pax.isSparse() && type != 'L' && type != 'K') {
      long realSize = checkedSize(pax.sparseRealSize(shown), shown);
      SparseMap.Collector segments;
      if (pax.sparseMapInData(shown)) {
        segments = new SparseMap.Collector(limits.maxSparseSegments());
        dataBytes -= readSparseMap(segments, stored, shown);
      } else {
        segments = pax.sparseSegments(shown);
      }
      sparse = segments.build(realSize, dataBytes, shown);
    }
    if (sparse != null) {
      holeBytes += sparse.realSize() - dataBytes;
      if (holeBytes > limits.maxUnpackedBytes()) {
        throw new ImageException.Rejected(
            shown
                + " brings the holes of sparse files to "
                + holeBytes
                + " bytes (limit of unpacked bytes: "
                + limits.maxUnpackedBytes()
                + ")");
      }
    }
    padding = paddingOf(stored);
    return new EntryContent(in, shown, dataBytes, sparse);
  }

  private long checkedSize(long realSize, String shown) {
    if (realSize < 0 || realSize > limits.maxFileBytes()) {
      throw tooLarge(shown, realSize);
    }
    return realSize;
  }

  private ImageException.Rejected tooLarge(String shown, long size) {
    return new ImageException.Rejected(
        shown + " has " + size + " bytes (limit of file bytes: " + limits.maxFileBytes() + ")");
  }

  private SparseMap.Collector oldGnuSegments(TarHeader header, String shown) {
    SparseMap.Collector segments = new SparseMap.Collector(limits.maxSparseSegments());
    boolean more = header.sparseSegments(segments);
    // Each further block holds segments or ends the list, so their number is bounded as well.
    int blocks = 0;
    while (more) {
      if (in.readFully(block, 0, block.length) < block.length) {
        throw EntryContent.truncated(shown);
      }
      segments.addOldGnu(block, 0, 21, shown);
      more = block[504] != 0;
      if (++blocks > limits.maxSparseSegments() / 21 + 1) {
        throw new ImageException.Rejected(
            shown
                + " has more than "
                + limits.maxSparseSegments()
                + " sparse segments (limit of sparse segments)");
      }
    }
    return segments;
  }

  /** Reads the decimal lines in front of the data; returns the bytes taken, whole blocks. */
  private long readSparseMap(SparseMap.Collector segments, long stored, String shown) {
    SparseLines lines = new SparseLines(stored, shown);
    long count = lines.number();
    if (count > limits.maxSparseSegments()) {
      throw new ImageException.Rejected(
          shown
              + " has "
              + count
              + " sparse segments (limit of sparse segments: "
              + limits.maxSparseSegments()
              + ")");
    }
    for (long i = 0; i < count; i++) {
      segments.add(lines.number(), lines.number(), shown);
    }
    return lines.taken;
  }

  private final class SparseLines {
    private final long stored;
    private final String shown;
    private int position = TarHeader.BLOCK_BYTES;
    private long taken;

    SparseLines(long stored, String shown) {
      this.stored = stored;
      this.shown = shown;
    }

    long number() {
      byte[] line = new byte[MAX_NUMBER_LINE];
      int length = 0;
      while (true) {
        if (position == TarHeader.BLOCK_BYTES) {
          if (taken + TarHeader.BLOCK_BYTES > stored
              || in.readFully(block, 0, block.length) < block.length) {
            throw EntryContent.truncated("the sparse map of " + shown);
          }
          taken += TarHeader.BLOCK_BYTES;
          position = 0;
        }
        byte b = block[position++];
        if (b == '\n') {
          return PaxRecords.decimal(line, 0, length, "a number in the sparse map of " + shown);
        }
        if (length == line.length) {
          throw new ImageException.Rejected("the sparse map of " + shown + " is malformed");
        }
        line[length++] = b;
      }
    }
  }

  private static long paddingOf(long size) {
    return -size & (TarHeader.BLOCK_BYTES - 1);
  }

  private EntryAttributes attributes(TarHeader header, PaxRecords pax, String shown) {
    PaxRecords.Time time = pax.time("mtime", shown);
    SortedMap<String, byte[]> xattrs =
        pax.isPlain() ? Collections.emptySortedMap() : pax.xattrs(shown);
    return new EntryAttributes(
        (int) header.mode() & 07777,
        id(pax.number("uid", -1, shown), header, true, shown),
        id(pax.number("gid", -1, shown), header, false, shown),
        time == null ? header.mtimeSeconds() : time.seconds(),
        time == null ? 0 : time.nanos(),
        xattrs);
  }

  private static long id(long fromPax, TarHeader header, boolean user, String shown) {
    long id = fromPax >= 0 ? fromPax : user ? header.uid() : header.gid();
    if (id < 0 || id > MAX_ID) {
      throw new ImageException.Rejected(
          (user ? "uid " : "gid ") + id + " of " + shown + " is not between 0 and " + MAX_ID);
    }
    return id;
  }

  private static LayerEntry whiteout(
      LayerPath path, byte[] name, EntryAttributes attributes, String shown) {
    if (Arrays.equals(name, OPAQUE)) {
      return new LayerEntry.OpaqueMarker(path.parent());
    }
    if (startsWith(name, AUFS)) {
      return new LayerEntry.Ignored(path, "is metadata of the AUFS storage driver");
    }
    byte[] hidden = Arrays.copyOfRange(name, WHITEOUT.length, name.length);
    if (hidden.length == 0 || isDots(hidden)) {
      throw new ImageException.Rejected("whiteout " + shown + " does not name an entry");
    }
    return new LayerEntry.Whiteout(path.sibling(hidden), attributes);
  }

  private static boolean isDots(byte[] name) {
    return name.length <= 2 && name[0] == '.' && name[name.length - 1] == '.';
  }

  private LayerEntry symlink(
      LayerPath path, EntryAttributes attributes, byte[] target, String shown) {
    if (target.length == 0) {
      return new LayerEntry.Ignored(path, "is a symbolic link without a target");
    }
    if (target.length > limits.maxLinkBytes()) {
      throw new ImageException.Rejected(
          "symbolic link "
              + shown
              + " has a target of "
              + target.length
              + " bytes (limit of link bytes: "
              + limits.maxLinkBytes()
              + ")");
    }
    for (byte b : target) {
      if (b == 0) {
        throw new ImageException.Rejected("NUL in the target of symbolic link " + shown);
      }
    }
    return new LayerEntry.Symlink(path, attributes, target);
  }

  private static LayerEntry device(
      TarHeader header, LayerPath path, EntryAttributes attributes, Device.Kind kind) {
    long major = header.deviceMajor();
    long minor = header.deviceMinor();
    if (major < 0 || major > MAX_MAJOR || minor < 0 || minor > MAX_MINOR) {
      throw new ImageException.Rejected(
          "device number " + major + ":" + minor + " of " + header + " does not exist");
    }
    return new Device(path, attributes, kind, (int) major, (int) minor);
  }

  private static LayerPath requireName(LayerPath path, String shown) {
    if (path.isRoot()) {
      throw new ImageException.Rejected(
          shown + " would replace the layer's root, which is a directory");
    }
    return path;
  }

  private static boolean startsWith(byte[] name, byte[] prefix) {
    return name.length >= prefix.length
        && Arrays.equals(name, 0, prefix.length, prefix, 0, prefix.length);
  }

  private static byte[] untilNul(byte[] body) {
    int end = 0;
    while (end < body.length && body[end] != 0) {
      end++;
    }
    return Arrays.copyOf(body, end);
  }
}
