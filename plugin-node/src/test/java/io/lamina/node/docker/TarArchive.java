package io.lamina.node.docker;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** Builds archives of layers in memory. One time for all entries. */
public final class TarArchive {
  /** Years before any test: what a test changes is told from what an image brought. */
  static final long TIME_SECONDS = 1_000_000_000L;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final TarArchiveOutputStream tar =
      new TarArchiveOutputStream(bytes, StandardCharsets.UTF_8.name());

  public TarArchive() {
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
    tar.setAddPaxHeadersForNonAsciiNames(true);
  }

  /** A root file system with a shell. */
  public static TarArchive busybox() {
    TarArchive archive = new TarArchive();
    archive.directory("bin", 0755).directory("tmp", 01777).directory("etc", 0755);
    archive.directory("root", 0700).directory("proc", 0755).directory("sys", 0755);
    archive.directory("dev", 0755);
    try {
      archive.file("bin/busybox", 0755, Files.readAllBytes(Path.of("/bin/busybox")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    for (String applet :
        "sh ls cat echo cp mv rm mkdir rmdir ln find stat md5sum touch chmod chown mknod mkfifo sleep true false wc sort head tail dd sync test grep kill id seq setfattr"
            .split(" ")) {
      archive.link("bin/" + applet, "busybox");
    }
    archive.file("etc/passwd", 0644, "root:x:0:0:root:/root:/bin/sh\n");
    return archive.file("etc/group", 0644, "root:x:0:\n");
  }

  public TarArchive file(String name, int mode, String content) {
    return file(name, mode, content.getBytes(StandardCharsets.UTF_8));
  }

  public TarArchive file(String name, int mode, byte[] content) {
    return file(name, mode, 0, 0, content, Map.of());
  }

  public TarArchive file(
      String name, int mode, long uid, long gid, byte[] content, Map<String, String> xattrs) {
    TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_NORMAL);
    entry.setSize(content.length);
    xattrs.forEach((key, value) -> entry.addPaxHeader("SCHILY.xattr." + key, value));
    return put(entry, mode, uid, gid, content);
  }

  public TarArchive directory(String name, int mode) {
    return directory(name, mode, 0, 0);
  }

  public TarArchive directory(String name, int mode, long uid, long gid) {
    return put(new TarArchiveEntry(name + "/", TarConstants.LF_DIR), mode, uid, gid, new byte[0]);
  }

  public TarArchive link(String name, String target) {
    TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_SYMLINK);
    entry.setLinkName(target);
    return put(entry, 0777, 0, 0, new byte[0]);
  }

  public TarArchive hardLink(String name, String target) {
    TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_LINK);
    entry.setLinkName(target);
    return put(entry, 0644, 0, 0, new byte[0]);
  }

  /**
   * @param type of {@link TarConstants}
   */
  public TarArchive node(String name, int mode, byte type, int major, int minor) {
    TarArchiveEntry entry = new TarArchiveEntry(name, type);
    entry.setDevMajor(major);
    entry.setDevMinor(minor);
    return put(entry, mode, 0, 0, new byte[0]);
  }

  public TarArchive whiteout(String name) {
    int slash = name.lastIndexOf('/') + 1;
    return file(name.substring(0, slash) + ".wh." + name.substring(slash), 0600, "");
  }

  public TarArchive opaque(String directory) {
    return file(directory + "/.wh..wh..opq", 0600, "");
  }

  private TarArchive put(TarArchiveEntry entry, int mode, long uid, long gid, byte[] content) {
    entry.setMode(mode);
    entry.setUserId(uid);
    entry.setGroupId(gid);
    entry.setUserName("");
    entry.setGroupName("");
    entry.setModTime(TIME_SECONDS * 1000);
    try {
      tar.putArchiveEntry(entry);
      tar.write(content);
      tar.closeArchiveEntry();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public byte[] toBytes() {
    try {
      tar.close();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
