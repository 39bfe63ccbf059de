package io.lamina.cvmfs;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;

/** The repository that the original tools made, as files by their path below its root. */
public final class Fixture {
  public static final RepositoryName NAME = new RepositoryName("fixture.lamina.test");

  /** A moment at which the fixture's whitelist is valid. */
  public static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-11-22T12:00:00Z"), ZoneOffset.UTC);

  private static final int BLOCK = 512;

  private Fixture() {}

  public static byte[] resource(String name) {
    try (InputStream in = Fixture.class.getResourceAsStream("/cvmfs-2.12/" + name)) {
      if (in == null) {
        throw new IllegalStateException("no test resource " + name);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static byte[] publicKey() {
    return resource("fixture.lamina.test.pub");
  }

  /** Every file of the repository, read anew from the archive. */
  public static Map<String, byte[]> files() {
    Map<String, byte[]> files = new TreeMap<>();
    try (InputStream tar =
        new GZIPInputStream(new ByteArrayInputStream(resource("fixture.lamina.test.tar.gz")))) {
      byte[] header = tar.readNBytes(BLOCK);
      while (header.length == BLOCK && header[0] != 0) {
        String name = text(header, 0, 100);
        int size = Integer.parseInt(text(header, 124, 12).trim(), 8);
        byte[] content = tar.readNBytes(size);
        tar.readNBytes((BLOCK - size % BLOCK) % BLOCK);
        if (header[156] == '0') {
          files.put(name.substring(name.indexOf('/') + 1), content);
        }
        header = tar.readNBytes(BLOCK);
      }
      return files;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One file of the repository. */
  public static byte[] file(String path) {
    byte[] content = files().get(path);
    if (content == null) {
      throw new IllegalStateException("the fixture has no file " + path);
    }
    return content;
  }

  /** Writes files below a folder. */
  public static void unpack(Map<String, byte[]> files, Path folder) {
    try {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        Path target = folder.resolve(file.getKey());
        Files.createDirectories(target.resolveSibling("."));
        Files.write(target, file.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String text(byte[] header, int offset, int length) {
    int end = offset;
    while (end < offset + length && header[end] != 0) {
      end++;
    }
    return new String(header, offset, end - offset, StandardCharsets.UTF_8);
  }
}
