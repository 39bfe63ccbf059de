package io.lamina.journal;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Files that are there as a whole or not at all. Stateless. */
final class WholeFile {
  private static final int BUFFER_BYTES = 256 << 10;

  /** What is written. */
  @FunctionalInterface
  interface Content {
    void to(OutputStream out) throws IOException;
  }

  private WholeFile() {}

  /**
   * Writes under another name beside it, makes that durable, and renames it.
   *
   * @throws JournalException.Retryable if it cannot be written
   */
  static void write(Path file, Content content) {
    Path temporary = file.resolveSibling(file.getFileName() + ".part");
    try {
      try (FileChannel channel =
              FileChannel.open(
                  temporary,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.TRUNCATE_EXISTING,
                  StandardOpenOption.WRITE);
          OutputStream out =
              new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER_BYTES)) {
        content.to(out);
        out.flush();
        channel.force(true);
      } catch (IOException | RuntimeException e) {
        Files.deleteIfExists(temporary);
        throw e;
      }
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new JournalException.Retryable("cannot write " + file + ": " + e.getMessage(), e);
    }
  }
}
