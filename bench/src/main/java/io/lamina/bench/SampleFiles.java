package io.lamina.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Content as images hold it: machine code of the running JDK, which every machine has. For one
 * thread.
 */
public final class SampleFiles {
  private static final int MAX_BYTES = 16 << 20;

  private final byte[] content;
  private int next;

  private SampleFiles(byte[] content) {
    this.content = content;
  }

  public static SampleFiles read() {
    Path home = Path.of(System.getProperty("java.home"));
    Path code = home.resolve("lib/server/libjvm.so");
    Path file = Files.exists(code) ? code : home.resolve("lib/modules");
    try (InputStream in = Files.newInputStream(file)) {
      return new SampleFiles(in.readNBytes(MAX_BYTES));
    } catch (IOException e) {
      throw new UncheckedIOException("the JDK's own file cannot be read: " + file, e);
    }
  }

  public byte[] content() {
    return content;
  }

  /**
   * Where the next piece of so many bytes begins: one after the other, so that none is found in the
   * processor's cache.
   */
  public int next(int bytes) {
    if (next + bytes > content.length) {
      next = 0;
    }
    int at = next;
    next += bytes;
    return at;
  }
}
