package io.lamina.image.testing;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** Makes a tar in memory, entry by entry, owned by root at second 1,700,000,000 unless said. */
public final class TarBuilder {
  /** The time of all entries, in seconds since 1970. */
  public static final long MTIME_SECONDS = 1_700_000_000L;

  /** How a layer's tar is stored in its blob. */
  public enum Compression {
    GZIP,
    ZSTD,
    PLAIN
  }

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final TarArchiveOutputStream tar =
      new TarArchiveOutputStream(bytes, StandardCharsets.UTF_8.name());
  private int uid;
  private int gid;

  public TarBuilder() {
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
    tar.setAddPaxHeadersForNonAsciiNames(true);
  }

  /** The owner of the entries that follow. */
  public TarBuilder owner(int uid, int gid) {
    this.uid = uid;
    this.gid = gid;
    return this;
  }

  public TarBuilder file(String path, int mode, byte[] content) {
    return file(path, mode, content, Map.of());
  }

  public TarBuilder file(String path, int mode, String content) {
    return file(path, mode, content.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * @param paxHeaders such as {@code SCHILY.xattr.user.note}
   */
  public TarBuilder file(String path, int mode, byte[] content, Map<String, String> paxHeaders) {
    TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_NORMAL);
    entry.setSize(content.length);
    paxHeaders.forEach(entry::addPaxHeader);
    return add(entry, mode, content);
  }

  public TarBuilder directory(String path, int mode) {
    return directory(path, mode, Map.of());
  }

  public TarBuilder directory(String path, int mode, Map<String, String> paxHeaders) {
    TarArchiveEntry entry =
        new TarArchiveEntry(path.endsWith("/") ? path : path + "/", TarConstants.LF_DIR);
    paxHeaders.forEach(entry::addPaxHeader);
    return add(entry, mode, new byte[0]);
  }

  public TarBuilder symlink(String path, String target) {
    TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_SYMLINK);
    entry.setLinkName(target);
    return add(entry, 0777, new byte[0]);
  }

  public TarBuilder hardLink(String path, String target) {
    TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_LINK);
    entry.setLinkName(target);
    return add(entry, 0644, new byte[0]);
  }

  public TarBuilder fifo(String path, int mode) {
    return add(new TarArchiveEntry(path, TarConstants.LF_FIFO), mode, new byte[0]);
  }

  public TarBuilder characterDevice(String path, int mode, int major, int minor) {
    TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_CHR);
    entry.setDevMajor(major);
    entry.setDevMinor(minor);
    return add(entry, mode, new byte[0]);
  }

  public TarBuilder blockDevice(String path, int mode, int major, int minor) {
    TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_BLK);
    entry.setDevMajor(major);
    entry.setDevMinor(minor);
    return add(entry, mode, new byte[0]);
  }

  /** Hides {@code path} of the layers below. */
  public TarBuilder whiteout(String path) {
    int name = path.lastIndexOf('/') + 1;
    return file(path.substring(0, name) + ".wh." + path.substring(name), 0644, new byte[0]);
  }

  /** Hides all that the layers below have in {@code directory}. */
  public TarBuilder opaque(String directory) {
    return file(directory + "/.wh..wh..opq", 0644, new byte[0]);
  }

  private TarBuilder add(TarArchiveEntry entry, int mode, byte[] content) {
    entry.setMode(mode);
    entry.setIds(uid, gid);
    entry.setUserName("");
    entry.setGroupName("");
    entry.setModTime(MTIME_SECONDS * 1000);
    try {
      tar.putArchiveEntry(entry);
      tar.write(content);
      tar.closeArchiveEntry();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The finished tar; nothing can be added afterwards. */
  public byte[] toBytes() {
    try {
      tar.close();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The bytes as a layer blob holds them. */
  public static byte[] compress(byte[] plain, Compression compression) {
    return switch (compression) {
      case PLAIN -> plain;
      case ZSTD -> Zstd.compress(plain);
      case GZIP -> {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(compressed)) {
          gzip.write(plain);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
        yield compressed.toByteArray();
      }
    };
  }
}
